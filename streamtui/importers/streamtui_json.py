"""Read sessions from streamtui's own JSON export."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from streamtui.core import coerce
from streamtui.core.message import Attachment, FinishReason, Message, Recap, Role, Timing, Usage
from streamtui.core.parameters import Parameters, parameters_from
from streamtui.core.session import Session
from streamtui.exporters.json_export import FORMAT, VERSION
from streamtui.importers.import_report import EntryError, ParsedSession


def is_session(value: object) -> bool:
    """Return whether `value` is an exported session of any version."""
    return isinstance(value, dict) and value.get("format") == FORMAT


def session_from(value: object) -> ParsedSession:
    """Return the session in an object made by `as_object`. Raises EntryError."""
    source = coerce.mapping(value)
    if not is_session(source):
        raise EntryError("it is not a streamtui session")
    if source.get("version") != VERSION:
        raise EntryError("it was exported by a newer version of streamtui; upgrade first")
    session = Session(
        id=coerce.valid_id(source.get("id")) or coerce.stable_id("json", json.dumps(source, sort_keys=True)),
        title=coerce.line(source.get("title")),
        endpoint=coerce.line(source.get("endpoint")),
        model=coerce.line(source.get("model")),
        system=coerce.text(source.get("system")),
        created=coerce.timestamp(source.get("created")),
        updated=coerce.timestamp(source.get("updated")),
        parameters=valid_parameters(coerce.mapping(source.get("parameters"))),
        pinned=source.get("pinned") is True,
        archived=source.get("archived") is True,
    )
    lost = _add_messages(session, coerce.items(source.get("messages")))
    leaf = coerce.valid_id(source.get("leaf_id"))
    session.leaf_id = leaf if leaf in session.messages else next(reversed(session.messages), None)
    return ParsedSession(session, lost)


def _add_messages(session: Session, sources: list[Any]) -> int:
    """Add messages; return the number of unreadable messages and attachments. Their children are reattached."""
    lost, skipped = 0, dict[str, str | None]()
    for source in map(coerce.mapping, sources):
        message_id, parent_id = (coerce.valid_id(source.get("id")), coerce.valid_id(source.get("parent_id")) or None)
        if source.get("role") not in list(Role) or not message_id or message_id in session.messages:
            lost += 1
            skipped.setdefault(message_id, parent_id)
            continue
        message = session.messages[message_id] = _message(source)
        lost += len(coerce.items(source.get("attachments"))) - len(message.attachments)
        message.parent_id = parent_id
    repair_parents(session.messages, {id_: parent for id_, parent in skipped.items() if id_ not in session.messages})
    return lost


def _message(source: Mapping[str, Any]) -> Message:
    reason = source.get("finish_reason")
    return Message(
        Role(source["role"]),
        coerce.text(source.get("text")),
        coerce.valid_id(source.get("id")),
        created=coerce.timestamp(source.get("created")),
        reasoning=coerce.text(source.get("reasoning")),
        endpoint=coerce.line(source.get("endpoint")),
        model=coerce.line(source.get("model")),
        finish_reason=FinishReason(reason) if reason in list(FinishReason) else None,
        error=coerce.text(source.get("error")),
        usage=_usage(source.get("usage")),
        timing=_timing(source.get("timing")),
        recap=_recap(source.get("recap")),
        attachments=tuple(filter(None, map(_attachment, coerce.items(source.get("attachments"))))),
    )


def _usage(source: object) -> Usage | None:
    if not isinstance(source, dict):
        return None
    tokens = {name: coerce.count(source.get(name)) for name in Usage.__slots__ if name.endswith("_tokens")}
    return Usage(
        **tokens,
        cost=coerce.number(source.get("cost")),
        cost_by_name=source.get("cost_by_name") is True,
        requests=max(1, coerce.count(source.get("requests"))),
        estimated=source.get("estimated") is True,
    )


def _timing(source: object) -> Timing | None:
    if not isinstance(source, dict):
        return None
    first, text, *others = (coerce.number(source.get(name)) for name in Timing.__slots__)
    return Timing(first, text, *(value or 0.0 for value in others))


def _recap(source: object) -> Recap | None:
    if not isinstance(source, dict):
        return None
    text, created = coerce.text(source.get("text")), coerce.timestamp(source.get("created"))
    return Recap(text, created, coerce.line(source.get("model")), _usage(source.get("usage")))


def _attachment(source: object) -> Attachment | None:
    found = coerce.mapping(source)
    try:
        data = base64.b64decode(coerce.text(found["data"]), validate=True)
    except (KeyError, ValueError, binascii.Error):
        return None
    return Attachment(coerce.line(found.get("name")), coerce.line(found.get("media_type")), data)


def valid_parameters(source: dict[str, Any]) -> Parameters:
    """Return the valid parameters of `source`."""
    valid = Parameters()
    for name, value in source.items():
        try:
            valid = parameters_from({name: coerce.json_value(value)}).over(valid)
        except ValueError:
            continue
    return valid


def repair_parents(messages: dict[str, Message], skipped: Mapping[str, str | None]) -> None:
    """Repair parent ids: replace `skipped` parents by their ancestors and break cycles."""
    for message in messages.values():
        message.parent_id = _nearest(message.parent_id, messages, skipped)
    acyclic: set[str] = set()
    for message in messages.values():
        walk: dict[str, Message] = {}
        at: Message | None = message
        while at is not None and at.id not in acyclic and at.id not in walk:
            walk[at.id] = at
            at = messages.get(at.parent_id or "")
        if at is not None and at.id in walk:
            at.parent_id = None
        acyclic.update(walk)


def _nearest(node: str | None, kept: Mapping[str, Message], skipped: Mapping[str, str | None]) -> str | None:
    seen: set[str] = set()
    while node is not None and node not in kept and node in skipped:
        if node in seen:
            return None
        seen.add(node)
        node = skipped[node]
    return node
