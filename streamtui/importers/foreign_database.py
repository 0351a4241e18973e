"""A database of another program, opened so that nothing in it or beside it changes."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from streamtui.core.sanitize import clean_line
from streamtui.core.transfer_error import TransferError

MAGIC = b"SQLite format 3\x00"
"""The first bytes of every SQLite file."""


class Database:
    """Tables of a file whose columns differ from version to version."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.path = path
        self._connection = connection
        self._columns: dict[str, frozenset[str]] = {}

    @property
    def application(self) -> int:
        """The number by which a program marks its files; 0 where it does not."""
        return int(self._connection.execute("PRAGMA application_id").fetchone()[0])

    def columns(self, table: str) -> frozenset[str]:
        """Returns the names of the columns of `table`; none where there is no such table. A view is none."""
        if table not in self._columns:
            query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
            is_table = self._connection.execute(query, (table,)).fetchone()
            found = self._connection.execute("SELECT name FROM pragma_table_info(?)", (table,)) if is_table else ()
            self._columns[table] = frozenset(str(name) for (name,) in found)
        return self._columns[table]

    def rows(self, table: str, names: str, rest: str = "", *parameters: object) -> Iterator[dict[str, Any]]:
        """Yields the columns `names` of `table`, each None where it is missing.

        `rest` is SQL behind the table's name; it may use any of `names` that every version has.
        """
        there = [name for name in names.split() if name in self.columns(table)]
        if not there:
            return
        quoted = ", ".join(f'{table}."{name}"' for name in there)
        missing = dict.fromkeys(names.split())
        for row in self._connection.execute(f"SELECT {quoted} FROM {table} {rest}", parameters):
            yield {**missing, **dict(zip(there, row, strict=True))}


@contextmanager
def open_database(path: Path) -> Iterator[Database]:
    """Opens the file `path` for reading. Raises TransferError where it can't be read as a database, also later."""
    connection = None
    try:
        connection = _connect(path)
        connection.text_factory = lambda data: data.decode("utf-8", "replace")
        # The file is not ours: nothing in its schema may run functions with effects.
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA query_only = ON")
        yield Database(connection, path)
    except sqlite3.Error as error:
        raise TransferError(f"{clean_line(str(path))} can't be read: {clean_line(str(error))}.") from error
    finally:
        if connection is not None:
            connection.close()


def _connect(path: Path) -> sqlite3.Connection:
    """Even for reading, SQLite makes files beside a database with a write-ahead log, and leaves them there. Where
    nobody has the database open there is no log, and it can be read as a file that does not change.
    """
    with path.open("rb") as file:
        uses_log = file.read(20)[18:] == b"\x02\x02"
    log = path.with_name(path.name + "-wal")
    still = uses_log and not (log.exists() and log.stat().st_size)
    return sqlite3.connect(f"{path.absolute().as_uri()}?{'immutable=1' if still else 'mode=ro'}", uri=True)
