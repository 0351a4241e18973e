"""SSEDecoder: bytes of a body into server-sent events, whatever pieces the bytes come in."""

from dataclasses import dataclass

_BOM = b"\xef\xbb\xbf"
_PER_LINE = 40
"""Bytes of memory that a line of an event takes beside its text: an endless event may be made of empty lines."""


class SSEError(ValueError):
    """An event larger than any event should be."""


@dataclass(frozen=True, slots=True)
class Event:
    """A server-sent event with data. Its id and retry fields are not kept: a chat is never resumed."""

    data: str
    name: str = ""


class SSEDecoder:
    """Decodes incrementally, in time linear in the bytes.

    Our own for its tolerance: httpx2's reader insists on the content type ``text/event-stream``, takes a byte
    order mark for a part of the first field, and drops an event that no blank line follows. Either costs 1 to
    2 us an event, a tenth of what carrying it here costs (tests/bench/bench_providers.py).
    """

    def __init__(self, max_event_size: int = 16 * 1024 * 1024) -> None:
        self._max = max_event_size
        self._line = bytearray()
        """The unfinished line."""
        self._data: list[bytes] = []
        self._name = b""
        self._size = 0
        """Bytes of memory that the event takes so far, its unfinished line included."""
        self._after_cr = False
        self._first = True

    def feed(self, chunk: bytes) -> list[Event]:
        """Returns the events that `chunk` completes. Raises SSEError for one above the size limit."""
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if b"\n" not in chunk and b"\r" not in chunk:
            self._hold(chunk)
            return []
        lines = self._joined(chunk).splitlines(keepends=True)
        rest = b"" if lines[-1].endswith((b"\n", b"\r")) else lines.pop()
        self._after_cr = not rest and lines[-1].endswith(b"\r")
        events = self._take(lines)
        self._hold(rest)
        return events

    def finish(self) -> list[Event]:
        """Returns the event that was not followed by a blank line before the body ended, if there is one."""
        return self._take([self._joined(b"\n"), b"\n"])

    def _hold(self, piece: bytes) -> None:
        if piece:
            self._line += piece
            self._grow(len(piece))

    def _joined(self, chunk: bytes) -> bytes:
        if not self._line:
            return chunk
        self._size -= len(self._line)
        line = bytes(self._line + chunk)
        self._line.clear()
        return line

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > self._max:
            raise SSEError(f"an event of more than {self._max} bytes")

    def _take(self, lines: list[bytes]) -> list[Event]:
        events: list[Event] = []
        if self._first:
            self._first = False
            lines[0] = lines[0].removeprefix(_BOM)
        for line in lines:
            line = line.rstrip(b"\r\n")
            if line.startswith(b"data:"):
                self._grow(len(line) + _PER_LINE)
                self._data.append(line[6:] if line[5:6] == b" " else line[5:])
            elif not line:
                if self._data:
                    events.append(self._event())
                self._data, self._name, self._size = [], b"", 0
            elif line.startswith(b"event:"):
                self._name = line[6:].strip()
            elif line == b"data":
                self._grow(len(line) + _PER_LINE)
                self._data.append(b"")
        return events

    def _event(self) -> Event:
        data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
        return Event(data.decode("utf-8", "replace"), self._name.decode("utf-8", "replace"))
