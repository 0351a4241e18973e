"""What can be read: each function takes a connection and asks it one question."""

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

_PIECES = """
    SELECT p.message_id, p.text, p.reasoning FROM messages m JOIN pieces p ON p.message_id = m.id
    WHERE {which} ORDER BY m.seq, p.n"""

_ATTACHMENTS = """
    SELECT a.message_id, a.name, a.media_type, {data}
    FROM messages m JOIN attachments a ON a.message_id = m.id JOIN blobs b ON b.hash = a.hash
    WHERE {which} ORDER BY m.seq, a.n"""

_OF_SESSION, _OF_MESSAGE = "m.session_id = ?", "m.id = ?"

_SUMMARY = "SELECT title, message_count FROM sessions WHERE id = ?"

_WRITTEN = "SELECT id, written_by FROM messages WHERE session_id = ? AND written_by NOT NULL"

IsAnother = Callable[[str | None], bool]
"""Whether a window is another one that runs."""


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model that was used or made a favourite."""

    name: str
    last_used: float
    """Seconds since the epoch; 0: never."""
    favorite: bool


def latest(connection: sqlite3.Connection, number: int) -> str | None:
    """Returns the id of the newest session (1), of the one before (2), and so on; of those not put away."""
    row = connection.execute(_LATEST, (number - 1,)).fetchone()
    return None if row is None else str(row[0])


@dataclass(frozen=True, slots=True)
class ChangesSince:
    """What other windows have made of a session."""

    messages: tuple[Message, ...] = ()
    """Those not known yet, whole, oldest first."""
    missing: frozenset[str] = frozenset()
    """Those known that are not there any more."""
    elsewhere: frozenset[str] = frozenset()
    """Those that another window is writing now."""
    title: str = ""
    """What the session is called now; "" where it is not there any more."""


def session(connection: sqlite3.Connection, id_or_prefix: str, is_another: IsAnother = lambda _: False) -> Session:
    """Returns a whole session. Raises StoreError if none or several have such an id."""
    connection.execute("BEGIN")  # one view of four tables, while others write
    try:
        found = _session(connection, _full_id(connection, clean(id_or_prefix)))
        found.elsewhere = _elsewhere(connection, found.id, is_another)
        return found
    finally:
        connection.rollback()


def preview(connection: sqlite3.Connection, session_id: str, message_id: str) -> list[Message]:
    """Returns the path shown, or one that `message_id` is on, to look at: files come without what is in them."""
    connection.execute("BEGIN")
    try:
        found = _session(connection, _full_id(connection, clean(session_id)), data="x''")
    finally:
        connection.rollback()
    found.show(message_id)
    return found.path()


def changes_since(
    connection: sqlite3.Connection, session_id: str, known: frozenset[str], is_another: IsAnother
) -> ChangesSince:
    """Returns what of a session is not among the messages `known`."""
    connection.execute("BEGIN")
    try:
        title, count = connection.execute(_SUMMARY, (session_id,)).fetchone() or ("", 0)
        elsewhere = _elsewhere(connection, session_id, is_another)
        if count == len(known):
            return ChangesSince(elsewhere=elsewhere, title=title)
        ids = connection.execute("SELECT id FROM messages WHERE session_id = ? ORDER BY seq", (session_id,))
        there = [str(id_) for (id_,) in ids]
        new = [_messages(connection, _OF_MESSAGE, id_)[0].get(id_) for id_ in there if id_ not in known]
        return ChangesSince(tuple(filter(None, new)), known.difference(there), elsewhere, row_values.replaced(title))
    finally:
        connection.rollback()


def is_as(connection: sqlite3.Connection, message: Message, is_another: IsAnother) -> bool:
    """Returns whether `message` is saved as it is here, or not at all, and no other window is writing it."""
    saved = _messages(connection, _OF_MESSAGE, message.id)[0].get(message.id)
    row = connection.execute("SELECT written_by FROM messages WHERE id = ?", (message.id,)).fetchone()
    return saved is None or (saved.text == message.text and not is_another(row[0]))


def _elsewhere(connection: sqlite3.Connection, session_id: str, is_another: IsAnother) -> frozenset[str]:
    return frozenset(id_ for id_, window in connection.execute(_WRITTEN, (session_id,)) if is_another(window))


def version(connection: sqlite3.Connection) -> int:
    """Returns a number that is another one whenever somebody else has changed the database. Takes 5 us."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


def recall(connection: sqlite3.Connection, key: str) -> str | None:
    """Returns what was remembered last."""
    row = connection.execute("SELECT value FROM memory WHERE key = ?", (clean(key),)).fetchone()
    return None if row is None else str(row[0])


def models(connection: sqlite3.Connection, endpoint: str) -> list[KnownModel]:
    """Returns the models known of an endpoint, the one used last first."""
    query = "SELECT name, last_used, favourite FROM models WHERE endpoint = ? ORDER BY last_used DESC, name"
    found = connection.execute(query, (clean(endpoint),))
    return [
        KnownModel(
            row_values.replaced(name), row_values.Lenient().read(row_values.moment, last_used, 0.0), bool(favourite)
        )
        for name, last_used, favourite in found
    ]


def catalog(connection: sqlite3.Connection, endpoint: str) -> dict[str, ModelInfo]:
    """Returns what a server said of its models, by name."""
    try:
        kept = json.loads(recall(connection, f"catalogue {endpoint}") or "[]")
        return {facts["name"]: row_values.known(ModelInfo, facts) for facts in kept}
    except (ValueError, TypeError, KeyError, RecursionError):
        return {}  # of another version: as good as never asked


def _full_id(connection: sqlite3.Connection, prefix: str) -> str:
    query = "SELECT id FROM sessions WHERE id >= ?1 AND id < ?1 || char(0x10ffff) ORDER BY id LIMIT 2"
    found = [str(row[0]) for row in connection.execute(query, (prefix,))]
    begins = f"an id that begins with “{clean_line(prefix)}”"
    if not found or not prefix:
        raise StoreError(f"No saved session has {begins}; look in the list.")
    if len(found) > 1 and found[0] != prefix:
        raise StoreError(f"Several saved sessions have {begins}; give more of it.")
    return found[0]


def _session(connection: sqlite3.Connection, session_id: str, data: str = "b.data") -> Session:
    query = """SELECT title, endpoint, model, system, created, updated, leaf_id, parameters, address, pinned,
        archived FROM sessions WHERE id = ?"""
    row = connection.execute(query, (session_id,)).fetchone()
    title, endpoint, model, system, created, updated, leaf_id, parameters, address, pinned, archived = row
    values = row_values.Lenient()
    found = Session(session_id, values.text(title), values.text(endpoint), values.text(model), values.text(system))
    found.created, found.updated = (values.read(row_values.moment, when, 0.0) for when in (created, updated))
    found.leaf_id = leaf_id if isinstance(leaf_id, str) else None
    found.parameters = values.read(row_values.parameters, parameters, Parameters())
    found.address = values.text(address)
    found.pinned, found.archived = bool(pinned), bool(archived)
    found.messages, unreadable = _messages(connection, _OF_SESSION, session_id, data)
    found.unreadable = unreadable + values.damaged
    found.saved = found.state
    if found.leaf_id not in found.messages:  # its program was killed before it could save the message
        found.leaf_id = next(reversed(found.messages), None)
    return found


def _messages(
    connection: sqlite3.Connection, which: str, id_: str, data: str = "b.data"
) -> tuple[dict[str, Message], int]:
    """Returns messages by id, and in how many of them something can't be read."""
    read = [_message(row) for row in connection.execute(_MESSAGES.format(which=which), (id_,))]
    messages = {message.id: message for message, _ in read}
    _add_pieces(connection, which, id_, messages)
    for message_id, name, media_type, content in connection.execute(
        _ATTACHMENTS.format(which=which, data=data), (id_,)
    ):
        content = content if isinstance(content, bytes) else row_values.replaced(content).encode()
        file = Attachment(row_values.replaced(name), row_values.replaced(media_type), content)
        messages[row_values.replaced(message_id)].attachments += (file,)
    return messages, sum(damaged for _, damaged in read)


def _add_pieces(connection: sqlite3.Connection, which: str, id_: str, messages: dict[str, Message]) -> None:
    pieces: dict[str, tuple[list[str], list[str]]] = {}
    for message_id, text, reasoning in connection.execute(_PIECES.format(which=which), (id_,)):
        texts, reasonings = pieces.setdefault(row_values.replaced(message_id), ([], []))
        texts.append(row_values.replaced(text))
        reasonings.append(row_values.replaced(reasoning))
    for message_id, (texts, reasonings) in pieces.items():
        messages[message_id].text += "".join(texts)
        messages[message_id].reasoning += "".join(reasonings)


def _message(row: tuple[Any, ...]) -> tuple[Message, bool]:
    """Returns a message, and whether something of it can't be read; `faults` puts the same in its place."""
    id_, parent_id, role, text, reasoning, endpoint, model, created, finish_reason, error, usage, timing, recap = row
    values = row_values.Lenient()
    message = Message(
        values.read(Role, role, Role.ASSISTANT),
        values.text(text),
        values.text(id_),
        parent_id if isinstance(parent_id, str) else None,
        values.read(row_values.moment, created, 0.0),
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
