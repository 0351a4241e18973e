"""Line numbers of the keys in a TOML document, which tomllib doesn't provide."""

import re
from collections.abc import Iterator

Path = tuple[str | int, ...]
"""The path to a value: keys, and indexes (from 0) in arrays."""

_BLANK = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+")
_KEY = re.compile(r'[\w-]+|"(?:\\.|[^"\\\n])*+"|\'[^\'\n]*\'', re.ASCII)
_STRING = re.compile(
    # Up to two quotes may precede the closing three. No possessive quantifier: CPython 3.11.2 fails at the lookahead.
    r'"""(?>(?:[^"\\]|\\.|"(?!""))*)"""(?:"{0,2})'
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:\\.|[^"\\\n])*+"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_ATOM = re.compile(r"[^,\]}#\n]*")
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b"}
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{2})|(.))", re.DOTALL)


def lines_of(text: str) -> dict[Path, int]:
    """Return the line number, from 1, where each key and table of `text` first appears.

    `text` must be valid TOML; otherwise the result is incomplete.
    """
    text = text.replace("\r\n", "\n")
    found: dict[Path, int] = {}
    line, at = 1, 0
    for path, position in _Scan(text).document():
        line += text.count("\n", at, position) if position >= at else -text.count("\n", position, at)
        at = position
        for length in range(1, len(path) + 1):
            found.setdefault(path[:length], line)
    return found


class _Scan:
    """Scan a TOML document for the positions of its keys."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def document(self) -> Iterator[tuple[Path, int]]:
        """Yield the path of each key with the position where it begins."""
        table: Path = ()
        seen: dict[Path, int] = {}
        while self._next():
            start = self._at
            if self._text[start] == "[":
                table = self._header(seen)
                yield table, start
            else:
                yield from self._pair(table)
            if self._at == start:
                return

    def _next(self) -> str:
        """Skip whitespace and comments; return the next character, or "" at the end."""
        blank = _BLANK.match(self._text, self._at)
        assert blank is not None
        self._at = blank.end()
        return self._text[self._at : self._at + 1]

    def _skip(self, characters: str) -> bool:
        """Skip the next character if it is one of `characters`, and return whether it was."""
        if (found := self._next()) and found in characters:
            self._at += 1
            return True
        return False

    def _header(self, seen: dict[Path, int]) -> Path:
        """Parse ``[table]`` or ``[[array]]``; `seen` has the last index of each array."""
        is_array = self._text.startswith("[[", self._at)
        self._at += 2 if is_array else 1
        table: Path = ()
        for part in self._key():
            table = (*table, part)
            if table in seen:
                table = (*table, seen[table])
        if is_array:
            array = table[:-1] if table and isinstance(table[-1], int) else table
            seen[array] = seen.get(array, -1) + 1
            table = (*array, seen[array])
        while self._skip("]"):
            pass
        return table

    def _key(self) -> Path:
        parts: list[str] = []
        self._next()
        while match := _KEY.match(self._text, self._at):
            self._at = match.end()
            parts.append(_unquoted(match[0]))
            if not self._skip("."):
                break
            self._next()
        return tuple(parts)

    def _pair(self, table: Path) -> Iterator[tuple[Path, int]]:
        start = self._at
        path = (*table, *self._key())
        yield path, start
        if self._skip("="):
            yield from self._value(path)

    def _value(self, path: Path) -> Iterator[tuple[Path, int]]:
        if self._skip("["):
            yield from self._items(path)
        elif self._skip("{"):
            yield from self._pairs(path)
        else:
            match = _STRING.match(self._text, self._at) or _ATOM.match(self._text, self._at)
            assert match is not None
            self._at = match.end()

    def _items(self, path: Path) -> Iterator[tuple[Path, int]]:
        number = 0
        while self._next() and not self._skip("]"):
            start = self._at
            yield (*path, number), start
            yield from self._value((*path, number))
            number += 1
            self._skip(",")
            if self._at == start:
                return

    def _pairs(self, path: Path) -> Iterator[tuple[Path, int]]:
        while self._next() and not self._skip("}"):
            start = self._at
            yield from self._pair(path)
            self._skip(",")
            if self._at == start:
                return


def _unquoted(key: str) -> str:
    if key[0] == "'":
        return key[1:-1]
    return _ESCAPE.sub(_escaped, key[1:-1]) if key[0] == '"' else key


def _escaped(match: re.Match[str]) -> str:
    code = match[1] or match[2] or match[3]
    return chr(int(code, 16)) if code else _ESCAPES.get(match[4], match[4])
