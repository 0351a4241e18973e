"""What can be read: each function takes a connection and asks it one question."""

import json
import sqlite3
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
    FROM messages WHERE session_id = ? ORDER BY seq"""

_PIECES = """
    SELECT p.message_id, p.text, p.reasoning FROM messages m JOIN pieces p ON p.message_id = m.id
    WHERE m.session_id = ? ORDER BY m.seq, p.n"""

_ATTACHMENTS = """
    SELECT a.message_id, a.name, a.media_type, {data}
    FROM messages m JOIN attachments a ON a.message_id = m.id JOIN blobs b ON b.hash = a.hash
    WHERE m.session_id = ? ORDER BY m.seq, a.n"""

_Record = TypeVar("_Record", Usage, Timing, Recap, ModelInfo)


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


def session(connection: sqlite3.Connection, id_or_prefix: str) -> Session:
    """Returns a whole session. Raises StoreError if none or several have such an id, or it is spoilt."""
    connection.execute("BEGIN")  # one view of four tables, while others write
    try:
        return _session(connection, _full_id(connection, clean(id_or_prefix)))
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
    rows = connection.execute(_MESSAGES, (session_id,))
    found.messages = messages = {message.id: message for message in map(_message, rows)}
    _add_pieces(connection, session_id, messages)
    for message_id, *parts in connection.execute(_ATTACHMENTS.format(data=data), (session_id,)):
        messages[message_id].attachments += (Attachment(*parts),)
    if found.leaf_id not in messages:  # its program was killed before it could save the message
        found.leaf_id = next(reversed(messages), None)
    return found


def _add_pieces(connection: sqlite3.Connection, session_id: str, messages: dict[str, Message]) -> None:
    pieces: dict[str, tuple[list[str], list[str]]] = {}
    for message_id, text, reasoning in connection.execute(_PIECES, (session_id,)):
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
