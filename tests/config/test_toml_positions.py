"""Every key of a TOML text is found on its line, however the text is written."""

import json
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtui.config.toml_positions import Path, lines_of

TEXTS = st.text(
    st.characters(codec="utf-8", max_codepoint=0xFFFF, exclude_characters="\x7f"), max_size=12
) | st.sampled_from(["[no.table]", "no = 1", "# none", '"""', "'''", "a\nkey = 2\n[x]\n", "\\", '"', "}", "]", ","])
KEYS = st.sampled_from(["a", "b", "model", "gpt-4.1", "x.y", 'q"q', "ö", "", "#", "[z]", "=", "l\\n"]) | TEXTS
SCALARS = st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXTS | st.sampled_from([1.5, -1e30])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=12
)
TABLES = st.dictionaries(KEYS, VALUES | st.dictionaries(KEYS, VALUES, max_size=4), max_size=5)


class Writer:
    """Writes tables as TOML in every style the language has, and notes where each key went."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.text = ""
        self.lines: dict[Path, int] = {}

    def one_of(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def note(self, path: Path) -> None:
        for length in range(1, len(path) + 1):
            self.lines.setdefault(path[:length], self.text.count("\n") + 1)

    def document(self, tables: dict[str, Any]) -> None:
        for key, value in tables.items():
            if not (isinstance(value, dict) and value):
                self.pair((key,), value, self.key(key))
        for key, value in tables.items():
            if isinstance(value, dict) and value:
                self.table(key, value)

    def table(self, name: str, table: dict[str, Any]) -> None:
        dotted = self.one_of(True, False)
        nested = [key for key, value in table.items() if isinstance(value, dict) and value]
        self.text += self.one_of("", "\n", "# [none]\n", " \t")
        self.note((name,))
        self.text += f"[ {self.key(name)} ]" + self.one_of("\n", " # a = 1\n", "\r\n")
        for key, value in table.items():
            if not dotted or key not in nested:
                self.pair((name, key), value, self.key(key))
        for key in nested if dotted else ():
            self.note((name, key))
            self.text += f"[{self.key(name)} . {self.key(key)}]\n"
            for inner, value in table[key].items():
                self.pair((name, key, inner), value, self.key(inner))

    def pair(self, path: Path, value: Any, key: str) -> None:
        self.text += self.one_of("", "  ", "\n", "# x = [\n")
        self.note(path)
        if isinstance(value, dict) and len(value) == 1 and self.one_of(True, False):
            (inner, value), *_ = value.items()
            path, key = (*path, inner), f"{key}{self.one_of('.', ' . ')}{self.key(inner)}"
            self.note(path)
        self.text += key + self.one_of("=", " = ")
        self.value(path, value)
        self.text += self.one_of("\n", " # ]\n", "\r\n")

    def key(self, key: str) -> str:
        if key and all(c.isascii() and (c.isalnum() or c in "-_") for c in key) and self.one_of(True, False):
            return key
        if self.one_of(True, False) and all(c not in "'" and c.isprintable() for c in key):
            return f"'{key}'"
        return json.dumps(key, ensure_ascii=self.one_of(True, False)).replace("\x7f", "\\u007f")

    def value(self, path: Path, value: Any) -> None:
        if isinstance(value, dict):
            self.inline(path, value)
        elif isinstance(value, list):
            self.array(path, value)
        elif isinstance(value, str):
            self.text += self.string(value)
        else:
            self.text += json.dumps(value)

    def inline(self, path: Path, table: dict[str, Any]) -> None:
        self.text += "{ "
        for number, (key, value) in enumerate(table.items()):
            self.text += ", " if number else ""
            self.note((*path, key))
            self.text += f"{self.key(key)} = "
            self.value((*path, key), value)
        self.text += " }"

    def array(self, path: Path, values: list[Any]) -> None:
        self.text += "["
        for number, value in enumerate(values):
            self.text += self.one_of("", "\n  ", " # a, ]\n")
            self.note((*path, number))
            self.value((*path, number), value)
            self.text += self.one_of(",", ", # b\n", "\n,")
        self.text += "]"

    def string(self, text: str) -> str:
        plain = all(c == "\n" or c.isprintable() for c in text)
        if plain and "'''" not in text and not text.endswith("'") and self.one_of(True, False):
            return f"'''\n{text}'''"
        quoted = json.dumps(text, ensure_ascii=True)
        if plain and self.one_of(True, False):
            return f'"""\n{quoted[1:-1]}"""'.replace("\\n", "\n" if "\\\\" not in quoted else "\\n")
        return quoted


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[Path, int], dict[str, Any]]:
    """A text, the lines of its keys, and what it says."""
    tables = draw(TABLES)
    writer = Writer(draw)
    writer.document(tables)
    return writer.text, writer.lines, tables


@given(documents())
def test_every_key_is_on_its_line(document: tuple[str, dict[Path, int], dict[str, Any]]) -> None:
    text, lines, tables = document
    assert tomllib.loads(text) == tables, "the writer of this test writes something else"
    assert lines_of(text) == lines


@given(st.text())
def test_any_text_comes_to_an_end(text: str) -> None:
    assert all(1 <= line <= text.count("\n") + 1 for line in lines_of(text).values())


def keys_in(value: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of all values in `value`."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*path, key)
        yield from keys_in(each, (*path, key))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[[a]]\nb = 1\n[[a]]\nb = 2\n", {("a",): 1, ("a", 0): 1, ("a", 0, "b"): 2, ("a", 1): 3, ("a", 1, "b"): 4}),
        ("[[a]]\n[[a.b]]\nc = 1\n[a.d]\n", {("a", 0, "b", 0, "c"): 3, ("a", 0, "d"): 4}),
        ("when = 1979-05-27 07:32:00 # then\nb = 1", {("b",): 2}),
        ('a = """"x"\n"""""\nb = 1', {("b",): 3}),
        ("a = ''''x'\n'''''\nb = 1", {("b",): 3}),
        ('a = """\\\n  x\\"""y\n"""\nb = 1', {("b",): 4}),
        ("a.b.c = 1\na.b.d = 2\n", {("a",): 1, ("a", "b"): 1, ("a", "b", "d"): 2}),
    ],
)
def test_shapes(text: str, expected: dict[Path, int]) -> None:
    lines = lines_of(text)
    assert expected.items() <= lines.items()
    assert set(keys_in(tomllib.loads(text))) == set(lines)
