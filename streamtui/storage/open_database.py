"""Opening connections to the database on any kind of file system."""

import errno
import mmap
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from tempfile import NamedTemporaryFile

from streamtui.storage import permissions, row_values, schema
from streamtui.storage.store_error import primary_code

BUSY_TIMEOUT = 5.0
"""Seconds to wait for another process to finish writing."""
MIGRATION_TIMEOUT = 120.0
"""Seconds to wait for another process to migrate the database: 200,000 messages take about 30."""

_MIN_FREE = 100_000
"""Bytes that must be free on a disk with small blocks."""
_NO_SHARED_MEMORY = (
    sqlite3.SQLITE_IOERR_SHMOPEN, sqlite3.SQLITE_IOERR_SHMSIZE,
    sqlite3.SQLITE_IOERR_SHMLOCK, sqlite3.SQLITE_IOERR_SHMMAP,
)  # fmt: skip
_UNWRITABLE = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)


class ImmutableConnection(sqlite3.Connection):
    """A connection to a file that can't be written. It doesn't notice changes, so use it for one query only."""


def connect(path: Path) -> sqlite3.Connection:
    """Open the database for writing on the calling thread only, after creating or migrating it if needed.

    Raise sqlite3.Error, OSError or SchemaError; existing files are unchanged then.
    """
    path = Path(os.path.realpath(path))  # for a dangling link, SQLite itself would create a file readable by all
    schema.create(path)
    try:
        return _connect(path)
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", 0) not in _NO_SHARED_MEMORY:
            raise
    _leave_wal(path)
    return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    _check_small_blocks(path)
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None)
    connection.text_factory = row_values.decode
    try:
        schema.register_functions(connection)
        connection.execute("PRAGMA secure_delete = ON")  # overwrite deleted data
        if schema.version_of(connection, path) < len(schema.MIGRATIONS):
            _migrate(connection, path)
        permissions.restrict(path)
        _use_wal(connection, path)
        # macOS reports a file as synced before the disk's cache is flushed; other systems ignore these settings.
        connection.execute("PRAGMA fullfsync = ON")
        connection.execute("PRAGMA checkpoint_fullfsync = ON")
        connection.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Migrate the database, or wait up to `MIGRATION_TIMEOUT` for a process that is already migrating it."""
    connection.execute(f"PRAGMA busy_timeout = {int(MIGRATION_TIMEOUT * 1000)}")
    schema.migrate(connection, path)
    connection.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT * 1000)}")


def connect_for_reading(path: Path) -> sqlite3.Connection:
    """Open the database for reading, even if nothing can be written. Raise the same errors as `connect`."""
    try:
        connection = connect(path)
    except (sqlite3.OperationalError, OSError) as error:
        connection = _connect_unwritable(path, error)
        if schema.version_of(connection, path) < len(schema.MIGRATIONS):
            connection.close()
            raise
    connection.text_factory = str  # 40 times as fast; `Reader` switches to `decode` if a column isn't UTF-8
    connection.execute("PRAGMA query_only = ON")
    return connection


def _connect_unwritable(path: Path, error: sqlite3.OperationalError | OSError) -> sqlite3.Connection:
    """Open a file that can't be written: WAL mode needs to write even for reading.

    Raise `error` if it has another cause, or if a write-ahead log has data that would be missed.
    """
    log = path.with_name(path.name + "-wal")
    is_other = isinstance(error, sqlite3.Error) and primary_code(error) not in _UNWRITABLE
    if is_other or not path.is_file() or (log.exists() and log.stat().st_size):
        raise error
    return _open_uri(path, "immutable=1", ImmutableConnection)


def connect_unmigrated(path: Path, *, keep_log: bool = False) -> sqlite3.Connection:
    """Open an existing database of any version without migrating it. Raise the same errors as `connect`.

    Closing the last connection merges and removes the write-ahead log, unless `keep_log`.
    """
    log = path.with_name(path.name + "-wal")
    mode = "ro" if keep_log and log.is_file() and log.stat().st_size else "rw"
    try:
        return _open_uri(path, f"mode={mode}")
    except sqlite3.OperationalError as error:
        return _connect_unwritable(path, error)


def _open_uri(
    path: Path, parameters: str, factory: type[sqlite3.Connection] = sqlite3.Connection
) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?{parameters}"
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT, isolation_level=None, factory=factory)
    connection.text_factory = row_values.decode
    try:
        schema.register_functions(connection)
        schema.version_of(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _use_wal(connection: sqlite3.Connection, path: Path) -> None:
    """Switch to the write-ahead log where possible. SQLite ignores the busy timeout for this."""
    deadline = time.monotonic() + BUSY_TIMEOUT
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal" and _supports_shared_memory(path):
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if primary_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _supports_shared_memory(path: Path) -> bool:
    """Return whether files next to `path` can be memory-mapped, which the write-ahead log requires.

    Network folders and folders shared with a virtual machine often can't; the rollback journal works there, slower
    but just as safe.
    """
    with NamedTemporaryFile(dir=path.parent, prefix=path.name) as file:
        file.truncate(mmap.PAGESIZE)
        try:
            mmap.mmap(file.fileno(), mmap.PAGESIZE).close()
        except OSError:
            return False
    return True


def _check_small_blocks(path: Path) -> None:
    """Raise OSError if the disk is full and has small blocks.

    SQLite reserves one block for each 4 KB page of shared memory. On a full disk with smaller blocks the rest of the
    page has no space, and the first access to it kills the program with SIGBUS.
    """
    if hasattr(os, "statvfs"):
        disk = os.statvfs(path.parent)
        if disk.f_blocks and disk.f_frsize < 4096 and disk.f_bavail * disk.f_frsize < _MIN_FREE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _leave_wal(path: Path) -> None:
    """Merge the write-ahead log of a database copied from elsewhere, and switch to the rollback journal.

    With exclusive access SQLite needs no shared memory for this. Raise sqlite3.Error.
    """
    with closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None)) as connection:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = DELETE").fetchone()
