"""How a connection to the database is opened, on whatever file system it is."""

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
"""Seconds to wait for another process to bring the database up to date: 200,000 messages take about 30."""


_ROOM = 100_000
"""Bytes that must be free on a disk with small blocks."""
_NO_SHARED_MEMORY = (
    sqlite3.SQLITE_IOERR_SHMOPEN, sqlite3.SQLITE_IOERR_SHMSIZE,
    sqlite3.SQLITE_IOERR_SHMLOCK, sqlite3.SQLITE_IOERR_SHMMAP,
)  # fmt: skip


_UNWRITABLE = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)


class FrozenView(sqlite3.Connection):
    """A connection to a file that can't be written; it doesn't notice changes, so it is good for one look."""


def connect(path: Path) -> sqlite3.Connection:
    """Opens the database for writing, made or brought up to date first; for the calling thread only.

    Raises sqlite3.Error, OSError or SchemaError; then nothing that existed was changed.
    """
    path = Path(os.path.realpath(path))  # where a link leads nowhere, SQLite would make the file, readable by all
    schema.create(path)
    try:
        return _connect(path)
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", 0) not in _NO_SHARED_MEMORY:
            raise
    _leave_wal(path)
    return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    _mind_small_blocks(path)
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None)
    connection.text_factory = row_values.decoded
    try:
        schema.teach(connection)
        connection.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten
        if schema.version_of(connection, path) < len(schema.MIGRATIONS):
            _bring_up_to_date(connection, path)
        permissions.close(path)
        _use_wal(connection, path)
        # Before the disk's own cache is emptied, macOS calls a file synced; other systems don't know these settings.
        connection.execute("PRAGMA fullfsync = ON")
        connection.execute("PRAGMA checkpoint_fullfsync = ON")
        connection.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _bring_up_to_date(connection: sqlite3.Connection, path: Path) -> None:
    """Another process may be at it already, which can take a minute."""
    connection.execute(f"PRAGMA busy_timeout = {int(MIGRATION_TIMEOUT * 1000)}")
    schema.migrate(connection, path)
    connection.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT * 1000)}")


def connect_for_reading(path: Path) -> sqlite3.Connection:
    """Opens the database for reading, also where nothing can be written. Raises like `connect`."""
    try:
        connection = connect(path)
    except (sqlite3.OperationalError, OSError) as error:
        connection = _connect_unwritable(path, error)
        if schema.version_of(connection, path) < len(schema.MIGRATIONS):
            connection.close()
            raise
    connection.text_factory = str  # 40 times as fast; `Reader` changes it where a column can't be decoded
    connection.execute("PRAGMA query_only = ON")
    return connection


def _connect_unwritable(path: Path, error: sqlite3.OperationalError | OSError) -> sqlite3.Connection:
    """WAL wants to write even to read; without a log beside it, the file itself is all there is.

    Raises `error` where it says something else, or where that won't do.
    """
    log = path.with_name(path.name + "-wal")
    is_other = isinstance(error, sqlite3.Error) and primary_code(error) not in _UNWRITABLE
    if is_other or not path.is_file() or (log.exists() and log.stat().st_size):
        raise error
    return _opened(path, "immutable=1", FrozenView)


def connect_as_it_is(path: Path, *, keep_log: bool = False) -> sqlite3.Connection:
    """Opens a database that exists, whatever its version, and brings nothing up to date. Raises like `connect`.

    Whoever closes it last works the log in and removes the files beside it, unless `keep_log`.
    """
    log = path.with_name(path.name + "-wal")
    mode = "ro" if keep_log and log.is_file() and log.stat().st_size else "rw"
    try:
        return _opened(path, f"mode={mode}")
    except sqlite3.OperationalError as error:
        return _connect_unwritable(path, error)


def _opened(path: Path, how: str, kind: type[sqlite3.Connection] = sqlite3.Connection) -> sqlite3.Connection:
    address = f"{path.absolute().as_uri()}?{how}"
    connection = sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT, isolation_level=None, factory=kind)
    connection.text_factory = row_values.decoded
    try:
        schema.teach(connection)
        schema.version_of(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _use_wal(connection: sqlite3.Connection, path: Path) -> None:
    """Switches to the write-ahead log, where it can be had. The switch ignores the busy timeout."""
    deadline = time.monotonic() + BUSY_TIMEOUT
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal" and _shares_memory(path):
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if primary_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _shares_memory(path: Path) -> bool:
    """Whether processes can share memory through files beside `path`, as the log asks for. Network folders and those
    that a virtual machine shares with its host often can't; there the old journal does: slower, as safe.
    """
    with NamedTemporaryFile(dir=path.parent, prefix=path.name) as file:
        file.truncate(mmap.PAGESIZE)
        try:
            mmap.mmap(file.fileno(), mmap.PAGESIZE).close()
        except OSError:
            return False
    return True


def _mind_small_blocks(path: Path) -> None:
    """Raises OSError where the disk is full and its blocks are small.

    SQLite makes sure of a block for every page of memory it shares, 4 KB. A disk that is full with smaller blocks
    has no room for the rest of such a page, and the first use of it ends the program by SIGBUS.
    """
    if hasattr(os, "statvfs"):
        disk = os.statvfs(path.parent)
        if disk.f_blocks and disk.f_frsize < 4096 and disk.f_bavail * disk.f_frsize < _ROOM:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _leave_wal(path: Path) -> None:
    """Works in the log of a database that came from elsewhere, and does without one from now on.

    Alone with the file, SQLite needs no shared memory for that. Raises sqlite3.Error.
    """
    with closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None)) as connection:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = DELETE").fetchone()
