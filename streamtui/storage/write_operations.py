"""What can be written, as operations: snapshots taken at once, carried out on the writer's thread later."""

import json
import math
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from hashlib import sha256
from threading import Lock

from streamtui.core.message import Attachment, Message, Recap, Timing, Usage
from streamtui.core.models import ModelInfo
from streamtui.core.sanitize import clean
from streamtui.core.session import Session
from streamtui.storage import purge

Operation = Callable[[sqlite3.Connection], object]
"""A change to the database, made inside a savepoint of the writer's transaction: all or nothing of it."""

# What was not changed here may have been changed by another window meanwhile, and a title that is there as well:
# only `rename` changes it.
_SAVE_SESSION = """
    INSERT INTO sessions (id, title, created, updated, endpoint, address, model, system, leaf_id, parameters)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET
        title = CASE title WHEN '' THEN excluded.title ELSE title END, created = excluded.created,
        updated = max(updated, excluded.updated)"""

_STATE = ("endpoint", "address", "model", "system", "leaf_id", "parameters")
"""The columns that hold `Session.state`."""

# The session may not be there: saved later, or deleted by another window. Its messages are kept all the same; a new
# one brings it back from the trash, whatever the clock says.
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

# The number comes from the primary key's last entry: constant time, however long the reply has grown.
_GROW = """
    INSERT INTO pieces (message_id, n, text, reasoning)
    SELECT ?1, (SELECT coalesce(max(n), 0) + 1 FROM pieces WHERE message_id = ?1), ?2, ?3
    WHERE EXISTS (SELECT 1 FROM messages WHERE id = ?1)"""

_FOLD = """
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

_SET_FAVOURITE = """
    INSERT INTO models (endpoint, name, favourite) VALUES (?, ?, ?)
    ON CONFLICT (endpoint, name) DO UPDATE SET favourite = excluded.favourite"""


def save_session(session: Session) -> Operation:
    """Saves the session's own row, not its messages."""
    here: Iterable[str] = _STATE
    if session.saved is not None:
        here = (name for name, old, new in zip(_STATE, session.saved, session.state, strict=True) if old != new)
    return _execute(
        "".join([_SAVE_SESSION, *(f", {name} = excluded.{name}" for name in here)]),
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
    """Saves the session as it is, with all its messages; all or nothing of it."""
    own = _execute(
        "UPDATE sessions SET title = ?, pinned = ?, archived = ? WHERE id = ?",
        session.title,
        int(session.pinned),
        int(session.archived),
        session.id,
    )
    messages = [save_message(session.id, message) for message in session.messages.values()]
    return _in_turn(save_session(session), own, *messages)


def save_message(session_id: str, message: Message, window: str | None = None) -> Operation:
    """Saves a whole message; pieces saved of it before are dropped, as its text holds them.

    `window` is the one that goes on writing it; None for a message that is whole.
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
        window,
    )
    drop_pieces = _execute("DELETE FROM pieces WHERE message_id = ?", message.id)
    drop_attachments = _execute("DELETE FROM attachments WHERE message_id = ?", message.id)
    attach = [_attach(message.id, n, attachment) for n, attachment in enumerate(message.attachments)]
    return _in_turn(touch, upsert, drop_pieces, drop_attachments, *attach)


def release(window: str, message_id: str) -> Operation:
    """Notes that a window does not write a message any more."""
    return _execute("UPDATE messages SET written_by = NULL WHERE written_by = ? AND id = ?", window, message_id)


class Piece:
    """An operation: adds a piece to a message saved before, or nothing if there is no such message (any more).

    Until it is carried out the first time, from then on on the writer's thread, more can be added to it.
    """

    def __init__(self, message_id: str, text: str, reasoning: str) -> None:
        self._message_id = message_id
        self._texts, self._reasonings = [text], [reasoning]
        self._taken = False
        self._lock = Lock()

    def add(self, text: str, reasoning: str) -> bool:
        """Adds more; False if it is too late."""
        with self._lock:
            if not self._taken:
                self._texts.append(text)
                self._reasonings.append(reasoning)
            return not self._taken

    def __call__(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            self._taken = True
        text, reasoning = "".join(self._texts), "".join(self._reasonings)
        connection.execute(_GROW, (self._message_id, _fit(text), _fit(reasoning)))


def fold_pieces(connection: sqlite3.Connection) -> None:
    """Puts the pieces of replies cut short by a kill into their messages, where the search finds them.

    What a reader sees stays the same, so it does no harm to a reply that another process is still writing.
    """
    for (message_id,) in connection.execute("SELECT DISTINCT message_id FROM pieces").fetchall():
        connection.execute(_FOLD, (message_id,))
        connection.execute("DELETE FROM pieces WHERE message_id = ?", (message_id,))


def rename(session_id: str, title: str) -> Operation:
    """Gives a session another title."""
    return _execute("UPDATE sessions SET title = ? WHERE id = ?", title, session_id)


def set_pinned(session_id: str, pinned: bool) -> Operation:
    """Pins a session, or no longer."""
    return _execute("UPDATE sessions SET pinned = ? WHERE id = ?", int(pinned), session_id)


def set_archived(session_id: str, archived: bool) -> Operation:
    """Archives a session, or no longer."""
    return _execute("UPDATE sessions SET archived = ? WHERE id = ?", int(archived), session_id)


def set_trashed(session_id: str, when: float | None) -> Operation:
    """Puts a session into the trash at `when`, in seconds since the epoch, or with None takes it out again."""
    return _execute("UPDATE sessions SET trashed = ? WHERE id = ?", when, session_id)


def delete_session(session_id: str) -> Operation:
    """Deletes a session with its messages, and the attachments that no other message has."""
    return partial(_delete, session_id=session_id)


def empty_trash(before: float, most: int) -> Operation:
    """Deletes at most `most` sessions that were put into the trash earlier than `before`."""

    def empty(connection: sqlite3.Connection) -> None:
        for (session_id,) in connection.execute(_EXPIRED, (before, most)).fetchall():
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
    """Deletes those of the blobs `hashes` that nothing refers to any more."""
    connection.executemany(_DELETE_IF_UNUSED, hashes)


def remember(key: str, value: str) -> Operation:
    """Keeps a small string."""
    return _execute("INSERT OR REPLACE INTO memory (key, value) VALUES (?, ?)", key, value)


def use_model(endpoint: str, model: str, when: float) -> Operation:
    """Notes that a model was used at `when`, in seconds since the epoch."""
    return _execute(_USE_MODEL, endpoint, model, when)


def set_favorite(endpoint: str, model: str, favourite: bool) -> Operation:
    """Makes a model a favourite, or no favourite."""
    return _execute(_SET_FAVOURITE, endpoint, model, int(favourite))


def save_catalog(endpoint: str, models: Iterable[ModelInfo]) -> Operation:
    """Keeps what a server says of its models."""
    said = [{name: value for name, value in asdict(model).items() if value not in (None, "")} for model in models]
    return remember(f"catalogue {endpoint}", json.dumps([facts for facts in said if len(facts) > 1]))


def _execute(statement: str, *values: str | float | None) -> Operation:
    fit = tuple(map(_fit, values))

    def execute(connection: sqlite3.Connection) -> None:
        connection.execute(statement, fit)

    return execute


def _in_turn(*operations: Operation) -> Operation:
    def execute(connection: sqlite3.Connection) -> None:
        for operation in operations:
            operation(connection)

    return execute


def _attach(message_id: str, n: int, attachment: Attachment) -> Operation:
    """The same bytes are stored once, however often they are sent (a retry, an edited prompt)."""
    row = (_fit(message_id), n, _fit(attachment.name), _fit(attachment.media_type))
    data = attachment.data

    def attach(connection: sqlite3.Connection) -> None:
        digest = sha256(data).digest()
        connection.execute("INSERT OR IGNORE INTO blobs (hash, data) VALUES (?, ?)", (digest, data))
        connection.execute("INSERT INTO attachments VALUES (?, ?, ?, ?, ?)", (*row, digest))

    return attach


def _fit(value: str | float | None) -> str | float | None:
    """What can't be stored would stop the writer for good: a lone surrogate (a file's name can hold one)
    becomes U+FFFD, a time that is no number (an imported file can hold NaN, SQLite's NULL) becomes 0."""
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
