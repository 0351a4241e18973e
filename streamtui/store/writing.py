"""What can be written, as operations: snapshots taken at once, carried out on the writer's thread later."""

import json
import math
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from hashlib import sha256

from streamtui.message import Attachment, Message, Recap, Timing, Usage
from streamtui.models import ModelInfo
from streamtui.sanitize import clean
from streamtui.session import Session

Operation = Callable[[sqlite3.Connection], None]
"""A change to the database, made inside the writer's transaction."""

# A title that is there may have been changed by another window meanwhile: only `rename` changes it.
_SAVE_SESSION = """
    INSERT INTO sessions (id, title, endpoint, model, system, created, updated, leaf_id, parameters)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET
        title = CASE title WHEN '' THEN excluded.title ELSE title END, endpoint = excluded.endpoint,
        model = excluded.model, system = excluded.system, created = excluded.created,
        updated = max(updated, excluded.updated), leaf_id = excluded.leaf_id, parameters = excluded.parameters"""

# The session may not be there: saved later, or deleted by another window. Its messages are kept all the same; in
# the trash, it comes out of it.
_TOUCH_SESSION = """
    INSERT INTO sessions (id, created, updated) VALUES (?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET updated = excluded.updated,
        trashed = CASE WHEN excluded.updated > trashed THEN NULL ELSE trashed END
    WHERE excluded.updated > updated"""

_SAVE_MESSAGE = """
    INSERT INTO messages (id, session_id, parent_id, role, text, reasoning, endpoint, model, created,
        finish_reason, error, usage, timing, recap)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET
        parent_id = excluded.parent_id, role = excluded.role, text = excluded.text,
        reasoning = excluded.reasoning, endpoint = excluded.endpoint, model = excluded.model,
        created = excluded.created, finish_reason = excluded.finish_reason, error = excluded.error,
        usage = excluded.usage, timing = excluded.timing, recap = excluded.recap
    WHERE session_id = excluded.session_id"""

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
_DELETE_IF_UNUSED = """
    DELETE FROM blobs WHERE hash = ?1 AND NOT EXISTS (SELECT 1 FROM attachments WHERE hash = ?1)"""

_EXPIRED = "SELECT id FROM sessions WHERE trashed < ? ORDER BY trashed LIMIT ?"

_USE_MODEL = """
    INSERT INTO models (endpoint, name, last_used) VALUES (?, ?, ?)
    ON CONFLICT (endpoint, name) DO UPDATE SET last_used = max(last_used, excluded.last_used)"""

_SET_FAVOURITE = """
    INSERT INTO models (endpoint, name, favourite) VALUES (?, ?, ?)
    ON CONFLICT (endpoint, name) DO UPDATE SET favourite = excluded.favourite"""


def save_session(session: Session) -> Operation:
    """Saves the session's own row, not its messages."""
    return _execute(
        _SAVE_SESSION,
        session.id,
        session.title,
        session.endpoint,
        session.model,
        session.system,
        session.created,
        session.updated,
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
    save = _in_turn(save_session(session), own, *messages)

    def save_or_not(connection: sqlite3.Connection) -> None:
        connection.execute("SAVEPOINT whole")
        try:
            save(connection)
        except sqlite3.Error:
            connection.execute("ROLLBACK TO whole")
            raise
        finally:
            connection.execute("RELEASE whole")

    return save_or_not


def save_message(session_id: str, message: Message) -> Operation:
    """Saves a whole message; pieces saved of it before are dropped, as its text holds them."""
    touch = _execute(_TOUCH_SESSION, session_id, message.created, message.created)
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
    )
    drop_pieces = _execute("DELETE FROM pieces WHERE message_id = ?", message.id)
    drop_attachments = _execute("DELETE FROM attachments WHERE message_id = ?", message.id)
    attach = [_attach(message.id, n, attachment) for n, attachment in enumerate(message.attachments)]
    return _in_turn(touch, upsert, drop_pieces, drop_attachments, *attach)


def grow(message_id: str, text: str, reasoning: str) -> Operation:
    """Adds a piece to a message saved before; nothing if there is no such message (any more)."""
    return _execute(_GROW, message_id, text, reasoning)


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
    connection.execute("DELETE FROM sessions WHERE id = ?", (session_id,))
    connection.executemany(_DELETE_IF_UNUSED, hashes)


def remember(key: str, value: str) -> Operation:
    """Keeps a small string."""
    return _execute("INSERT OR REPLACE INTO memory (key, value) VALUES (?, ?)", key, value)


def use_model(endpoint: str, model: str, when: float) -> Operation:
    """Notes that a model was used at `when`, in seconds since the epoch."""
    return _execute(_USE_MODEL, endpoint, model, when)


def set_favourite(endpoint: str, model: str, favourite: bool) -> Operation:
    """Makes a model a favourite, or no favourite."""
    return _execute(_SET_FAVOURITE, endpoint, model, int(favourite))


def save_catalogue(endpoint: str, models: Iterable[ModelInfo]) -> Operation:
    """Keeps what a server says of its models."""
    said = [{name: value for name, value in asdict(model).items() if value is not None} for model in models]
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
