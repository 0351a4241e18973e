"""What went wrong with the database, in a clause for the user: what happened, to which file, what to do."""

import errno
import os
import sqlite3
from pathlib import Path
from tempfile import NamedTemporaryFile

from streamtui.core.sanitize import clean_line

_FULL = "the disk has no room for {path}; free some space"
_READ_ONLY = "{path} can't be written; check the permissions of the file and of its folder"
_UNREADABLE = "{path} can't be read; check the permissions of the file and of its folder"
_LOCKED = "{path} is locked by another program; close that program"
_NO_LOCKS = "{path} is on a disk without file locks; keep it on another one, by setting XDG_DATA_HOME"
_DAMAGED = "{path} is damaged; repair it by “streamtui sessions check --repair”, which keeps the damaged one"
_INDEX = "the search index in {path} is damaged; repair it by “streamtui sessions check --repair”"
_FOREIGN = "{path} is not a database, or damaged; try “streamtui sessions check --repair”, or move it away"
_FOLDER = "{path} is a folder; move it away"
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


ErrorKind = sqlite3.Error | OSError | SchemaError | UnicodeDecodeError
TROUBLE = (sqlite3.Error, OSError, SchemaError, UnicodeDecodeError)
"""What any use of a database may raise. Python can't decode what SQLite says of a damaged one, if it quotes it."""


def describe(error: ErrorKind, path: Path) -> str:
    """Returns what `error` means for the database `path`: one clean clause, with what to do, no full stop."""
    if isinstance(error, SchemaError):
        return str(error)
    if isinstance(error, UnicodeDecodeError):
        return _DAMAGED.format(path=clean_line(str(path)))
    pattern = _by_errno(error) if isinstance(error, OSError) else _by_code(error)
    if pattern in (_CLOSED, _READ_ONLY) and _is_unreadable(path):
        pattern = _UNREADABLE
    elif pattern == _CLOSED:
        pattern, path = _why_closed(path)
    elif pattern in (_LOCKED, _BROKEN) and not _has_locks(path):
        pattern = _NO_LOCKS
    return pattern.format(path=clean_line(str(path)), error=clean_line(str(error)))


def primary_code(error: sqlite3.Error) -> int:
    """Returns SQLite's primary result code (without the extension in its upper bits), -1 if there is none."""
    code = getattr(error, "sqlite_errorcode", -1)
    return int(code) & 0xFF if code != -1 else -1


def is_undecodable(error: sqlite3.Error) -> bool:
    """Whether a column holds text that is not UTF-8. Python's sqlite3 has no code for it."""
    return str(error).startswith("Could not decode to UTF-8")


def unreadable_notice(parts: int) -> str:
    """Returns a sentence for a session of which `Session.unreadable` parts can't be read in full; "" for none."""
    where = "1 place" if parts == 1 else f"{parts:,} places"
    remedy = "the rest is shown, and “streamtui sessions check --repair” fixes it"
    return f"Another program damaged this session in {where}: {remedy}." if parts else ""


def _by_errno(error: OSError) -> str:
    return _BY_ERRNO.get(error.errno or 0, _CLOSED)


def _by_code(error: sqlite3.Error) -> str:
    if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_CORRUPT_VTAB:
        return _INDEX
    if is_undecodable(error):  # a page that holds other bytes now
        return _DAMAGED
    return _BY_SQLITE.get(primary_code(error), _OTHER)


def _is_unreadable(path: Path) -> bool:
    """Whether the permissions of the file, or of a folder above it, forbid reading."""
    try:
        path.stat()
    except PermissionError:
        return True
    except OSError:
        return False
    return path.is_file() and not os.access(path, os.R_OK)


def _why_closed(path: Path) -> tuple[str, Path]:
    """What is in the way, and where: SQLite only says “unable to open database file”."""
    for file in (path, *(Path(f"{path}{end}") for end in ("-wal", "-shm", "-journal"))):
        if file.is_dir():
            return _FOLDER, file
    if path.parent.is_dir() and not os.access(path.parent, os.W_OK):
        return _READ_ONLY, path
    return _CLOSED, path


def _has_locks(path: Path) -> bool:
    """Whether files beside `path` can be locked; SQLite takes a disk without locks for one that is busy, or broken."""
    try:
        import fcntl

        with NamedTemporaryFile(dir=path.parent, prefix=path.name) as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:  # Windows always has
        return True
    except OSError as error:
        return error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)
    return True
