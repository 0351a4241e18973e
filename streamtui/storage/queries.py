"""Queries for sessions, messages and models."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from streamtui.core.message import Attachment, FinishReason, Message, Recap, Role, Timing, Usage
from streamtui.core.models import ModelInfo
from streamtui.core.parameters import Parameters
from streamtui.core.sanitize import clean, clean_line
from streamtui.core.session import Session
from streamtui.storage import row_values
from streamtui.storage.store_error import StoreError

_LATEST = """
    SELECT id FROM sessions WHERE message_count > 0 AND trashed IS NULL AND archived = 0
    ORDER BY updated DESC, id LIMIT 1 OFFSET ?"""

_MESSAGES = """
    SELECT id, parent_id, role, text, reasoning, endpoint, model, created, finish_reason, error, usage, timing,
        recap
    FROM messages m WHERE {which} ORDER BY seq"""

_DELTAS = """
    SELECT p.message_id, p.text, p.reasoning FROM messages m JOIN pieces p ON p.message_id = m.id
    WHERE {which} ORDER BY m.seq, p.n"""

_ATTACHMENTS = """
    SELECT a.message_id, a.name, a.media_type, {data}
    FROM messages m JOIN attachments a ON a.message_id = m.id JOIN blobs b ON b.hash = a.hash
    WHERE {which} ORDER BY m.seq, a.n"""

_OF_SESSION, _OF_MESSAGE = "m.session_id = ?", "m.id = ?"

_SUMMARY = "SELECT title, message_count FROM sessions WHERE id = ?"

_WRITTEN = "SELECT id, written_by FROM messages WHERE session_id = ? AND written_by NOT NULL"

IsOtherRunning = Callable[[str | None], bool]
"""Tells whether an instance ID belongs to another running instance."""


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model that was used or marked as a favorite."""

    name: str
    last_used: float
    """Seconds since the epoch, 0 if never."""
    favorite: bool


def latest(connection: sqlite3.Connection, number: int) -> str | None:
    """Return the ID of the newest session (1), the second newest (2), and so on, unless archived or trashed."""
    row = connection.execute(_LATEST, (number - 1,)).fetchone()
    return None if row is None else str(row[0])


@dataclass(frozen=True, slots=True)
class ChangesSince:
    """What other instances changed in a session."""

    messages: tuple[Message, ...] = ()
    """New messages, complete, oldest first."""
    missing: frozenset[str] = frozenset()
    """IDs of known messages that were deleted."""
    elsewhere: frozenset[str] = frozenset()
    """IDs of messages that another instance is writing now."""
    title: str = ""
    """The current title, "" if the session was deleted."""


def session(
    connection: sqlite3.Connection, id_or_prefix: str, is_other_running: IsOtherRunning = lambda _: False
) -> Session:
    """Return a session with its messages. Raise StoreError unless exactly one session ID matches."""
    connection.execute("BEGIN")  # a consistent view of four tables while others write
    try:
        found = _session(connection, _full_id(connection, clean(id_or_prefix)))
        found.elsewhere = _elsewhere(connection, found.id, is_other_running)
        return found
    finally:
        connection.rollback()


def preview(connection: sqlite3.Connection, session_id: str, message_id: str) -> list[Message]:
    """Return the current path of a session, or the one through `message_id`; attachments come without content."""
    connection.execute("BEGIN")
    try:
        found = _session(connection, _full_id(connection, clean(session_id)), data="x''")
    finally:
        connection.rollback()
    found.show(message_id)
    return found.path()


def changes_since(
    connection: sqlite3.Connection, session_id: str, known: frozenset[str], is_other_running: IsOtherRunning
) -> ChangesSince:
    """Return what changed in a session since the messages `known` were loaded."""
    connection.execute("BEGIN")
    try:
        title, count = connection.execute(_SUMMARY, (session_id,)).fetchone() or ("", 0)
        elsewhere = _elsewhere(connection, session_id, is_other_running)
        if count == len(known):
            return ChangesSince(elsewhere=elsewhere, title=title)
        ids = connection.execute("SELECT id FROM messages WHERE session_id = ? ORDER BY seq", (session_id,))
        saved = [str(id_) for (id_,) in ids]
        new = [_messages(connection, _OF_MESSAGE, id_)[0].get(id_) for id_ in saved if id_ not in known]
        return ChangesSince(tuple(filter(None, new)), known.difference(saved), elsewhere, row_values.to_text(title))
    finally:
        connection.rollback()


def is_unchanged(connection: sqlite3.Connection, message: Message, is_other_running: IsOtherRunning) -> bool:
    """Return whether the saved text equals that of `message` and no other instance is writing it, or it isn't saved."""
    saved = _messages(connection, _OF_MESSAGE, message.id)[0].get(message.id)
    row = connection.execute("SELECT written_by FROM messages WHERE id = ?", (message.id,)).fetchone()
    return saved is None or (saved.text == message.text and not is_other_running(row[0]))


def _elsewhere(connection: sqlite3.Connection, session_id: str, is_other_running: IsOtherRunning) -> frozenset[str]:
    return frozenset(id_ for id_, instance in connection.execute(_WRITTEN, (session_id,)) if is_other_running(instance))


def version(connection: sqlite3.Connection) -> int:
    """Return a number that changes whenever another connection changes the database. Takes 5 µs."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


def recall(connection: sqlite3.Connection, key: str) -> str | None:
    """Return the string saved under a key, None if there is none."""
    row = connection.execute("SELECT value FROM memory WHERE key = ?", (clean(key),)).fetchone()
    return None if row is None else str(row[0])


def models(connection: sqlite3.Connection, endpoint: str) -> list[KnownModel]:
    """Return the used and favorite models of an endpoint, most recently used first."""
    query = "SELECT name, last_used, favorite FROM models WHERE endpoint = ? ORDER BY last_used DESC, name"
    found = connection.execute(query, (clean(endpoint),))
    return [
        KnownModel(
            row_values.to_text(name), row_values.LenientRow().read(row_values.timestamp, last_used, 0.0), bool(favorite)
        )
        for name, last_used, favorite in found
    ]


def catalog(connection: sqlite3.Connection, endpoint: str) -> dict[str, ModelInfo]:
    """Return the saved model metadata of an endpoint, by model name."""
    try:
        saved = json.loads(recall(connection, f"catalogue {endpoint}") or "[]")
        return {fields["name"]: row_values.parse_fields(ModelInfo, fields) for fields in saved}
    except (ValueError, TypeError, KeyError, RecursionError):
        return {}  # saved by another version: treated as missing


def _full_id(connection: sqlite3.Connection, prefix: str) -> str:
    query = "SELECT id FROM sessions WHERE id >= ?1 AND id < ?1 || char(0x10ffff) ORDER BY id LIMIT 2"
    found = [str(row[0]) for row in connection.execute(query, (prefix,))] or _damaged_ids(connection, prefix)
    condition = f"an ID that starts with “{clean_line(prefix)}”"
    if not found or not prefix:
        raise StoreError(f"No saved session has {condition}. To list them, run “streamtui sessions list”.")
    if len(found) > 1 and found[0] != prefix:
        raise StoreError(f"More than one saved session has {condition}. Type more of the ID.")
    return found[0]


def _damaged_ids(connection: sqlite3.Connection, prefix: str) -> list[str]:
    """Return the damaged IDs that start with `prefix` as they are shown. Raise StoreError if one can't be used."""
    ids = [id_ for (id_,) in connection.execute("SELECT id FROM sessions") if prefix]
    found = [id_ for id_ in ids if clean_line(row_values.to_text(id_)).startswith(prefix)]
    if any(type(id_) is not str for id_ in found):
        raise StoreError("The ID of this session is damaged. To fix it, run “streamtui sessions check --repair”.")
    return found


def _session(connection: sqlite3.Connection, session_id: str, data: str = "b.data") -> Session:
    query = """SELECT title, endpoint, model, system, created, updated, leaf_id, parameters, address, pinned,
        archived FROM sessions WHERE id = ?"""
    row = connection.execute(query, (session_id,)).fetchone()
    title, endpoint, model, system, created, updated, leaf_id, parameters, address, pinned, archived = row
    values = row_values.LenientRow()
    found = Session(session_id, values.text(title), values.text(endpoint), values.text(model), values.text(system))
    found.created, found.updated = (values.read(row_values.timestamp, when, 0.0) for when in (created, updated))
    found.leaf_id = leaf_id if isinstance(leaf_id, str) else None
    found.parameters = values.read(row_values.parameters, parameters, Parameters())
    found.address = values.text(address)
    found.pinned, found.archived = bool(pinned), bool(archived)
    found.messages, unreadable = _messages(connection, _OF_SESSION, session_id, data)
    found.unreadable = unreadable + values.damaged
    found.saved = found.state
    if found.leaf_id not in found.messages:  # the program was killed before it saved the message
        found.leaf_id = next(reversed(found.messages), None)
    return found


def _messages(
    connection: sqlite3.Connection, which: str, id_: str, data: str = "b.data"
) -> tuple[dict[str, Message], int]:
    """Return messages by ID, and the number of those with unreadable values."""
    rows = [_message(row) for row in connection.execute(_MESSAGES.format(which=which), (id_,))]
    messages = {message.id: message for message, _ in rows}
    _add_deltas(connection, which, id_, messages)
    for message_id, name, media_type, content in connection.execute(
        _ATTACHMENTS.format(which=which, data=data), (id_,)
    ):
        content = content if isinstance(content, bytes) else row_values.to_text(content).encode()
        file = Attachment(row_values.to_text(name), row_values.to_text(media_type), content)
        messages[row_values.to_text(message_id)].attachments += (file,)
    return messages, sum(damaged for _, damaged in rows)


def _add_deltas(connection: sqlite3.Connection, which: str, id_: str, messages: dict[str, Message]) -> None:
    deltas: dict[str, tuple[list[str], list[str]]] = {}
    for message_id, text, reasoning in connection.execute(_DELTAS.format(which=which), (id_,)):
        texts, reasonings = deltas.setdefault(row_values.to_text(message_id), ([], []))
        texts.append(row_values.to_text(text))
        reasonings.append(row_values.to_text(reasoning))
    for message_id, (texts, reasonings) in deltas.items():
        messages[message_id].text += "".join(texts)
        messages[message_id].reasoning += "".join(reasonings)


def _message(row: tuple[Any, ...]) -> tuple[Message, bool]:
    """Return a message, and whether any of its values is unreadable; a repair replaces those in the same way."""
    id_, parent_id, role, text, reasoning, endpoint, model, created, finish_reason, error, usage, timing, recap = row
    values = row_values.LenientRow()
    message = Message(
        values.read(Role, role, Role.ASSISTANT),
        values.text(text),
        values.text(id_),
        parent_id if isinstance(parent_id, str) else None,
        values.read(row_values.timestamp, created, 0.0),
        values.text(reasoning),
        values.text(endpoint),
        values.text(model),
        values.read(FinishReason, finish_reason, None) if finish_reason else None,
        values.text(error),
        values.read(partial(row_values.record, Usage), usage, None),
        values.read(partial(row_values.record, Timing), timing, None),
        recap=values.read(partial(row_values.record, Recap), recap, None),
    )
    return message, values.damaged
