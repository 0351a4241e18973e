"""Read another program's SQLite database without changing it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from streamtui.core.sanitize import clean_line
from streamtui.core.transfer_error import TransferError

MAGIC = b"SQLite format 3\x00"
"""The magic number of SQLite files."""


class Database:
    """A database whose columns may differ between versions of the program."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.path = path
        self._connection = connection
        self._columns: dict[str, frozenset[str]] = {}

    @property
    def application(self) -> int:
        """The application id in the file header; 0 if unset."""
        return int(self._connection.execute("PRAGMA application_id").fetchone()[0])

    def columns(self, table: str) -> frozenset[str]:
        """Return the column names of `table`; none if it does not exist or is a view."""
        if table not in self._columns:
            query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
            is_table = self._connection.execute(query, (table,)).fetchone()
            found = self._connection.execute("SELECT name FROM pragma_table_info(?)", (table,)) if is_table else ()
            self._columns[table] = frozenset(str(name) for (name,) in found)
        return self._columns[table]

    def rows(self, table: str, names: str, rest: str = "", *parameters: object) -> Iterator[dict[str, Any]]:
        """Yield rows of `table` with the columns `names`; missing columns are None.

        `rest` is the SQL after the table name; it may only use columns that every version has.
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
    """Open a database for reading. Raises TransferError, also for errors inside the block."""
    connection = None
    try:
        connection = _connect(path)
        connection.text_factory = lambda data: data.decode("utf-8", "replace")
        # The file is untrusted: its schema must not run functions with side effects.
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA query_only = ON")
        yield Database(connection, path)
    except sqlite3.Error as error:
        raise TransferError(f"Can't read {clean_line(str(path))}: {clean_line(str(error))}.") from error
    finally:
        if connection is not None:
            connection.close()


def _connect(path: Path) -> sqlite3.Connection:
    """Connect without leaving files behind.

    SQLite creates files next to a database in WAL mode even for reading. Without a log, no other program has the
    database open, so it can be opened as immutable.
    """
    with path.open("rb") as file:
        uses_log = file.read(20)[18:] == b"\x02\x02"
    log = path.with_name(path.name + "-wal")
    still = uses_log and not (log.exists() and log.stat().st_size)
    return sqlite3.connect(f"{path.absolute().as_uri()}?{'immutable=1' if still else 'mode=ro'}", uri=True)
