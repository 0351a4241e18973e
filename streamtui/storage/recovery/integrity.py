"""Integrity checks: what can be wrong with the rows of a sound file, how to find it and how to repair it."""

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any

from streamtui.core.message import FinishReason, Recap, Role, Timing, Usage, new_id
from streamtui.core.sanitize import clean, clean_line
from streamtui.core.session import title_from
from streamtui.storage import row_values, schema
from streamtui.storage.store_error import primary_code


@dataclass(frozen=True, slots=True)
class IntegrityCheck:
    """A kind of problem. `repair` runs in a transaction, after the repairs of the checks before it."""

    label: str
    """What `find` counts, such as "Messages without a session"."""
    find: Callable[[sqlite3.Connection], int]
    repair: Callable[[sqlite3.Connection], object]
    remedy: str
    """What `repair` does, as a sentence."""

    def problem(self, count: int) -> str:
        """Return a sentence that says what was found."""
        return f"{self.label}: {count:,}."


def _rows(label: str, rows: str, remedy: str, repair: str | Callable[[sqlite3.Connection], object]) -> IntegrityCheck:
    """Return a check that finds `rows`, a FROM clause, and repairs them by a statement or a function."""
    return IntegrityCheck(
        label,
        lambda connection: int(connection.execute(f"SELECT count(*) {rows}").fetchone()[0]),
        repair if callable(repair) else lambda connection: connection.execute(repair),
        remedy,
    )


def _items(
    label: str,
    find: Callable[[sqlite3.Connection], Iterable[object]],
    remedy: str,
    repair: Callable[[sqlite3.Connection], object],
) -> IntegrityCheck:
    """Return a check that finds what the function `find` yields."""
    return IntegrityCheck(label, lambda connection: sum(1 for _ in find(connection)), repair, remedy)


# The schema: tables, indexes or triggers that another program has dropped.


def _missing_objects(connection: sqlite3.Connection) -> list[str]:
    """Return the statements that create the missing schema objects."""
    query = "SELECT type, name, sql FROM sqlite_master WHERE sql NOT NULL"
    present = {(type_, name) for type_, name, _ in connection.execute(query)}
    with closing(sqlite3.connect(":memory:")) as expected:
        schema.register_functions(expected)
        for statement in (statement for migration in schema.MIGRATIONS for statement in migration):
            expected.execute(statement)
        # Tables first, since indexes and triggers depend on them.
        objects = expected.execute(f"{query} ORDER BY type NOT IN ('table', 'view'), name").fetchall()
    own = [item for item in objects if not item[1].startswith(("sqlite_", "message_index_"))]
    return [sql for type_, name, sql in own if (type_, name) not in present]


def _create_missing_objects(connection: sqlite3.Connection) -> None:
    for statement in _missing_objects(connection):
        connection.execute(statement)


# Rows that refer to missing rows.

_NO_SESSION = "FROM messages WHERE session_id NOT IN (SELECT id FROM sessions)"
_DELTA_WITHOUT_MESSAGE = "FROM pieces WHERE message_id NOT IN (SELECT id FROM messages)"
_ATTACHMENT_WITHOUT_MESSAGE = "FROM attachments WHERE message_id NOT IN (SELECT id FROM messages)"
_ATTACHMENT_WITHOUT_CONTENT = "FROM attachments WHERE hash NOT IN (SELECT hash FROM blobs)"
_DRAFT_FILE_ALONE = """
    FROM draft_files WHERE hash NOT IN (SELECT hash FROM blobs)
    OR written_by NOT IN (SELECT written_by FROM drafts)"""
_UNUSED_CONTENT = "FROM blobs WHERE hash NOT IN (SELECT hash FROM attachments UNION SELECT hash FROM draft_files)"


def _recreate_sessions(connection: sqlite3.Connection) -> None:
    for (session_id,) in connection.execute(f"SELECT DISTINCT session_id {_NO_SESSION}").fetchall():
        query = "SELECT text FROM messages WHERE session_id = ? ORDER BY role <> 'user', seq LIMIT 1"
        title = title_from(str(connection.execute(query, (session_id,)).fetchone()[0]))
        connection.execute(
            """INSERT INTO sessions (id, title, created, updated)
            SELECT session_id, ?, min(created), max(created) FROM messages WHERE session_id = ?""",
            (title, session_id),
        )


def _collect_deltas(connection: sqlite3.Connection) -> None:
    """Save the text of replies whose message is lost in a new session: the user saw it on the screen."""
    session_id = new_id()
    session = "INSERT INTO sessions (id, title, created, updated) VALUES (?, 'Recovered replies', 0, 0)"
    connection.execute(session, (session_id,))
    connection.execute(
        f"""INSERT INTO messages (id, session_id, role, text, reasoning, endpoint, model, created, error)
        SELECT message_id, ?, '{Role.ASSISTANT}', group_concat(text, ''), group_concat(reasoning, ''), '', '', 0, ''
        FROM (SELECT * {_DELTA_WITHOUT_MESSAGE} ORDER BY message_id, n) GROUP BY message_id""",
        (session_id,),
    )
    collected = "SELECT id FROM messages WHERE session_id = ?"
    connection.execute(f"DELETE FROM pieces WHERE message_id IN ({collected})", (session_id,))


def _modified_contents(connection: sqlite3.Connection) -> list[tuple[bytes, bytes]]:
    """Return the saved and the actual hash of each content that doesn't match its hash."""
    rows = connection.execute("SELECT hash, data FROM blobs")
    return [(saved, actual) for saved, data in rows if (actual := sha256(data).digest()) != saved]


def _update_hashes(connection: sqlite3.Connection) -> None:
    for saved, actual in _modified_contents(connection):
        connection.execute("INSERT OR IGNORE INTO blobs SELECT ?, data FROM blobs WHERE hash = ?", (actual, saved))
        for table in ("attachments", "draft_files"):
            connection.execute(f"UPDATE {table} SET hash = ? WHERE hash = ?", (actual, saved))
        connection.execute("DELETE FROM blobs WHERE hash = ?", (saved,))


# Values that no version of this program writes.

_RECORDS: dict[str, Callable[[Any], object]] = {
    "usage": partial(row_values.record, Usage),
    "timing": partial(row_values.record, Timing),
    "recap": partial(row_values.record, Recap),
}
_MESSAGE_TEXTS = ("text", "reasoning", "endpoint", "model", "error")
_SESSION_TEXTS = ("title", "endpoint", "address", "model", "system")


def _invalid_messages(connection: sqlite3.Connection) -> Iterable[tuple[dict[str, object], object]]:
    """Yield valid replacements for the invalid values of a message, by column, and its rowid."""
    query = f"SELECT seq, role, finish_reason, usage, timing, recap, created, {', '.join(_MESSAGE_TEXTS)} FROM messages"
    for seq, role, finish_reason, usage, timing, recap, created, *texts in connection.execute(query):
        change: dict[str, object] = {}
        if role not in list(Role):
            change["role"] = Role.ASSISTANT.value
        if finish_reason is not None and finish_reason not in list(FinishReason):
            change["finish_reason"] = None
        if not _is_valid(row_values.timestamp, created):
            change["created"] = 0.0
        records = zip(_RECORDS, (usage, timing, recap), strict=True)
        change |= {name: None for name, text in records if not _is_valid(_RECORDS[name], text)}
        change |= _sanitized(_MESSAGE_TEXTS, texts)
        if change:
            yield change, seq


def _invalid_sessions(connection: sqlite3.Connection) -> Iterable[tuple[dict[str, object], object]]:
    """Yield valid replacements for the invalid values of a session, by column, and its rowid."""
    query = f"SELECT rowid, parameters, created, updated, {', '.join(_SESSION_TEXTS)} FROM sessions"
    for rowid, parameters, created, updated, *texts in connection.execute(query):
        change = _sanitized(_SESSION_TEXTS, texts)
        if not _is_valid(row_values.parameters, parameters):
            change["parameters"] = "{}"
        times = (("created", created), ("updated", updated))
        change |= {name: 0.0 for name, value in times if not _is_valid(row_values.timestamp, value)}
        if change:
            yield change, rowid


def _is_valid(reader: Callable[[Any], object], value: object) -> bool:
    with suppress(ValueError):
        reader(value)
        return True
    return False


def _sanitized(names: Iterable[str], texts: Iterable[object]) -> dict[str, object]:
    safe = [(text, clean(row_values.to_text(text))) for text in texts]
    return {name: new for name, (text, new) in zip(names, safe, strict=True) if type(text) is not str or new != text}


def _replace_values(connection: sqlite3.Connection) -> None:
    for table, key, invalid in (("messages", "seq", _invalid_messages), ("sessions", "rowid", _invalid_sessions)):
        for change, row in list(invalid(connection)):
            columns = ", ".join(f"{name} = ?" for name in change)
            connection.execute(f"UPDATE {table} SET {columns} WHERE {key} = ?", (*change.values(), row))


def _invalid_session_ids(connection: sqlite3.Connection) -> list[int]:
    """Return the rowid of each session whose ID can't be shown or typed."""
    rows = connection.execute("SELECT rowid, id FROM sessions")
    return [rowid for rowid, id_ in rows if type(id_) is not str or clean_line(id_) != id_]


def _replace_session_ids(connection: sqlite3.Connection) -> None:
    for rowid in _invalid_session_ids(connection):
        id_ = new_id()
        connection.execute(
            "UPDATE messages SET session_id = ? WHERE session_id = (SELECT id FROM sessions WHERE rowid = ?)",
            (id_, rowid),
        )
        connection.execute("UPDATE sessions SET id = ? WHERE rowid = ?", (id_, rowid))


# The tree of messages.

_ORPHANS = """
    FROM messages AS m WHERE parent_id NOT NULL
    AND NOT EXISTS (SELECT 1 FROM messages WHERE id = m.parent_id AND session_id = m.session_id)"""

_PREVIOUS = """
    SELECT id FROM messages AS earlier
    WHERE earlier.session_id = messages.session_id AND earlier.seq < messages.seq ORDER BY earlier.seq DESC LIMIT 1"""


def _cycles(connection: sqlite3.Connection) -> list[str]:
    """Return the ID of the oldest message of each cycle. Only sessions with a parent newer than its child have any."""
    suspects = connection.execute(
        """SELECT DISTINCT m.session_id FROM messages m JOIN messages p ON p.id = m.parent_id
        WHERE p.seq >= m.seq AND p.session_id = m.session_id"""
    ).fetchall()
    found: list[str] = []
    for (session_id,) in suspects:
        query = "SELECT id, parent_id FROM messages WHERE session_id = ? ORDER BY seq"
        found += _cycles_in(dict(connection.execute(query, (session_id,))))
    return found


def _cycles_in(parents: dict[str, str | None]) -> list[str]:
    found: list[str] = []
    done: set[str] = set()
    for start in parents:
        path: list[str] = []
        current: str | None = start
        while current is not None and current in parents and current not in done:
            done.add(current)
            path.append(current)
            current = parents[current]
        if current in path:
            found.append(min(path[path.index(current) :], key=list(parents).index))
    return found


def _break_cycles(connection: sqlite3.Connection) -> None:
    for id_ in _cycles(connection):
        connection.execute("UPDATE messages SET parent_id = NULL WHERE id = ?", (id_,))


# Message counts and the search index.

_MISCOUNTED = """
    FROM sessions WHERE message_count <> (SELECT count(*) FROM messages WHERE session_id = sessions.id)"""
_RECOUNT = f"""
    UPDATE sessions SET message_count = (SELECT count(*) FROM messages WHERE session_id = sessions.id)
    WHERE id IN (SELECT id {_MISCOUNTED})"""


def _index_errors(connection: sqlite3.Connection) -> int:
    try:
        connection.execute("INSERT INTO message_index(message_index, rank) VALUES ('integrity-check', 1)")
    except sqlite3.DatabaseError as error:
        if primary_code(error) != sqlite3.SQLITE_CORRUPT:
            raise
        return 1
    return 0


def _rebuild_index(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO message_index(message_index) VALUES ('rebuild')")


SCHEMA_CHECK = _items("Missing schema objects", _missing_objects, "Recreated.", _create_missing_objects)

CHECKS = (
    SCHEMA_CHECK,
    _rows("Messages without a session", _NO_SESSION, "The sessions were recreated.", _recreate_sessions),
    _rows("Reply deltas without a message", _DELTA_WITHOUT_MESSAGE, "Moved to a new session.", _collect_deltas),
    _rows(
        "Attachments without a message", _ATTACHMENT_WITHOUT_MESSAGE, "Removed.",
        f"DELETE {_ATTACHMENT_WITHOUT_MESSAGE}",
    ),
    _rows(
        "Attachments without content", _ATTACHMENT_WITHOUT_CONTENT, "Removed; their messages were kept.",
        f"DELETE {_ATTACHMENT_WITHOUT_CONTENT}",
    ),
    _rows("Incomplete draft attachments", _DRAFT_FILE_ALONE, "Removed.", f"DELETE {_DRAFT_FILE_ALONE}"),
    _items("Attachments with modified content", _modified_contents, "The modified content was kept.", _update_hashes),
    _rows("Unused attachment contents", _UNUSED_CONTENT, "Removed.", f"DELETE {_UNUSED_CONTENT}"),
    _items("Messages with invalid values", _invalid_messages, "The values were replaced.", _replace_values),
    _items("Sessions with invalid values", _invalid_sessions, "The values were replaced.", _replace_values),
    _items("Invalid session IDs", _invalid_session_ids, "Replaced by valid IDs.", _replace_session_ids),
    _rows(
        "Messages with a missing parent", _ORPHANS, "Attached to the previous message.",
        f"UPDATE messages SET parent_id = ({_PREVIOUS}) WHERE seq IN (SELECT m.seq {_ORPHANS})",
    ),
    _items("Cycles of messages", _cycles, "Split at the oldest message.", _break_cycles),
    _rows("Sessions with a wrong message count", _MISCOUNTED, "Recounted.", _RECOUNT),
    IntegrityCheck("Search index errors", _index_errors, _rebuild_index, "The index was rebuilt."),
)  # fmt: skip
"""In the order of the repairs: one repair may cause the problem that the next one fixes."""
