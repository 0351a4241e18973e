"""Write operations: snapshots taken by the caller, executed later on the writer's thread."""

import json
import math
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from hashlib import sha256
from threading import Lock
from typing import Literal

from streamtui.core.message import Attachment, Message, Recap, Timing, Usage
from streamtui.core.models import ModelInfo
from streamtui.core.sanitize import clean
from streamtui.core.session import Session
from streamtui.storage import purge

Operation = Callable[[sqlite3.Connection], object]
"""A change to the database, executed in a savepoint of the writer's transaction, so that it is atomic."""

# Another instance may have changed what this one has not, so only this instance's changes are written. An existing
# title is changed by `update_session` only.
_SAVE_SESSION = """
    INSERT INTO sessions (id, title, created, updated, endpoint, address, model, system, leaf_id, parameters)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET
        title = CASE title WHEN '' THEN excluded.title ELSE title END, created = excluded.created,
        updated = max(updated, excluded.updated)"""

_STATE = ("endpoint", "address", "model", "system", "leaf_id", "parameters")
"""The columns of `Session.state`."""

# The session may be missing: not saved yet, or deleted by another instance. Its messages are kept anyway. A new
# message restores it from the trash, whatever the clock says.
_TOUCH_SESSION = """
    INSERT INTO sessions (id, created, updated) VALUES (?1, ?2, ?2)
    ON CONFLICT (id) DO UPDATE SET updated = max(updated, excluded.updated),
        trashed = CASE WHEN EXISTS (SELECT 1 FROM messages WHERE id = ?3) THEN trashed END"""

_SAVE_MESSAGE = """
    INSERT INTO messages (id, session_id, parent_id, role, text, reasoning, endpoint, model, created,
        finish_reason, error, usage, timing, recap, written_by)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET
        parent_id = excluded.parent_id, role = excluded.role, text = excluded.text,
        reasoning = excluded.reasoning, endpoint = excluded.endpoint, model = excluded.model,
        created = excluded.created, finish_reason = excluded.finish_reason, error = excluded.error,
        usage = excluded.usage, timing = excluded.timing, recap = excluded.recap,
        written_by = excluded.written_by
    WHERE session_id = excluded.session_id"""

CLAIM = "UPDATE messages SET written_by = ? WHERE id = ?"

# The number comes from the last entry of the primary key: constant time, however long the reply is.
_APPEND = """
    INSERT INTO pieces (message_id, n, text, reasoning)
    SELECT ?1, (SELECT coalesce(max(n), 0) + 1 FROM pieces WHERE message_id = ?1), ?2, ?3
    WHERE EXISTS (SELECT 1 FROM messages WHERE id = ?1)"""

_MERGE = """
    UPDATE messages SET
        text = text || (SELECT group_concat(text, '')
            FROM (SELECT text FROM pieces WHERE message_id = ?1 ORDER BY n)),
        reasoning = reasoning || (SELECT group_concat(reasoning, '')
            FROM (SELECT reasoning FROM pieces WHERE message_id = ?1 ORDER BY n))
    WHERE id = ?1"""

_HASHES = "SELECT hash FROM attachments WHERE message_id IN (SELECT id FROM messages WHERE session_id = ?)"
_DRAFT_HASHES = "SELECT hash FROM draft_files WHERE written_by LIKE ?"
_DELETE_IF_UNUSED = """
    DELETE FROM blobs WHERE hash = ?1 AND NOT EXISTS (SELECT 1 FROM attachments WHERE hash = ?1)
    AND NOT EXISTS (SELECT 1 FROM draft_files WHERE hash = ?1)"""

_EXPIRED = "SELECT id FROM sessions WHERE trashed < ? ORDER BY trashed LIMIT ?"

_USE_MODEL = """
    INSERT INTO models (endpoint, name, last_used) VALUES (?, ?, ?)
    ON CONFLICT (endpoint, name) DO UPDATE SET last_used = max(last_used, excluded.last_used)"""

_SET_FAVORITE = """
    INSERT INTO models (endpoint, name, favorite) VALUES (?, ?, ?)
    ON CONFLICT (endpoint, name) DO UPDATE SET favorite = excluded.favorite"""


def save_session(session: Session) -> Operation:
    """Save the session's own row, not its messages."""
    changed: Iterable[str] = _STATE
    if session.saved is not None:
        changed = (name for name, old, new in zip(_STATE, session.saved, session.state, strict=True) if old != new)
    return _execute(
        "".join([_SAVE_SESSION, *(f", {name} = excluded.{name}" for name in changed)]),
        session.id,
        session.title,
        session.created,
        session.updated,
        session.endpoint,
        session.address,
        session.model,
        session.system,
        session.leaf_id,
        json.dumps(session.parameters.as_dict()),
    )


def save_whole(session: Session) -> Operation:
    """Save the session with all its messages atomically."""
    own = _execute(
        "UPDATE sessions SET title = ?, pinned = ?, archived = ? WHERE id = ?",
        session.title,
        int(session.pinned),
        int(session.archived),
        session.id,
    )
    messages = [save_message(session.id, message) for message in session.messages.values()]
    return _sequence(save_session(session), own, *messages)


def save_message(session_id: str, message: Message, instance: str | None = None) -> Operation:
    """Save a whole message; deltas saved earlier are deleted, since its text includes them.

    `instance` is the one that is still writing the message, None for a complete message.
    """
    touch = _execute(_TOUCH_SESSION, session_id, message.created, message.id)
    upsert = _execute(
        _SAVE_MESSAGE,
        message.id,
        session_id,
        message.parent_id,
        message.role.value,
        message.text,
        message.reasoning,
        message.endpoint,
        message.model,
        message.created,
        message.finish_reason and message.finish_reason.value,
        message.error,
        _json(message.usage),
        _json(message.timing),
        _json(message.recap),
        instance,
    )
    delete_deltas = _execute("DELETE FROM pieces WHERE message_id = ?", message.id)
    delete_attachments = _execute("DELETE FROM attachments WHERE message_id = ?", message.id)
    attach = [_attach(message.id, n, attachment) for n, attachment in enumerate(message.attachments)]
    return _sequence(touch, upsert, delete_deltas, delete_attachments, *attach)


def release(instance: str, message_id: str) -> Operation:
    """Record that an instance is no longer writing a message."""
    return _execute("UPDATE messages SET written_by = NULL WHERE written_by = ? AND id = ?", instance, message_id)


class AppendDelta:
    """An operation that appends to a saved message; does nothing if the message doesn't exist (any more).

    More can be added until the operation is first executed on the writer's thread.
    """

    def __init__(self, message_id: str, text: str, reasoning: str) -> None:
        self._message_id = message_id
        self._texts, self._reasonings = [text], [reasoning]
        self._executed = False
        self._lock = Lock()

    def add(self, text: str, reasoning: str) -> bool:
        """Add more text; return false if it is too late."""
        with self._lock:
            if not self._executed:
                self._texts.append(text)
                self._reasonings.append(reasoning)
            return not self._executed

    def __call__(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            self._executed = True
        text, reasoning = "".join(self._texts), "".join(self._reasonings)
        connection.execute(_APPEND, (self._message_id, _storable(text), _storable(reasoning)))


def merge_deltas(connection: sqlite3.Connection) -> None:
    """Merge the deltas of interrupted replies into their messages, where the search finds them.

    Readers see the same text before and after, so this is safe for a reply that another process is still writing.
    """
    for (message_id,) in connection.execute("SELECT DISTINCT message_id FROM pieces").fetchall():
        connection.execute(_MERGE, (message_id,))
        connection.execute("DELETE FROM pieces WHERE message_id = ?", (message_id,))


def update_session(
    session_id: str, column: Literal["title", "pinned", "archived", "trashed"], value: str | float | None
) -> Operation:
    """Set one column of a session. `trashed` is in seconds since the epoch, None if not in the trash."""
    return _execute(f"UPDATE sessions SET {column} = ? WHERE id = ?", value, session_id)


def delete_session(session_id: str) -> Operation:
    """Delete a session with its messages, and the attachments that nothing else uses."""
    return partial(_delete, session_id=session_id)


def empty_trash(before: float, limit: int) -> Operation:
    """Delete up to `limit` sessions that were trashed earlier than `before`."""

    def empty(connection: sqlite3.Connection) -> None:
        for (session_id,) in connection.execute(_EXPIRED, (before, limit)).fetchall():
            _delete(connection, session_id)

    return empty


def _delete(connection: sqlite3.Connection, session_id: str) -> None:
    hashes = connection.execute(_HASHES, (session_id,)).fetchall()
    hashes += connection.execute(_DRAFT_HASHES, (f"% {session_id}",)).fetchall()
    connection.execute("DELETE FROM drafts WHERE written_by LIKE ?", (f"% {session_id}",))
    if connection.execute("DELETE FROM sessions WHERE id = ?", (session_id,)).rowcount:
        purge.request(connection)
    delete_unused_blobs(connection, hashes)


def delete_unused_blobs(connection: sqlite3.Connection, hashes: Iterable[tuple[bytes]]) -> None:
    """Delete those of the blobs `hashes` that nothing refers to."""
    connection.executemany(_DELETE_IF_UNUSED, hashes)


def remember(key: str, value: str) -> Operation:
    """Save a small string under a key."""
    return _execute("INSERT OR REPLACE INTO memory (key, value) VALUES (?, ?)", key, value)


def use_model(endpoint: str, model: str, when: float) -> Operation:
    """Record that a model was used at `when`, in seconds since the epoch."""
    return _execute(_USE_MODEL, endpoint, model, when)


def set_favorite(endpoint: str, model: str, favorite: bool) -> Operation:
    """Mark or unmark a model as a favorite."""
    return _execute(_SET_FAVORITE, endpoint, model, favorite)


def save_catalog(endpoint: str, models: Iterable[ModelInfo]) -> Operation:
    """Save the model metadata reported by a server; fields without a value are omitted."""
    known = [{name: value for name, value in asdict(model).items() if value not in (None, "")} for model in models]
    return remember(f"catalogue {endpoint}", json.dumps([fields for fields in known if len(fields) > 1]))


def _execute(statement: str, *values: str | float | None) -> Operation:
    storable = tuple(map(_storable, values))

    def execute(connection: sqlite3.Connection) -> None:
        connection.execute(statement, storable)

    return execute


def _sequence(*operations: Operation) -> Operation:
    def execute(connection: sqlite3.Connection) -> None:
        for operation in operations:
            operation(connection)

    return execute


def _attach(message_id: str, n: int, attachment: Attachment) -> Operation:
    """Attach a file to a message; content sent more than once (a retry, an edited prompt) is stored once."""
    row = (_storable(message_id), n, _storable(attachment.name), _storable(attachment.media_type))
    data = attachment.data

    def attach(connection: sqlite3.Connection) -> None:
        digest = sha256(data).digest()
        connection.execute("INSERT OR IGNORE INTO blobs (hash, data) VALUES (?, ?)", (digest, data))
        connection.execute("INSERT INTO attachments VALUES (?, ?, ?, ?, ?)", (*row, digest))

    return attach


def _storable(value: str | float | None) -> str | float | None:
    """Replace what SQLite can't store, which would block the writer.

    A lone surrogate (as in a file name) becomes U+FFFD; a time that is not finite (as in an imported file) becomes 0.
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else 0.0
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return clean(value)
    return value


def _json(value: Usage | Timing | Recap | None) -> str | None:
    return None if value is None else json.dumps(asdict(value))
