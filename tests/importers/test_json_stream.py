"""Streaming of JSON entries, in any chunks and with invalid ones."""

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtui.importers.import_report import EntryError
from streamtui.importers.json_stream import JsonEntries, NotJsonError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text('ab"\\[]{},:é漢😀\n', max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('a"\\{', max_size=3), inner, max_size=3),
)


def read(data: bytes | str, *, chunk: int = 1 << 20, max_entry: int = 1 << 30) -> list[Any]:
    """Return the entries, and "broken" for each invalid one."""
    stream = io.BytesIO(data.encode() if isinstance(data, str) else data)
    entries = JsonEntries(stream, chunk=chunk, max_entry=max_entry)
    return ["broken" if isinstance(entry, EntryError) else entry for entry in entries]


@given(st.lists(VALUES, max_size=4), st.integers(1, 9), st.booleans(), st.sampled_from([None, 1]))
def test_array_in_any_chunks(values: list[Any], chunk: int, escaped: bool, indent: int | None) -> None:
    assert read(json.dumps(values, ensure_ascii=escaped, indent=indent), chunk=chunk) == values


@given(
    st.lists(st.dictionaries(st.text("ab", max_size=2), VALUES, max_size=2), min_size=1, max_size=4), st.integers(1, 9)
)
def test_json_lines_in_any_chunks(values: list[Any], chunk: int) -> None:
    assert read("\n".join(map(json.dumps, values)) + "\n", chunk=chunk) == values


@given(st.binary(max_size=60), st.sampled_from([b"[", b"{", b'[{"a":1},', b'{"conversations":[', b""]))
def test_arbitrary_bytes_are_harmless(data: bytes, begin: bytes) -> None:
    try:
        read(begin + data, chunk=5)
    except NotJsonError:
        assert not begin


def test_array_in_an_object() -> None:
    assert read('{"conversations": [{"a": 1}, {"b": 2}]}') == [{"a": 1}, {"b": 2}]
    assert read('{"x": 0, "sessions": [{"a": 1}, {"b": 2}]}') == [{"a": 1}, {"b": 2}]


def test_single_object() -> None:
    assert read(json.dumps({"a": [1, {"b": 2}]}, indent=2)) == [{"a": [1, {"b": 2}]}]


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16"])
def test_byte_order_mark_is_skipped(codec: str) -> None:
    assert read('[{"a": "ä"}]'.encode(codec)) == [{"a": "ä"}]


def test_control_characters_in_strings_are_accepted() -> None:
    assert read('[{"a": "one\ntwo\x1b"}]') == [{"a": "one\ntwo\x1b"}]


@pytest.mark.parametrize(
    "broken", ['{"a": tru}', "nonsense", '{"a": 1,, }', '{"a" "b"}', "[1 2]", '{"n": ' + "9" * 5000 + "}"]
)
def test_invalid_entry_is_skipped(broken: str) -> None:
    assert read(f'[{{"first": 1}}, {broken}, {{"last": 2}}]', chunk=7) == [{"first": 1}, "broken", {"last": 2}]


def test_invalid_line_is_skipped() -> None:
    assert read('{"first": 1}\n{"a": [1, \n{"last": 2}\n', chunk=4) == [{"first": 1}, "broken", {"last": 2}]


@pytest.mark.parametrize("end", ['{"a": [1, 2', '{"a": "text', '{"a": "text\\', "", ","])
def test_truncated_file_is_reported(end: str) -> None:
    assert read('[{"first": 1}, ' + end, chunk=3) == [{"first": 1}, "broken"]


@pytest.mark.parametrize("nested", ["[" * 100_000 + "]" * 100_000, '{"a":' * 50_000 + "1" + "}" * 50_000])
def test_deep_nesting_is_reported(nested: str) -> None:
    assert read(f'[{{"first": 1}}, {nested}, {{"last": 2}}]') == [{"first": 1}, "broken", {"last": 2}]


def test_endless_entry_is_bounded() -> None:
    assert read('[{"first": 1}, {"a": "' + "x" * 10_000, chunk=100, max_entry=1000) == [{"first": 1}, "broken"]


@pytest.mark.parametrize("data", ["", "   ", "hello", "<html>", "\x00\x01", '"text"'])
def test_other_formats_are_refused(data: str) -> None:
    with pytest.raises(NotJsonError):
        read(data)
