"""Checking: whether the saved sessions are sound, and the mending of what is not."""

import errno
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from streamtui.core.sanitize import clean_line
from streamtui.storage import open_database, permissions, schema
from streamtui.storage.recovery.integrity import FAULTS
from streamtui.storage.recovery.salvage import salvage
from streamtui.storage.store_error import TROUBLE, describe, primary_code

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_LOCKS = 510, 0x40000002  # where SQLite locks a file: every connection to a write-ahead log keeps a shared lock there


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be."""

    problem: str
    """What is wrong, in a clean sentence."""
    remedy: str = ""
    """What was done about it, in a sentence; empty: nothing."""


@dataclass(slots=True)
class Report:
    """What a check has found."""

    path: Path
    sessions: int = 0
    messages: int = 0
    """How many the database holds, after a repair; 0 where that can't be said."""
    findings: list[Finding] = field(default_factory=list)
    exists: bool = False
    failure: str = ""
    """Why it could not be checked, in a clean sentence."""
    index_checked: bool = True
    """False where the database can't be written: only SQLite's own check, which is a write, covers the search index."""

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong, or not any more."""
        return not self.failure and all(finding.remedy for finding in self.findings)


class _InUseError(Exception):
    """Another program has the database open."""


def check(path: Path, *, repair: bool = False) -> Report:
    """Looks whether the database `path` is sound; with `repair`, mends what can be mended.

    Before any row is changed, all is copied to a new file beside the database. A damaged file is replaced by a new
    one with what can be read of it, and kept under another name. Whatever is wrong is a finding, never raised.
    Where there is no such file, all is well. A database that can only be read is checked as far as that goes.
    """
    path = Path(os.path.realpath(path))
    report = Report(path)
    try:
        path.stat()
        report.exists = True
        loose = list(permissions.loose(path))
        if _check_file(report, repair):
            report.sessions, report.messages = _count(path)
            report.findings += _modes(loose, repair)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except TROUBLE as error:
        verb = "repaired" if repair else "checked"
        report.failure = f"The saved sessions can't be {verb}: {describe(error, path)}."
    return report


def _count(path: Path) -> tuple[int, int]:
    with closing(open_database.connect_as_it_is(path)) as connection:
        query = "SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM messages)"
        sessions, messages = connection.execute(query).fetchone()
        return sessions, messages


def _modes(loose: list[tuple[Path, int]], repair: bool) -> Iterator[Finding]:
    for file, mode in loose:
        if repair and file.exists():
            file.chmod(mode)
        problem = f"Other users of this computer may look into {clean_line(str(file))}."
        yield Finding(problem, "They may no longer." if repair else "")


def _check_file(report: Report, repair: bool) -> bool:
    """Looks at the file, then at the rows in it. Returns whether the file is sound, or is by now."""
    damage = _damage(report.path)
    if not damage:
        report.findings += _check_rows(report, repair)
        return True
    problem, remedy = f"The file is damaged ({damage}).", ""
    if repair:
        try:
            remedy = _replace(report.path)
            problem += "" if remedy else " Nothing could be read out of it, so it was left as it is."
        except _InUseError:
            problem += " Another program has it open: close that, then repair it."
    report.findings.append(Finding(problem, remedy))
    if remedy:
        report.findings += _check_rows(report, repair=True, keep=False)
    return bool(remedy)


def _damage(path: Path) -> str:
    """What SQLite says of a damaged file, in its own words; nothing for a sound one."""
    try:
        with closing(open_database.connect_as_it_is(path, keep_log=True)) as connection:
            # Later versions of SQLite look into the index as well, which has a fault of its own.
            said = "\n".join(str(line) for (line,) in connection.execute("PRAGMA integrity_check")).splitlines()
            faults = (line for line in said if line != "ok" and "fts5" not in line.lower() and line[:1] != "*")
            return clean_line(next(faults, ""))
    except UnicodeDecodeError as error:
        return clean_line(str(error))
    except sqlite3.DatabaseError as error:
        if primary_code(error) not in _DAMAGED:
            raise
        return clean_line(str(error))


def _replace(path: Path) -> str:
    """Puts a new database with what can be read in place of the damaged one, and says so; "" if that is nothing."""
    with _alone(path):
        new = schema.unused(path, "repaired")
        messages = salvage(path, new)
        if not messages:
            new.unlink()
            return ""
        kept = schema.unused(path, "damaged")
        # In this order a program killed in between leaves a database, and none with the log of another.
        os.link(path, kept)
        log = path.with_name(path.name + "-wal")
        if log.exists():
            log.rename(kept.with_name(kept.name + "-wal"))
        new.replace(path)
    kept_as = clean_line(str(kept))
    count = "1 message" if messages == 1 else f"{messages:,} messages"
    return f"What can be read, {count}, is in a new file now; the damaged one is kept as {kept_as}."


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keeps other programs from the database. Raises _InUseError where one has it open."""
    with path.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, *_LOCKS)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            raise _InUseError from error
        yield


def _check_rows(report: Report, repair: bool, *, keep: bool = True) -> list[Finding]:
    path = report.path
    if not repair:
        with closing(open_database.connect_as_it_is(path)) as connection:
            if schema.version_of(connection, path) < len(schema.MIGRATIONS):
                return []  # the next start brings it up to date
            return [Finding(problem) for problem in _faults(connection, report)]
    with closing(open_database.connect(path)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        problems = list(_faults(connection, report))
        if problems and keep:
            schema.back_up(path, "unrepaired")
        return _mend(connection)


def _faults(connection: sqlite3.Connection, report: Report) -> Iterator[str]:
    """Says what is wrong. Where parts of the layout are missing that is all that can be said."""
    for fault in FAULTS:
        try:
            count = fault.find(connection)
        except sqlite3.OperationalError as error:
            if primary_code(error) != sqlite3.SQLITE_READONLY:
                raise
            report.index_checked = False
            continue
        if count:
            yield fault.sentence(count)
            if fault is FAULTS[0]:
                return


def _mend(connection: sqlite3.Connection) -> list[Finding]:
    findings: list[Finding] = []
    connection.execute("BEGIN IMMEDIATE")
    try:
        for fault in FAULTS:
            if count := fault.find(connection):
                fault.mend(connection)
                findings.append(Finding(fault.sentence(count), "" if fault.find(connection) else fault.mended))
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise
    return findings
