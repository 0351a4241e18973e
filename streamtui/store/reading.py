"""What can be read: each function takes a connection and asks it one question."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

from streamtui.message import Attachment, FinishReason, Message, Recap, Role, Timing, Usage
from streamtui.models import ModelInfo
from streamtui.parameters import parameters_from
from streamtui.sanitize import clean, clean_line
from streamtui.session import Session
from streamtui.store.errors import StoreError

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

_Record = TypeVar("_Record", Usage, Timing, Recap, ModelInfo)
IsAnother = Callable[[str | None], bool]
"""Whether a window is another one that runs."""


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model that was used or made a favourite."""

    name: str
    last_used: float
    """Seconds since the epoch; 0: never."""
    favourite: bool


def latest(connection: sqlite3.Connection, number: int) -> str | None:
    """Returns the id of the newest session (1), of the one before (2), and so on; of those not put away."""
    row = connection.execute(_LATEST, (number - 1,)).fetchone()
    return None if row is None else str(row[0])


@dataclass(frozen=True, slots=True)
class Beside:
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
    """Returns a whole session. Raises StoreError if none or several have such an id, or it is spoilt."""
    connection.execute("BEGIN")  # one view of four tables, while others write
    try:
        found = _session(connection, _full_id(connection, clean(id_or_prefix)))
        found.elsewhere = _elsewhere(connection, found.id, is_another)
        return found
    except ValueError as error:
        raise _spoilt(error) from error
    finally:
        connection.rollback()


def glance(connection: sqlite3.Connection, session_id: str, message_id: str) -> list[Message]:
    """Returns the path shown, or one that `message_id` is on, to look at: files come without what is in them."""
    connection.execute("BEGIN")
    try:
        found = _session(connection, _full_id(connection, clean(session_id)), data="x''")
    except ValueError as error:
        raise _spoilt(error) from error
    finally:
        connection.rollback()
    found.show(message_id)
    return found.path()


def beside(connection: sqlite3.Connection, session_id: str, known: frozenset[str], is_another: IsAnother) -> Beside:
    """Returns what of a session is not among the messages `known`. Raises StoreError if it is spoilt."""
    connection.execute("BEGIN")
    try:
        title, count = connection.execute(_SUMMARY, (session_id,)).fetchone() or ("", 0)
        elsewhere = _elsewhere(connection, session_id, is_another)
        if count == len(known):
            return Beside(elsewhere=elsewhere, title=title)
        rows = connection.execute("SELECT id FROM messages WHERE session_id = ? ORDER BY seq", (session_id,))
        there = [str(id_) for (id_,) in rows]
        new = [_messages(connection, _OF_MESSAGE, id_)[id_] for id_ in there if id_ not in known]
        return Beside(tuple(new), known.difference(there), elsewhere, title)
    except ValueError as error:
        raise _spoilt(error) from error
    finally:
        connection.rollback()


def is_as(connection: sqlite3.Connection, message: Message, is_another: IsAnother) -> bool:
    """Returns whether `message` is saved as it is here, or not at all, and no other window is writing it."""
    saved = _messages(connection, _OF_MESSAGE, message.id).get(message.id)
    row = connection.execute("SELECT written_by FROM messages WHERE id = ?", (message.id,)).fetchone()
    return saved is None or (saved.text == message.text and not is_another(row[0]))


def _elsewhere(connection: sqlite3.Connection, session_id: str, is_another: IsAnother) -> frozenset[str]:
    return frozenset(id_ for id_, window in connection.execute(_WRITTEN, (session_id,)) if is_another(window))


def version(connection: sqlite3.Connection) -> int:
    """Returns a number that is another one whenever somebody else has changed the database. Takes 5 us."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


def _spoilt(error: ValueError) -> StoreError:
    problem = clean_line(str(error))
    return StoreError(f"A message of this session has been changed by another program: {problem}.")


def recall(connection: sqlite3.Connection, key: str) -> str | None:
    """Returns what was remembered last."""
    row = connection.execute("SELECT value FROM memory WHERE key = ?", (clean(key),)).fetchone()
    return None if row is None else str(row[0])


def models(connection: sqlite3.Connection, endpoint: str) -> list[KnownModel]:
    """Returns the models known of an endpoint, the one used last first."""
    query = "SELECT name, last_used, favourite FROM models WHERE endpoint = ? ORDER BY last_used DESC, name"
    rows = connection.execute(query, (clean(endpoint),))
    return [KnownModel(name, last_used, bool(favourite)) for name, last_used, favourite in rows]


def catalogue(connection: sqlite3.Connection, endpoint: str) -> dict[str, ModelInfo]:
    """Returns what a server said of its models, by name."""
    try:
        kept = json.loads(recall(connection, f"catalogue {endpoint}") or "[]")
        return {facts["name"]: _known(ModelInfo, facts) for facts in kept}
    except (ValueError, TypeError, KeyError):
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
    query = """SELECT id, title, endpoint, model, system, created, updated, leaf_id, parameters, pinned, archived
        FROM sessions WHERE id = ?"""
    *row, parameters, pinned, archived = connection.execute(query, (session_id,)).fetchone()
    found = Session(*row)
    found.parameters = parameters_from(json.loads(parameters))
    found.pinned, found.archived = bool(pinned), bool(archived)
    found.messages = _messages(connection, _OF_SESSION, session_id, data)
    found.saved = found.state
    if found.leaf_id not in found.messages:  # its program was killed before it could save the message
        found.leaf_id = next(reversed(found.messages), None)
    return found


def _messages(connection: sqlite3.Connection, which: str, id_: str, data: str = "b.data") -> dict[str, Message]:
    rows = connection.execute(_MESSAGES.format(which=which), (id_,))
    messages = {message.id: message for message in map(_message, rows)}
    _add_pieces(connection, which, id_, messages)
    for message_id, *parts in connection.execute(_ATTACHMENTS.format(which=which, data=data), (id_,)):
        messages[message_id].attachments += (Attachment(*parts),)
    return messages


def _add_pieces(connection: sqlite3.Connection, which: str, id_: str, messages: dict[str, Message]) -> None:
    pieces: dict[str, tuple[list[str], list[str]]] = {}
    for message_id, text, reasoning in connection.execute(_PIECES.format(which=which), (id_,)):
        texts, reasonings = pieces.setdefault(message_id, ([], []))
        texts.append(text)
        reasonings.append(reasoning)
    for message_id, (texts, reasonings) in pieces.items():
        messages[message_id].text += "".join(texts)
        messages[message_id].reasoning += "".join(reasonings)


def _message(row: tuple[str, ...]) -> Message:
    id_, parent_id, role, text, reasoning, endpoint, model, created, finish_reason, error, usage, timing, recap = row
    return Message(
        Role(role),
        text,
        id_,
        parent_id,
        float(created),
        reasoning,
        endpoint,
        model,
        FinishReason(finish_reason) if finish_reason else None,
        error,
        _record(Usage, usage),
        _record(Timing, timing),
        recap=_recap(recap),
    )


def _recap(text: str | None) -> Recap | None:
    if text is None:
        return None
    usage = json.loads(text).get("usage")
    recap = _record(Recap, text)
    return recap and replace(recap, usage=_record(Usage, json.dumps(usage)) if usage else None)


def _record(kind: type[_Record], text: str | None) -> _Record | None:
    return None if text is None else _known(kind, json.loads(text))


def _known(kind: type[_Record], values: dict[str, Any]) -> _Record:
    """A field that this version doesn't know is left out."""
    known = {field.name for field in fields(kind)}
    return kind(**{name: value for name, value in values.items() if name in known})
