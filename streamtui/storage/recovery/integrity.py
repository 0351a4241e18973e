"""Faults: what can be wrong with the rows of a sound file, how each fault is found and how it is mended."""

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any

from streamtui.core.message import FinishReason, Recap, Role, Timing, Usage, new_id
from streamtui.core.sanitize import clean
from streamtui.core.session import title_from
from streamtui.storage import row_values, schema
from streamtui.storage.store_error import primary_code

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault. `mend` is called inside a transaction, after those of the faults before it."""

    what: str
    """What is wrong, as a sentence; ``{}`` stands for the things that `find` counts."""
    thing: str
    """What is counted, in the singular."""
    find: Callable[[sqlite3.Connection], int]
    mend: Callable[[sqlite3.Connection], None]
    mended: str
    """What `mend` does, as a sentence."""

    def sentence(self, count: int) -> str:
        """Says what is wrong with `count` things."""
        return self.what.format(f"{count:,} {self.thing}{'' if count == 1 else 's'}")


def _counts(rows: str) -> Callable[[sqlite3.Connection], int]:
    return lambda connection: int(connection.execute(f"SELECT count(*) {rows}").fetchone()[0])


def _how_many(things: Callable[[sqlite3.Connection], Iterable[object]]) -> Callable[[sqlite3.Connection], int]:
    return lambda connection: sum(1 for _ in things(connection))


def _does(*statements: str) -> Callable[[sqlite3.Connection], None]:
    def mend(connection: sqlite3.Connection) -> None:
        for statement in statements:
            connection.execute(statement)

    return mend


# The layout: a table, index or trigger that another program has dropped.


def _missing_parts(connection: sqlite3.Connection) -> list[str]:
    """The statements that make what is missing."""
    query = "SELECT type, name, sql FROM sqlite_master WHERE sql NOT NULL"
    there = {(type_, name) for type_, name, _ in connection.execute(query)}
    with closing(sqlite3.connect(":memory:")) as model:
        schema.teach(model)
        for statement in (statement for step in schema.MIGRATIONS for statement in step):
            model.execute(statement)
        # Tables first: an index or a trigger needs its own.
        parts = model.execute(f"{query} ORDER BY type NOT IN ('table', 'view'), name").fetchall()
    own = [part for part in parts if not part[1].startswith(("sqlite_", "message_index_"))]
    return [sql for type_, name, sql in own if (type_, name) not in there]


def _make_parts(connection: sqlite3.Connection) -> None:
    for statement in _missing_parts(connection):
        connection.execute(statement)


# Rows whose other half is missing.

_ALONE = "FROM messages WHERE session_id NOT IN (SELECT id FROM sessions)"
_ADRIFT = "FROM pieces WHERE message_id NOT IN (SELECT id FROM messages)"
_NOWHERE = "FROM attachments WHERE message_id NOT IN (SELECT id FROM messages)"
_EMPTY = "FROM attachments WHERE hash NOT IN (SELECT hash FROM blobs)"
_UNUSED = "FROM blobs WHERE hash NOT IN (SELECT hash FROM attachments UNION SELECT hash FROM draft_files)"
_UNWRITTEN = """
    FROM draft_files WHERE hash NOT IN (SELECT hash FROM blobs)
    OR written_by NOT IN (SELECT written_by FROM drafts)"""


def _make_sessions(connection: sqlite3.Connection) -> None:
    for (session_id,) in connection.execute(f"SELECT DISTINCT session_id {_ALONE}").fetchall():
        query = "SELECT text FROM messages WHERE session_id = ? ORDER BY role <> 'user', seq LIMIT 1"
        title = title_from(str(connection.execute(query, (session_id,)).fetchone()[0]))
        connection.execute(
            """INSERT INTO sessions (id, title, created, updated)
            SELECT session_id, ?, min(created), max(created) FROM messages WHERE session_id = ?""",
            (title, session_id),
        )


def _gather_pieces(connection: sqlite3.Connection) -> None:
    """Text that was on the screen is kept, though nobody knows any more what it answered."""
    session_id = new_id()
    session = "INSERT INTO sessions (id, title, created, updated) VALUES (?, 'Replies without their session', 0, 0)"
    connection.execute(session, (session_id,))
    connection.execute(
        f"""INSERT INTO messages (id, session_id, role, text, reasoning, endpoint, model, created, error)
        SELECT message_id, ?, '{Role.ASSISTANT}', group_concat(text, ''), group_concat(reasoning, ''), '', '', 0, ''
        FROM (SELECT * {_ADRIFT} ORDER BY message_id, n) GROUP BY message_id""",
        (session_id,),
    )
    gathered = "SELECT id FROM messages WHERE session_id = ?"
    connection.execute(f"DELETE FROM pieces WHERE message_id IN ({gathered})", (session_id,))


def _changed_blobs(connection: sqlite3.Connection) -> list[tuple[bytes, bytes]]:
    """The hash of each blob whose content has another one, and that one."""
    rows = connection.execute("SELECT hash, data FROM blobs")
    return [(digest, true) for digest, data in rows if (true := sha256(data).digest()) != digest]


def _take_blobs_as_they_are(connection: sqlite3.Connection) -> None:
    for digest, true in _changed_blobs(connection):
        connection.execute("INSERT OR IGNORE INTO blobs SELECT ?, data FROM blobs WHERE hash = ?", (true, digest))
        for table in ("attachments", "draft_files"):
            connection.execute(f"UPDATE {table} SET hash = ? WHERE hash = ?", (true, digest))
        connection.execute("DELETE FROM blobs WHERE hash = ?", (digest,))


# Values that no program of this version has written.

_RECORDS: dict[str, Callable[[Any], object]] = {
    "usage": partial(row_values.record, Usage),
    "timing": partial(row_values.record, Timing),
    "recap": partial(row_values.record, Recap),
}
_TEXTS = ("text", "reasoning", "endpoint", "model", "error")


def _spoilt_messages(connection: sqlite3.Connection) -> Iterable[tuple[dict[str, object], object]]:
    """What each message should hold in place of what can't be read or shown, and its number."""
    query = f"SELECT seq, role, finish_reason, usage, timing, recap, created, {', '.join(_TEXTS)} FROM messages"
    for seq, role, finish_reason, usage, timing, recap, created, *texts in connection.execute(query):
        change: dict[str, object] = {}
        if role not in list(Role):
            change["role"] = Role.ASSISTANT.value
        if finish_reason is not None and finish_reason not in list(FinishReason):
            change["finish_reason"] = None
        if not _is(row_values.moment, created):
            change["created"] = 0.0
        records = zip(_RECORDS, (usage, timing, recap), strict=True)
        change |= {name: None for name, text in records if not _is(_RECORDS[name], text)}
        change |= _unclean(_TEXTS, texts)
        if change:
            yield change, seq


def _spoilt_sessions(connection: sqlite3.Connection) -> Iterable[tuple[dict[str, object], object]]:
    names = ("title", "endpoint", "address", "model", "system")
    query = f"SELECT rowid, parameters, created, updated, {', '.join(names)} FROM sessions"
    for rowid, parameters, created, updated, *texts in connection.execute(query):
        change = _unclean(names, texts)
        if not _is(row_values.parameters, parameters):
            change["parameters"] = "{}"
        times = (("created", created), ("updated", updated))
        change |= {name: 0.0 for name, value in times if not _is(row_values.moment, value)}
        if change:
            yield change, rowid


def _is(reader: Callable[[Any], object], value: object) -> bool:
    with suppress(ValueError):
        reader(value)
        return True
    return False


def _unclean(names: Iterable[str], texts: Iterable[object]) -> dict[str, object]:
    safe = [(text, clean(row_values.replaced(text))) for text in texts]
    return {name: new for name, (text, new) in zip(names, safe, strict=True) if type(text) is not str or new != text}


def _mend_values(connection: sqlite3.Connection) -> None:
    for table, key, spoilt in (("messages", "seq", _spoilt_messages), ("sessions", "rowid", _spoilt_sessions)):
        for change, row in list(spoilt(connection)):
            columns = ", ".join(f"{name} = ?" for name in change)
            connection.execute(f"UPDATE {table} SET {columns} WHERE {key} = ?", (*change.values(), row))


# The tree.

_ROOTLESS = """
    FROM messages AS m WHERE parent_id NOT NULL
    AND NOT EXISTS (SELECT 1 FROM messages WHERE id = m.parent_id AND session_id = m.session_id)"""

_BEFORE = """
    SELECT id FROM messages AS earlier
    WHERE earlier.session_id = messages.session_id AND earlier.seq < messages.seq ORDER BY earlier.seq DESC LIMIT 1"""


def _circles(connection: sqlite3.Connection) -> list[str]:
    """One message of each circle. Parents are nearly always older than their children, and then there is none."""
    suspects = connection.execute(
        """SELECT DISTINCT m.session_id FROM messages m JOIN messages p ON p.id = m.parent_id
        WHERE p.seq >= m.seq AND p.session_id = m.session_id"""
    ).fetchall()
    found: list[str] = []
    for (session_id,) in suspects:
        query = "SELECT id, parent_id FROM messages WHERE session_id = ? ORDER BY seq"
        found += _circles_in(dict(connection.execute(query, (session_id,))))
    return found


def _circles_in(parents: dict[str, str | None]) -> list[str]:
    found: list[str] = []
    done: set[str] = set()
    for start in parents:
        walked: list[str] = []
        at: str | None = start
        while at is not None and at in parents and at not in done:
            done.add(at)
            walked.append(at)
            at = parents[at]
        if at in walked:
            found.append(min(walked[walked.index(at) :], key=list(parents).index))
    return found


def _open_circles(connection: sqlite3.Connection) -> None:
    connection.executemany(
        "UPDATE messages SET parent_id = NULL WHERE id = ?", [(id_,) for id_ in _circles(connection)]
    )


# The counts, and the index.

_MISCOUNTED = """
    FROM sessions WHERE message_count <> (SELECT count(*) FROM messages WHERE session_id = sessions.id)"""


def _index_differs(connection: sqlite3.Connection) -> int:
    try:
        connection.execute("INSERT INTO message_index(message_index, rank) VALUES ('integrity-check', 1)")
    except sqlite3.DatabaseError as error:
        if primary_code(error) != sqlite3.SQLITE_CORRUPT:
            raise
        return 1
    return 0


FAULTS = (
    Fault(
        "Of the layout of the database {} can't be found.", "part", _how_many(_missing_parts), _make_parts,
        "It was made again.",
    ),
    Fault(
        "The session of {} is missing.", "message", _counts(_ALONE), _make_sessions,
        "A session was made for them.",
    ),
    Fault(
        "The message of {} of a reply is missing.", "piece", _counts(_ADRIFT), _gather_pieces,
        "They stand in a session of their own now.",
    ),
    Fault(
        "The message of {} is missing.", "attachment", _counts(_NOWHERE),
        _does(f"DELETE {_NOWHERE}"), "Removed.",
    ),
    Fault(
        "The content of {} is missing.", "attachment", _counts(_EMPTY),
        _does(f"DELETE {_EMPTY}"), "The attachments were removed, the messages kept.",
    ),
    Fault(
        "Of a draft only {} can be found.", "attachment", _counts(_UNWRITTEN),
        _does(f"DELETE {_UNWRITTEN}"), "Removed.",
    ),
    Fault(
        "The content of {} is not what it was.", "attached file", _how_many(_changed_blobs),
        _take_blobs_as_they_are, "It is kept as it is now.",
    ),
    Fault(
        "No message has {} of the database.", "attached file", _counts(_UNUSED),
        _does(f"DELETE {_UNUSED}"), "Removed.",
    ),
    Fault(
        "Something in {} can't be read or shown.", "message", _how_many(_spoilt_messages),
        _mend_values, "What was spoilt was replaced or left out.",
    ),
    Fault(
        "Something that is known of {} can't be read or shown.", "session",
        _how_many(_spoilt_sessions), _mend_values,
        "What was spoilt was replaced or left out.",
    ),
    Fault(
        "What {} follows is missing, so what came before is not shown.", "message", _counts(_ROOTLESS),
        _does(f"UPDATE messages SET parent_id = ({_BEFORE}) WHERE seq IN (SELECT m.seq {_ROOTLESS})"),
        "It follows the last message before it now.",
    ),
    Fault(
        "In a circle of messages, each following another, stands {}.", "message", _how_many(_circles), _open_circles,
        "The circle was opened there.",
    ),
    Fault(
        "The number of messages is wrong in {}.", "session", _counts(_MISCOUNTED),
        _does(
            "UPDATE sessions SET message_count = (SELECT count(*) FROM messages WHERE session_id = sessions.id)"
            f" WHERE id IN (SELECT id {_MISCOUNTED})"
        ),
        "Counted again.",
    ),
    Fault(
        "The search index does not match the messages.", "index", _index_differs,
        _does("INSERT INTO message_index(message_index) VALUES ('rebuild')"), "It was made again.",
    ),
)  # fmt: skip
"""In the order in which they are mended: what is mended first may be what spoilt the next."""
