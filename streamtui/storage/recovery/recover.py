"""Recovery of everything readable in a damaged database into a new one."""

import math
import shutil
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from streamtui.storage import schema
from streamtui.storage.recovery.page_reader import PageReader, RecoveredRow, Value

_TYPES: dict[str, tuple[type, ...]] = {"TEXT": (str,), "REAL": (float, int), "INTEGER": (int,), "BLOB": (bytes,)}


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    types: tuple[type, ...]
    nullable: bool
    is_rowid: bool

    def accepts(self, value: Value) -> bool:
        if value is None:
            return self.nullable or self.is_rowid
        return isinstance(value, self.types) and not self.is_rowid


@dataclass(frozen=True, slots=True)
class _Table:
    """A table, identified by its column types: rows don't name their table, but no two tables have the same types."""

    name: str
    columns: tuple[_Column, ...]
    """In storage order."""
    has_rowid: bool
    min_columns: int
    """The number of columns of the first version of the table, which every row has."""

    def accepts(self, row: RecoveredRow) -> bool:
        """Return whether `row` can belong to this table."""
        if (row.rowid is None) == self.has_rowid or not self.min_columns <= len(row.values) <= len(self.columns):
            return False
        return all(column.accepts(value) for column, value in zip(self.columns, row.values, strict=False))

    def insert(self, connection: sqlite3.Connection, row: RecoveredRow) -> None:
        """Insert `row` unless it exists."""
        columns = self.columns[: len(row.values)]
        values = [row.rowid if c.is_rowid else value for c, value in zip(columns, row.values, strict=True)]
        names, marks = ", ".join(c.name for c in columns), ", ".join("?" * len(columns))
        connection.execute(f"INSERT OR IGNORE INTO {self.name} ({names}) VALUES ({marks})", values)


def recover(damaged: Path, target: Path) -> int:
    """Create the database `target`, which must not exist, from what is readable in `damaged`, which is not changed.

    Return the number of recovered messages. Raise OSError and sqlite3.Error, leaving no `target` behind.
    """
    schema.create(target)
    try:
        with TemporaryDirectory(dir=target.parent, prefix="recovery-") as folder:
            pages = PageReader(_copy_with_log(damaged, Path(folder) / "copy.db"))
            with closing(sqlite3.connect(target, isolation_level=None)) as connection:
                schema.register_functions(connection)
                return _fill(connection, pages)
    except BaseException:
        target.unlink()
        raise


def _copy_with_log(damaged: Path, copy: Path) -> Path:
    """Copy a database and merge its write-ahead log into the copy, which works even if every page is damaged."""
    shutil.copyfile(damaged, copy)
    log = damaged.with_name(damaged.name + "-wal")
    if log.is_file():
        shutil.copyfile(log, copy.with_name(copy.name + "-wal"))
        with closing(sqlite3.connect(copy)) as connection, suppress(sqlite3.DatabaseError):
            # Fails if the first page is lost or the log belongs to another file; then only the file itself is used.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return copy


def _fill(connection: sqlite3.Connection, pages: PageReader) -> int:
    version = pages.version if 0 < pages.version <= len(schema.MIGRATIONS) else len(schema.MIGRATIONS)
    connection.execute("PRAGMA foreign_keys = OFF")  # a message may be found before its session
    connection.execute("BEGIN")
    tables = _create_tables(connection, version)
    for row in pages.rows():
        table = next((table for table in tables if table.accepts(row)), None)
        if table is not None:
            table.insert(connection, row)
    connection.execute(
        "UPDATE sessions SET message_count = (SELECT count(*) FROM messages WHERE session_id = sessions.id)"
    )
    connection.execute(f"PRAGMA user_version = {version}")
    connection.execute("COMMIT")
    return int(connection.execute("SELECT count(*) FROM messages").fetchone()[0])


def _create_tables(connection: sqlite3.Connection, version: int) -> list[_Table]:
    """Apply the migrations up to `version`, and return the tables except those of SQLite and the search index."""
    min_columns: dict[str, int] = {}
    for migration in schema.MIGRATIONS[:version]:
        for statement in migration:
            connection.execute(statement)
        for name, _ in _table_names(connection):
            min_columns.setdefault(name, len(_columns(connection, name, True)))
    return [
        _Table(name, _columns(connection, name, has_rowid), has_rowid, min_columns[name])
        for name, has_rowid in _table_names(connection)
    ]


def _table_names(connection: sqlite3.Connection) -> list[tuple[str, bool]]:
    """Return the names of our tables, and whether their rows have rowids."""
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    return [
        (name, "WITHOUT ROWID" not in sql)
        for name, sql in connection.execute(query)
        if not name.startswith(("message_index", "spaced_index"))
    ]


def _columns(connection: sqlite3.Connection, table: str, has_rowid: bool) -> tuple[_Column, ...]:
    """Return the columns in storage order: in a table without rowids, those of the primary key come first."""
    rows = connection.execute(f"PRAGMA table_info({table})").fetchall()
    if not has_rowid:
        rows.sort(key=lambda row: row[5] or math.inf)
    return tuple(
        _Column(name, _TYPES[type_], not (required or key), has_rowid and bool(key) and type_ == "INTEGER")
        for _, name, type_, required, _, key in rows
    )
