"""What went wrong with the database, in a clause for the user: what happened, to which file, what to do."""

import errno
import os
import sqlite3
from pathlib import Path

from streamtui.sanitize import clean_line

_FULL = "the disk has no room for {path}; free some space"
_READ_ONLY = "{path} can't be written; check the permissions of the file and of its folder"
_LOCKED = "{path} is locked by another program; close that program"
_DAMAGED = "{path} is damaged; move it and the files beside it to a safe place, or put a backup in its place"
_FOREIGN = "{path} is not a database; move it away or name another file"
_FOLDER = "{path} is a folder; move it away or name another file"
_CLOSED = "{path} can't be opened; check that its folder exists and lets you in"
_BROKEN = "the disk refuses to read or write {path}; check that it is not full and still there"
_OTHER = "SQLite reports “{error}” for {path}; try again"

_BY_SQLITE = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _FOREIGN,
    sqlite3.SQLITE_CANTOPEN: _CLOSED,
    sqlite3.SQLITE_IOERR: _BROKEN,
}
_BY_ERRNO = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _FULL,
    errno.EROFS: _READ_ONLY,
    errno.EACCES: _READ_ONLY,
    errno.EPERM: _READ_ONLY,
    errno.EIO: _BROKEN,
}


class StoreError(Exception):
    """Why something saved can't be read, in one clean sentence that says what happened and what to do."""


class SchemaError(Exception):
    """A database this version may not touch; the text is a clause like those of `describe`."""


def describe(error: sqlite3.Error | OSError | SchemaError, path: Path) -> str:
    """Returns what `error` means for the database `path`: one clean clause, with what to do, no full stop."""
    if isinstance(error, SchemaError):
        return str(error)
    pattern = _BY_SQLITE.get(primary_code(error)) if isinstance(error, sqlite3.Error) else None
    if isinstance(error, OSError):
        pattern = _BY_ERRNO.get(error.errno or 0, _CLOSED)
    if pattern == _CLOSED:
        pattern = _why_closed(path)
    return (pattern or _OTHER).format(path=clean_line(str(path)), error=clean_line(str(error)))


def primary_code(error: sqlite3.Error) -> int:
    """Returns SQLite's primary result code (without the extension in its upper bits), -1 if there is none."""
    code = getattr(error, "sqlite_errorcode", -1)
    return int(code) & 0xFF if code != -1 else -1


def _why_closed(path: Path) -> str:
    """SQLite only says “unable to open database file”; the reason is easy to see."""
    if path.is_dir():
        return _FOLDER
    if path.parent.is_dir() and not os.access(path.parent, os.W_OK):
        return _READ_ONLY
    return _CLOSED
