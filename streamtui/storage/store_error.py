"""Descriptions of database errors for the user: what happened, to which file, and what to do."""

import errno
import os
import sqlite3
from pathlib import Path
from tempfile import NamedTemporaryFile

from streamtui.core.sanitize import clean_line

_FULL = "no space left for {path}; free some disk space"
_READ_ONLY = "{path} isn't writable; check the permissions of the file and its folder"
_UNREADABLE = "{path} isn't readable; check the permissions of the file and its folder"
_LOCKED = "{path} is locked by another program; close it"
_NO_LOCKS = "{path} is on a disk without file locks; set XDG_DATA_HOME to a folder on another disk"
_DAMAGED = "{path} is damaged; run “streamtui sessions check --repair”, which keeps a copy"
_INDEX = "the search index in {path} is damaged; run “streamtui sessions check --repair”"
_NOT_A_DATABASE = "{path} is damaged or not a database; run “streamtui sessions check --repair”, or move the file"
_FOLDER = "{path} is a folder; move or rename it"
_UNOPENABLE = "{path} can't be opened; check that its folder exists and is accessible"
_IO_ERROR = "disk I/O error on {path}; check that the disk is connected and not full"
_UNKNOWN = "SQLite error on {path}: {error}"

_BY_SQLITE = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _NOT_A_DATABASE,
    sqlite3.SQLITE_CANTOPEN: _UNOPENABLE,
    sqlite3.SQLITE_IOERR: _IO_ERROR,
}
_BY_ERRNO = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _FULL,
    errno.EROFS: _READ_ONLY,
    errno.EACCES: _READ_ONLY,
    errno.EPERM: _READ_ONLY,
    errno.EIO: _IO_ERROR,
}


class StoreError(Exception):
    """Saved data can't be read. The message is one sanitized sentence for the user."""


class SchemaError(Exception):
    """The database must not be used by this version. The message is a clause like those of `describe`."""


DatabaseError = sqlite3.Error | OSError | SchemaError | UnicodeDecodeError
DATABASE_ERRORS = (sqlite3.Error, OSError, SchemaError, UnicodeDecodeError)
"""What any use of a database may raise; UnicodeDecodeError if SQLite quotes damaged text in an error message."""


def describe(error: DatabaseError, path: Path) -> str:
    """Return a sanitized clause that says what happened to the database `path` and what to do, without a period."""
    if isinstance(error, SchemaError):
        return str(error)
    if isinstance(error, UnicodeDecodeError):
        return _DAMAGED.format(path=clean_line(str(path)))
    pattern = _by_errno(error) if isinstance(error, OSError) else _by_code(error)
    if pattern in (_UNOPENABLE, _READ_ONLY) and _is_unreadable(path):
        pattern = _UNREADABLE
    elif pattern == _UNOPENABLE:
        pattern, path = _why_unopenable(path)
    elif pattern in (_LOCKED, _IO_ERROR) and not _has_locks(path):
        pattern = _NO_LOCKS
    return pattern.format(path=clean_line(str(path)), error=clean_line(str(error)))


def primary_code(error: sqlite3.Error) -> int:
    """Return SQLite's primary result code, which is the low byte of an extended one, or -1 if there is none."""
    code = getattr(error, "sqlite_errorcode", -1)
    return int(code) & 0xFF if code != -1 else -1


def is_undecodable(error: sqlite3.Error) -> bool:
    """Return whether a column contains text that isn't UTF-8; Python's sqlite3 has no error code for that."""
    return str(error).startswith("Could not decode to UTF-8")


def unreadable_notice(parts: int) -> str:
    """Return a notice for a session with `parts` unreadable values (`Session.unreadable`), "" for none."""
    where = "1 place" if parts == 1 else f"{parts:,} places"
    return f"This session is damaged in {where}. To fix it, run “streamtui sessions check --repair”." if parts else ""


def _by_errno(error: OSError) -> str:
    return _BY_ERRNO.get(error.errno or 0, _UNOPENABLE)


def _by_code(error: sqlite3.Error) -> str:
    if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_CORRUPT_VTAB:
        return _INDEX
    if is_undecodable(error):  # a damaged page
        return _DAMAGED
    return _BY_SQLITE.get(primary_code(error), _UNKNOWN)


def _is_unreadable(path: Path) -> bool:
    """Return whether the permissions of the file or a parent folder forbid reading."""
    try:
        path.stat()
    except PermissionError:
        return True
    except OSError:
        return False
    return path.is_file() and not os.access(path, os.R_OK)


def _why_unopenable(path: Path) -> tuple[str, Path]:
    """Return why and which file can't be opened; SQLite only says “unable to open database file”."""
    for file in (path, *(Path(f"{path}{end}") for end in ("-wal", "-shm", "-journal"))):
        if file.is_dir():
            return _FOLDER, file
    if path.parent.is_dir() and not os.access(path.parent, os.W_OK):
        return _READ_ONLY, path
    return _UNOPENABLE, path


def _has_locks(path: Path) -> bool:
    """Return whether files next to `path` can be locked; SQLite reports a disk without locks as busy or broken."""
    try:
        import fcntl

        with NamedTemporaryFile(dir=path.parent, prefix=path.name) as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:  # Windows always has locks
        return True
    except OSError as error:
        return error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)
    return True
