"""Checking and repairing the saved sessions."""

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
from streamtui.storage.recovery.integrity import CHECKS, SCHEMA_CHECK
from streamtui.storage.recovery.recover import recover
from streamtui.storage.store_error import DATABASE_ERRORS, describe, primary_code

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_LOCK_RANGE = 510, 0x40000002  # SQLite's shared lock bytes: each connection in WAL mode holds a shared lock on them


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem found by a check."""

    problem: str
    """What is wrong, as a sanitized sentence."""
    remedy: str = ""
    """What was done about it, as a sentence; "" if nothing was."""


@dataclass(slots=True)
class Report:
    """The result of a check."""

    path: Path
    sessions: int = 0
    messages: int = 0
    """The number of messages, after any repair; 0 if unknown."""
    findings: list[Finding] = field(default_factory=list)
    exists: bool = False
    failure: str = ""
    """Why the check failed, as a sanitized sentence."""
    index_checked: bool = True
    """False for a read-only database: only SQLite's own check covers the search index, and it writes."""

    @property
    def sound(self) -> bool:
        """Whether no problem is left."""
        return not self.failure and all(finding.remedy for finding in self.findings)


class _InUseError(Exception):
    """Another program has the database open."""


def check(path: Path, *, repair: bool = False) -> Report:
    """Check the database at `path`; with `repair`, fix what can be fixed.

    A repair first backs up the database to a new file next to it. A damaged file is replaced by a new one with the
    recovered data, and kept under another name. Problems are reported as findings, never raised. A missing file is
    sound. A read-only database is checked as far as possible.
    """
    path = Path(os.path.realpath(path))
    report = Report(path)
    try:
        path.stat()
        report.exists = True
        exposed = list(permissions.exposed_files(path))
        if _check_file(report, repair):
            report.sessions, report.messages = _count(path)
            report.findings += _check_permissions(exposed, repair)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except DATABASE_ERRORS as error:
        verb = "repair" if repair else "check"
        report.failure = f"Can't {verb} the saved sessions: {describe(error, path)}."
    return report


def _count(path: Path) -> tuple[int, int]:
    with closing(open_database.connect_unmigrated(path)) as connection:
        query = "SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM messages)"
        sessions, messages = connection.execute(query).fetchone()
        return sessions, messages


def _check_permissions(exposed: list[tuple[Path, int]], repair: bool) -> Iterator[Finding]:
    for file, mode in exposed:
        if repair and file.exists():
            file.chmod(mode)
        problem = f"Other users of this computer can access {clean_line(str(file))}."
        yield Finding(problem, "Access removed." if repair else "")


def _check_file(report: Report, repair: bool) -> bool:
    """Check the file, then its rows. Return whether the file is sound, possibly after a repair."""
    damage = _file_damage(report.path)
    if not damage:
        report.findings += _check_rows(report, repair)
        return True
    problem, remedy = f"The database is damaged ({damage}).", ""
    if repair:
        try:
            remedy = _replace(report.path)
            problem += "" if remedy else " Nothing could be recovered, so the file was left unchanged."
        except _InUseError:
            problem += " Another program is using it: close that program, then repair again."
    report.findings.append(Finding(problem, remedy))
    if remedy:
        report.findings += _check_rows(report, repair=True, keep=False)
    return bool(remedy)


def _file_damage(path: Path) -> str:
    """Return SQLite's description of the damage to a file, "" for a sound one."""
    try:
        with closing(open_database.connect_unmigrated(path, keep_log=True)) as connection:
            # Recent versions of SQLite also check the search index, which has its own check.
            output = "\n".join(str(line) for (line,) in connection.execute("PRAGMA integrity_check")).splitlines()
            damage = (line for line in output if line != "ok" and "fts5" not in line.lower() and line[:1] != "*")
            return clean_line(next(damage, ""))
    except UnicodeDecodeError as error:
        return clean_line(str(error))
    except sqlite3.DatabaseError as error:
        if primary_code(error) not in _DAMAGED:
            raise
        return clean_line(str(error))


def _replace(path: Path) -> str:
    """Replace the damaged database by a recovered one and return a sentence about it, "" if nothing was recovered."""
    with _exclusive(path):
        new = schema.unused_path(path, "repaired")
        messages = recover(path, new)
        if not messages:
            new.unlink()
            return ""
        kept = schema.unused_path(path, "damaged")
        # This order leaves a database, and never one with another's log, if the program is killed in between.
        os.link(path, kept)
        log = path.with_name(path.name + "-wal")
        if log.exists():
            log.rename(kept.with_name(kept.name + "-wal"))
        new.replace(path)
    count = "1 message" if messages == 1 else f"{messages:,} messages"
    return f"Recovered {count} into a new file; the damaged file is now {clean_line(str(kept))}."


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    """Lock other programs out of the database. Raise _InUseError if one has it open."""
    with path.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, *_LOCK_RANGE)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            raise _InUseError from error
        yield


def _check_rows(report: Report, repair: bool, *, keep: bool = True) -> list[Finding]:
    path = report.path
    if not repair:
        with closing(open_database.connect_unmigrated(path)) as connection:
            if schema.version_of(connection, path) < len(schema.MIGRATIONS):
                return []  # the next start migrates it
            return [Finding(problem) for problem in _problems(connection, report)]
    with closing(open_database.connect(path)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        problems = list(_problems(connection, report))
        if problems and keep:
            schema.back_up(path, "unrepaired")
        return _repair(connection)


def _problems(connection: sqlite3.Connection, report: Report) -> Iterator[str]:
    """Yield the problems found. If parts of the schema are missing, nothing else can be checked."""
    for check in CHECKS:
        try:
            count = check.find(connection)
        except sqlite3.OperationalError as error:
            if primary_code(error) != sqlite3.SQLITE_READONLY:
                raise
            report.index_checked = False
            continue
        if count:
            yield check.problem(count)
            if check is SCHEMA_CHECK:
                return


def _repair(connection: sqlite3.Connection) -> list[Finding]:
    findings: list[Finding] = []
    connection.execute("BEGIN IMMEDIATE")
    try:
        for check in CHECKS:
            if count := check.find(connection):
                check.repair(connection)
                findings.append(Finding(check.problem(count), "" if check.find(connection) else check.remedy))
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise
    return findings
