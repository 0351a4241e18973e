"""Reads the entries of a JSON file of any size one after the other, and goes on behind a broken one."""

import codecs
import json
import re
from collections.abc import Iterator
from io import BufferedIOBase
from typing import Any

from streamtui.importers.import_report import EntryError

CHUNK = 1 << 20
"""Bytes read at a time."""
MOST = 256 << 20
"""Characters of an entry at most. A conversation has some hundred thousand, one with many pictures some millions."""

_SPACE = re.compile(r"[\s\ufeff]*")
_BETWEEN = re.compile(r"[\s,]*")
_ARRAY = re.compile(r'(?:\{\s*"(?:conversations|sessions)"\s*:\s*)?\[')
# What decides where a value ends. A string is skipped as a whole; the group is empty where its end has not come yet.
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+("?)|[\[\]{},]', re.DOTALL)


class NotJsonError(Exception):
    """What is read is no JSON from its very beginning."""


class JsonEntries:
    """The entries of an array, of one in an object (``{"conversations": […]}``), or of lines; or the one object.

    Iterating yields JSON values, and an EntryError in the place of each that is broken. Raises NotJsonError at the
    beginning, for what is no JSON at all. Memory is that of the largest entry.
    """

    def __init__(self, stream: BufferedIOBase, *, most: int = MOST, chunk: int = CHUNK) -> None:
        self._stream = stream
        self._most, self._chunk = most, chunk
        self._decoder = json.JSONDecoder(strict=False)
        self._bytes: codecs.IncrementalDecoder | None = None
        self._text, self._at = "", 0
        self._over = False

    def __iter__(self) -> Iterator[Any]:
        self._skip(_SPACE)
        if array := _ARRAY.match(self._text, self._at):
            self._at = array.end()
            yield from self._entries()
        elif self._text[self._at : self._at + 1] == "{":
            yield from self._lines()
        else:
            raise NotJsonError

    def _entries(self) -> Iterator[Any]:
        while True:
            self._skip(_BETWEEN)
            if self._at == len(self._text):
                yield EntryError("it is missing: the file ends in the middle")
                return
            if self._text[self._at] == "]":
                return
            value = self._value()
            yield value
            if isinstance(value, _Lost):
                return

    def _lines(self) -> Iterator[Any]:
        while True:
            value = self._value()
            inner = [] if not isinstance(value, dict) else value.get("conversations", value.get("sessions"))
            yield from inner if isinstance(inner, list) and inner else [value]
            if isinstance(value, EntryError) and not self._find("\n{"):
                return
            self._skip(_SPACE)
            if self._at == len(self._text):
                return

    def _value(self) -> Any:
        """The value that begins here, or an EntryError; then what follows it is next."""
        if self._text[self._at] != "{":
            return self._slow_value()  # 12 may be the beginning of 123
        try:
            value, self._at = self._decoder.raw_decode(self._text, self._at)
        except (ValueError, RecursionError):
            return self._slow_value()  # it is broken, or its end has not been read yet
        return value

    def _slow_value(self) -> Any:
        end = self._end()
        if end < 0:
            return _Lost(
                "it is broken in a way that hides where the next begins, and what follows it could not be read"
                if not self._over
                else "it is cut off: the file ends in the middle"
            )
        begin, self._at = self._at, max(end, self._at + 1)
        try:
            return self._decoder.decode(self._text[begin:end])
        except ValueError:
            return EntryError("it is no JSON")
        except RecursionError:
            return EntryError("it is nested too deeply")

    def _end(self) -> int:
        """Where the value that begins here ends; -1 where that can't be found."""
        depth, offset = 0, 0
        while True:
            for token in _TOKEN.finditer(self._text, self._at + offset):
                kind = token[0][0]
                if kind == '"' and not token[1]:
                    break  # a string whose end has not come yet: looked at again
                if kind in "[{":
                    depth += 1
                elif kind in "]}":
                    depth -= 1
                if depth < 0 or (depth == 0 and kind == ","):
                    return token.start()
                if depth == 0 and kind in "]}":
                    return token.end()
                offset = token.end() - self._at
            if not self._more():
                return -1

    def _find(self, text: str) -> bool:
        """Goes to the next `text`; False where there is none."""
        while (found := self._text.find(text, self._at)) < 0:
            self._at = max(self._at, len(self._text) - len(text))
            if not self._more():
                return False
        self._at = found
        return True

    def _skip(self, pattern: re.Pattern[str]) -> None:
        while True:
            match = pattern.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text) or not self._more():
                return

    def _more(self) -> bool:
        """Reads on, as much again as is there: so a long entry is not looked through again and again."""
        held = len(self._text) - self._at
        if self._over or held > self._most:
            return False
        data = self._stream.read1(max(self._chunk, held))  # of a pipe what is there: ctrl+c ends a read, not several
        if self._bytes is None:
            self._bytes = codecs.getincrementaldecoder(_encoding(data))(errors="replace")
        self._over = not data
        self._text = self._text[self._at :] + self._bytes.decode(data, final=self._over)
        self._at = 0
        return True


class _Lost(EntryError):
    """An entry whose end can't be found."""


def _encoding(data: bytes) -> str:
    return "utf-16" if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8"
