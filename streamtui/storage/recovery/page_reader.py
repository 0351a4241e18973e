"""Pages: the rows of a damaged database file, read from its leaves past the trees that should lead to them.

SQLite stops at the first page it can't read, and a damaged page near the root hides all that hangs below it. The
rows themselves stand in leaf pages that need no other page to be understood (https://sqlite.org/fileformat2.html).
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

Value = None | int | float | str | bytes
Row = tuple[Value, ...]

_MAGIC = b"SQLite format 3\0"
_TABLE_LEAF, _INDEX_LEAF, _INDEX_INSIDE = 0x0D, 0x0A, 0x02
_ROWS_IN = {_TABLE_LEAF: 8, _INDEX_LEAF: 8, _INDEX_INSIDE: 12}  # bytes of the head; an index has rows inside, too
_PAGE_SIZE = 4096  # SQLite's default, for a file whose first page is gone
_GAP, _HOLE = re.compile("\0+"), re.compile("[\0\ufffd]+")  # clean text holds no NUL
_NUMBERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}  # bytes of an integer, by serial type


class SpoiltError(Exception):
    """A page or a row that makes no sense."""


@dataclass(frozen=True, slots=True)
class Found:
    """A row that was read."""

    rowid: int | None
    """None in a table without rowids, and in an index."""
    values: Row
    """As stored: the column that is the rowid is None, columns added later may be missing at the end. What stood
    in pages that are gone is U+FFFD in a text, zeros elsewhere."""


class Pages:
    """The pages of a database file that nobody writes, its write-ahead log worked in or gone."""

    def __init__(self, path: Path) -> None:
        """Reads the head of `path`. Raises OSError."""
        self._path = path
        with path.open("rb") as file:
            head = file.read(100)
        good = len(head) == 100 and head.startswith(_MAGIC)
        size = int.from_bytes(head[16:18], "big") if good else _PAGE_SIZE
        self.size = 65_536 if size == 1 else size
        if self.size < 512 or self.size & (self.size - 1):
            self.size = _PAGE_SIZE
        self.usable = self.size - (head[20] if good and head[20] <= 32 else 0)
        self.version = int.from_bytes(head[60:64], "big") if good else 0
        """`PRAGMA user_version`; 0 where the first page is gone."""
        self.count = -(-path.stat().st_size // self.size)
        self._first_free = int.from_bytes(head[32:36], "big") if good else 0

    def rows(self) -> Iterator[Found]:
        """Yields every row that can be read of the pages in use, of tables and indexes alike."""
        free = self._free()
        with self._path.open("rb") as self._file:
            for number in range(1, self.count + 1):
                if number not in free:
                    yield from self._rows_of(number)

    def _free(self) -> set[int]:
        """Pages that are not in use: what stands in them was deleted."""
        free: set[int] = set()
        with self._path.open("rb") as self._file:
            trunk = self._first_free
            while 0 < trunk <= self.count and trunk not in free:
                free.add(trunk)
                page = self._page(trunk)
                trunk, length = struct.unpack_from(">II", page)
                length = min(length, self.usable // 4 - 2)
                free.update(struct.unpack_from(f">{length}I", page, 8))
        return free

    def _page(self, number: int) -> bytes:
        self._file.seek((number - 1) * self.size)
        return self._file.read(self.size).ljust(self.size, b"\0")

    def _rows_of(self, number: int) -> Iterator[Found]:
        page = self._page(number)
        at = 100 if number == 1 else 0
        kind = page[at]
        if kind not in _ROWS_IN:
            return
        cells = min(int.from_bytes(page[at + 3 : at + 5], "big"), self.usable // 4)
        for cell in struct.unpack_from(f">{cells}H", page, at + _ROWS_IN[kind]):
            try:
                yield self._cell(page, cell + 4 * (kind == _INDEX_INSIDE), kind == _TABLE_LEAF)
            except (SpoiltError, IndexError, struct.error):
                continue  # the next cell may be sound

    def _cell(self, page: bytes, at: int, of_table: bool) -> Found:
        length, at = _varint(page, at)
        rowid = None
        if of_table:
            rowid, at = _varint(page, at)
        return Found(rowid, _record(self._payload(page, at, length, of_table)))

    def _payload(self, page: bytes, at: int, length: int, of_table: bool) -> bytes:
        """What a cell holds; the end of a long one stands in a chain of overflow pages."""
        room = self.usable
        most = room - 35 if of_table else (room - 12) * 64 // 255 - 23
        if length <= most:
            return _cut(page, at, length)
        least = (room - 12) * 32 // 255 - 23
        local = least + (length - least) % (room - 4)
        local = local if local <= most else least
        if length > self.count * self.size:
            raise SpoiltError
        parts = [_cut(page, at, local)]
        number, missing = int.from_bytes(_cut(page, at + local, 4), "big"), length - local
        while missing > 0:
            if not 0 < number <= self.count:  # the chain is torn: half a message is better than none
                parts.append(bytes(missing))
                break
            page = self._page(number)
            part = page[4 : 4 + min(missing, room - 4)]
            parts.append(part)
            missing -= len(part)
            number = int.from_bytes(page[:4], "big")
        return b"".join(parts)


def _cut(data: bytes, at: int, length: int) -> bytes:
    part = data[at : at + length]
    if len(part) < length:
        raise SpoiltError
    return part


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Returns the number of one to nine bytes at `at`, and where it ends."""
    value = 0
    for i in range(8):
        byte = data[at + i]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + i + 1
    value = value << 8 | data[at + 8]
    return value - (1 << 64) if value >> 63 else value, at + 9


def _record(payload: bytes) -> Row:
    end, at = _varint(payload, 0)
    kinds: list[int] = []
    while at < end:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    if at != end:
        raise SpoiltError
    values: list[Value] = []
    for kind in kinds:
        value, at = _value(payload, at, kind)
        values.append(value)
    if at != len(payload):
        raise SpoiltError
    return tuple(values)


def _value(data: bytes, at: int, kind: int) -> tuple[Value, int]:
    """Returns the value of serial type `kind` at `at`, and where it ends. Raises SpoiltError."""
    if kind == 0:
        return None, at
    if kind in (8, 9):
        return kind - 8, at
    if kind == 7:
        return struct.unpack(">d", _cut(data, at, 8))[0], at + 8
    if size := _NUMBERS.get(kind):
        return int.from_bytes(_cut(data, at, size), "big", signed=True), at + size
    if kind < 12:
        raise SpoiltError
    size = (kind - 12) // 2
    part = _cut(data, at, size)
    return _text(part) if kind % 2 else part, at + size


def _text(data: bytes) -> str:
    try:
        return _GAP.sub("\ufffd", data.decode())
    except UnicodeDecodeError:
        return _HOLE.sub("\ufffd", data.decode(errors="replace"))
