"""Stream the entries of JSON files of any size and skip invalid ones."""

import codecs
import json
import re
from collections.abc import Iterator
from io import BufferedIOBase
from typing import Any

from streamtui.importers.import_report import EntryError

CHUNK = 1 << 20
"""Number of bytes read at a time."""
MAX_ENTRY = 256 << 20
"""Maximum characters of an entry. Long conversations have some hundred thousand, with images some millions."""

_SPACE = re.compile(r"[\s\ufeff]*")
_BETWEEN = re.compile(r"[\s,]*")
_ARRAY = re.compile(r'(?:\{\s*"(?:conversations|sessions)"\s*:\s*)?\[')
# Tokens that decide where a value ends. The group is empty for a string whose end has not been read yet.
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+("?)|[\[\]{},]', re.DOTALL)


class NotJsonError(Exception):
    """The input does not start with JSON."""


class JsonEntries:
    """Iterate over the entries of an array, an object with an array (``{"conversations": […]}``), or lines of JSON.

    Yields JSON values, and an EntryError for each invalid one. Raises NotJsonError if the input does not start with
    JSON. Memory is bounded by the largest entry.
    """

    def __init__(self, stream: BufferedIOBase, *, max_entry: int = MAX_ENTRY, chunk: int = CHUNK) -> None:
        self._stream = stream
        self._max_entry, self._chunk = max_entry, chunk
        self._decoder = json.JSONDecoder(strict=False)
        self._bytes: codecs.IncrementalDecoder | None = None
        self._text, self._at = "", 0
        self._at_end = False

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
                yield EntryError("it is missing: the file is truncated")
                return
            if self._text[self._at] == "]":
                return
            value = self._value()
            yield value
            if isinstance(value, _UnrecoverableError):
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
        """Parse the value here and move behind it; return an EntryError if it is invalid."""
        if self._text[self._at] != "{":
            return self._slow_value()  # 12 may be the start of 123
        try:
            value, self._at = self._decoder.raw_decode(self._text, self._at)
        except (ValueError, RecursionError):
            return self._slow_value()  # invalid, or not completely read
        return value

    def _slow_value(self) -> Any:
        end = self._end()
        if end < 0:
            return _UnrecoverableError(
                "it is invalid, and the rest of the file could not be read"
                if not self._at_end
                else "it is incomplete: the file is truncated"
            )
        begin, self._at = self._at, max(end, self._at + 1)
        try:
            return self._decoder.decode(self._text[begin:end])
        except ValueError:
            return EntryError("it is not valid JSON")
        except RecursionError:
            return EntryError("it is nested too deeply")

    def _end(self) -> int:
        """Return the end of the value here; -1 if it can't be found."""
        depth, offset = 0, 0
        while True:
            for token in _TOKEN.finditer(self._text, self._at + offset):
                kind = token[0][0]
                if kind == '"' and not token[1]:
                    break  # an incomplete string: scan it again with more data
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
        """Move to the next `text`; return False if there is none."""
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
        """Read more data, doubling the buffer so that long entries are scanned in linear time."""
        held = len(self._text) - self._at
        if self._at_end or held > self._max_entry:
            return False
        data = self._stream.read1(
            max(self._chunk, held)
        )  # read1 returns what a pipe has, so that Ctrl+C takes effect at once
        if self._bytes is None:
            self._bytes = codecs.getincrementaldecoder(_encoding(data))(errors="replace")
        self._at_end = not data
        self._text = self._text[self._at :] + self._bytes.decode(data, final=self._at_end)
        self._at = 0
        return True


class _UnrecoverableError(EntryError):
    """An entry whose end can't be found, so that no further entry can be read."""


def _encoding(data: bytes) -> str:
    return "utf-16" if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8"
