"""Salvage: what can be read of a damaged database, put into a new one."""

import math
import shutil
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from streamtui.storage import schema
from streamtui.storage.recovery.page_reader import Found, Pages, Value

_KINDS: dict[str, tuple[type, ...]] = {"TEXT": (str,), "REAL": (float, int), "INTEGER": (int,), "BLOB": (bytes,)}


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    kinds: tuple[type, ...]
    nullable: bool
    is_rowid: bool

    def fits(self, value: Value) -> bool:
        if value is None:
            return self.nullable or self.is_rowid
        return isinstance(value, self.kinds) and not self.is_rowid


@dataclass(frozen=True, slots=True)
class _Table:
    """A table, known by the kinds of its values: a row does not say whose it is, but no two tables are alike."""

    name: str
    columns: tuple[_Column, ...]
    """In the order they are stored in."""
    has_rowid: bool
    least: int
    """So many columns the table had at first; no row has fewer."""

    def fits(self, row: Found) -> bool:
        """Whether `row` may be one of this table's."""
        if (row.rowid is None) == self.has_rowid or not self.least <= len(row.values) <= len(self.columns):
            return False
        return all(column.fits(value) for column, value in zip(self.columns, row.values, strict=False))

    def insert(self, connection: sqlite3.Connection, row: Found) -> None:
        """Puts `row` into the table unless it is there."""
        columns = self.columns[: len(row.values)]
        values = [row.rowid if c.is_rowid else value for c, value in zip(columns, row.values, strict=True)]
        names, marks = ", ".join(c.name for c in columns), ", ".join("?" * len(columns))
        connection.execute(f"INSERT OR IGNORE INTO {self.name} ({names}) VALUES ({marks})", values)


def salvage(damaged: Path, target: Path) -> int:
    """Makes the database `target`, which must not exist, of what can be read of `damaged`, which is not touched.

    Returns how many messages came through. Raises OSError and sqlite3.Error; then nothing is left of `target`.
    """
    schema.create(target)
    try:
        with TemporaryDirectory(dir=target.parent, prefix="salvage-") as folder:
            pages = Pages(_whole(damaged, Path(folder) / "copy.db"))
            with closing(sqlite3.connect(target, isolation_level=None)) as connection:
                schema.teach(connection)
                return _fill(connection, pages)
    except BaseException:
        target.unlink()
        raise


def _whole(damaged: Path, copy: Path) -> Path:
    """Copies a database with its write-ahead log and works the log in, which needs no sound page."""
    shutil.copyfile(damaged, copy)
    log = damaged.with_name(damaged.name + "-wal")
    if log.is_file():
        shutil.copyfile(log, copy.with_name(copy.name + "-wal"))
        with closing(sqlite3.connect(copy)) as connection, suppress(sqlite3.DatabaseError):
            # Where even this fails (the first page is gone, the log is another's), the file alone has to do.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return copy


def _fill(connection: sqlite3.Connection, pages: Pages) -> int:
    version = pages.version if 0 < pages.version <= len(schema.MIGRATIONS) else len(schema.MIGRATIONS)
    connection.execute("PRAGMA foreign_keys = OFF")  # a message may stand before its session
    connection.execute("BEGIN")
    tables = _make_tables(connection, version)
    for row in pages.rows():
        table = next((table for table in tables if table.fits(row)), None)
        if table is not None:
            table.insert(connection, row)
    connection.execute(
        "UPDATE sessions SET message_count = (SELECT count(*) FROM messages WHERE session_id = sessions.id)"
    )
    connection.execute(f"PRAGMA user_version = {version}")
    connection.execute("COMMIT")
    return int(connection.execute("SELECT count(*) FROM messages").fetchone()[0])


def _make_tables(connection: sqlite3.Connection, version: int) -> list[_Table]:
    """Takes the steps up to `version`, and returns the tables they make: not SQLite's own, not the index's."""
    least: dict[str, int] = {}
    for step in schema.MIGRATIONS[:version]:
        for statement in step:
            connection.execute(statement)
        for name, _ in _made(connection):
            least.setdefault(name, len(_columns(connection, name, True)))
    return [_Table(name, _columns(connection, name, rowid), rowid, least[name]) for name, rowid in _made(connection)]


def _made(connection: sqlite3.Connection) -> list[tuple[str, bool]]:
    """The names of our tables, and whether their rows have a number."""
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    made = connection.execute(query).fetchall()
    return [
        (name, "WITHOUT ROWID" not in sql)
        for name, sql in made
        if not name.startswith(("message_index", "spaced_index"))
    ]


def _columns(connection: sqlite3.Connection, table: str, has_rowid: bool) -> tuple[_Column, ...]:
    """Without a rowid the columns of the primary key are stored first."""
    rows = connection.execute(f"PRAGMA table_info({table})").fetchall()
    if not has_rowid:
        rows.sort(key=lambda row: row[5] or math.inf)
    return tuple(
        _Column(name, _KINDS[kind], not (required or key), has_rowid and bool(key) and kind == "INTEGER")
        for _, name, kind, required, _, key in rows
    )
