"""Reading rows from the leaf pages of a damaged database file, without the trees that lead to them.

SQLite stops at the first page it can't read, and a damaged page near the root hides everything below it. The rows
themselves are in leaf pages, which can be read without any other page (https://sqlite.org/fileformat2.html).
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

Value = None | int | float | str | bytes
Row = tuple[Value, ...]

_MAGIC = b"SQLite format 3\0"
_TABLE_LEAF, _INDEX_LEAF, _INDEX_INTERIOR = 0x0D, 0x0A, 0x02
_HEADER_SIZES = {_TABLE_LEAF: 8, _INDEX_LEAF: 8, _INDEX_INTERIOR: 12}  # bytes; interior pages of an index have rows too
_PAGE_SIZE = 4096  # SQLite's default, for a file whose first page is lost
_GAP, _HOLE = re.compile("\0+"), re.compile("[\0\ufffd]+")  # sanitized text has no NUL
_INTEGER_SIZES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}  # bytes by serial type


class CorruptPageError(Exception):
    """A page or a row is invalid."""


@dataclass(frozen=True, slots=True)
class RecoveredRow:
    """A row read from a page."""

    rowid: int | None
    """None in an index and in a table without rowids."""
    values: Row
    """As stored: the rowid column is None, and columns added later may be missing at the end.

    Lost pages are U+FFFD in text, and zeros in other values.
    """


class PageReader:
    """The pages of a database file that nobody writes, and whose write-ahead log was merged or is lost."""

    def __init__(self, path: Path) -> None:
        """Read the header of `path`. Raise OSError."""
        self._path = path
        with path.open("rb") as file:
            header = file.read(100)
        valid = len(header) == 100 and header.startswith(_MAGIC)
        size = int.from_bytes(header[16:18], "big") if valid else _PAGE_SIZE
        self.size = 65_536 if size == 1 else size
        if self.size < 512 or self.size & (self.size - 1):
            self.size = _PAGE_SIZE
        self.usable = self.size - (header[20] if valid and header[20] <= 32 else 0)
        self.version = int.from_bytes(header[60:64], "big") if valid else 0
        """`PRAGMA user_version`, 0 if the first page is lost."""
        self.count = -(-path.stat().st_size // self.size)
        self._first_free = int.from_bytes(header[32:36], "big") if valid else 0

    def rows(self) -> Iterator[RecoveredRow]:
        """Yield every readable row of all tables and indexes."""
        free = self._free_pages()
        with self._path.open("rb") as self._file:
            for number in range(1, self.count + 1):
                if number not in free:
                    yield from self._page_rows(number)

    def _free_pages(self) -> set[int]:
        """Return the numbers of unused pages, which contain deleted rows."""
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

    def _page_rows(self, number: int) -> Iterator[RecoveredRow]:
        page = self._page(number)
        start = 100 if number == 1 else 0
        kind = page[start]
        if kind not in _HEADER_SIZES:
            return
        cells = min(int.from_bytes(page[start + 3 : start + 5], "big"), self.usable // 4)
        for cell in struct.unpack_from(f">{cells}H", page, start + _HEADER_SIZES[kind]):
            try:
                yield self._cell(page, cell + 4 * (kind == _INDEX_INTERIOR), kind == _TABLE_LEAF)
            except (CorruptPageError, IndexError, struct.error):
                continue  # the next cell may be valid

    def _cell(self, page: bytes, offset: int, in_table: bool) -> RecoveredRow:
        length, offset = _varint(page, offset)
        rowid = None
        if in_table:
            rowid, offset = _varint(page, offset)
        return RecoveredRow(rowid, _record(self._payload(page, offset, length, in_table)))

    def _payload(self, page: bytes, offset: int, length: int, in_table: bool) -> bytes:
        """Return the payload of a cell; the end of a long one is in a chain of overflow pages."""
        usable = self.usable
        largest = usable - 35 if in_table else (usable - 12) * 64 // 255 - 23
        if length <= largest:
            return _slice(page, offset, length)
        smallest = (usable - 12) * 32 // 255 - 23
        local = smallest + (length - smallest) % (usable - 4)
        local = local if local <= largest else smallest
        if length > self.count * self.size:
            raise CorruptPageError
        parts = [_slice(page, offset, local)]
        number, missing = int.from_bytes(_slice(page, offset + local, 4), "big"), length - local
        while missing > 0:
            if not 0 < number <= self.count:  # the chain is broken, but half a message is better than none
                parts.append(bytes(missing))
                break
            page = self._page(number)
            part = page[4 : 4 + min(missing, usable - 4)]
            parts.append(part)
            missing -= len(part)
            number = int.from_bytes(page[:4], "big")
        return b"".join(parts)


def _slice(data: bytes, offset: int, length: int) -> bytes:
    part = data[offset : offset + length]
    if len(part) < length:
        raise CorruptPageError
    return part


def _varint(data: bytes, offset: int) -> tuple[int, int]:
    """Return the variable-length integer at `offset`, and the offset after it."""
    value = 0
    for i in range(8):
        byte = data[offset + i]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, offset + i + 1
    value = value << 8 | data[offset + 8]
    return value - (1 << 64) if value >> 63 else value, offset + 9


def _record(payload: bytes) -> Row:
    end, offset = _varint(payload, 0)
    types: list[int] = []
    while offset < end:
        type_, offset = _varint(payload, offset)
        types.append(type_)
    if offset != end:
        raise CorruptPageError
    values: list[Value] = []
    for type_ in types:
        value, offset = _value(payload, offset, type_)
        values.append(value)
    if offset != len(payload):
        raise CorruptPageError
    return tuple(values)


def _value(data: bytes, offset: int, type_: int) -> tuple[Value, int]:
    """Return the value of a serial type at `offset`, and the offset after it. Raise CorruptPageError."""
    if type_ == 0:
        return None, offset
    if type_ in (8, 9):
        return type_ - 8, offset
    if type_ == 7:
        return struct.unpack(">d", _slice(data, offset, 8))[0], offset + 8
    if size := _INTEGER_SIZES.get(type_):
        return int.from_bytes(_slice(data, offset, size), "big", signed=True), offset + size
    if type_ < 12:
        raise CorruptPageError
    size = (type_ - 12) // 2
    part = _slice(data, offset, size)
    return _text(part) if type_ % 2 else part, offset + size


def _text(data: bytes) -> str:
    try:
        return _GAP.sub("\ufffd", data.decode())
    except UnicodeDecodeError:
        return _HOLE.sub("\ufffd", data.decode(errors="replace"))
