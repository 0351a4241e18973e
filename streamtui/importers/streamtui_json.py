"""Reads sessions from the JSON that streamtui writes."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from streamtui.core import foreign_values
from streamtui.core.message import Attachment, FinishReason, Message, Recap, Role, Timing, Usage
from streamtui.core.parameters import Parameters, parameters_from
from streamtui.core.session import Session
from streamtui.exporters.json_export import FORMAT, VERSION
from streamtui.importers.import_report import Found, Unreadable


def is_session(value: object) -> bool:
    """Whether `value` is an object that `as_object` made, of any version."""
    return isinstance(value, dict) and value.get("format") == FORMAT


def session_from(value: object) -> Found:
    """Returns the session in an object like those of `as_object`. Raises Unreadable."""
    source = foreign_values.mapping(value)
    if not is_session(source):
        raise Unreadable("it is no session of streamtui")
    if source.get("version") != VERSION:
        raise Unreadable("it was written by a newer streamtui; upgrade this one")
    session = Session(
        id=foreign_values.own_id(source.get("id"))
        or foreign_values.identity("json", json.dumps(source, sort_keys=True)),
        title=foreign_values.line(source.get("title")),
        endpoint=foreign_values.line(source.get("endpoint")),
        model=foreign_values.line(source.get("model")),
        system=foreign_values.text(source.get("system")),
        created=foreign_values.moment(source.get("created")),
        updated=foreign_values.moment(source.get("updated")),
        parameters=valid_parameters(foreign_values.mapping(source.get("parameters"))),
        pinned=source.get("pinned") is True,
        archived=source.get("archived") is True,
    )
    lost = _add_messages(session, foreign_values.items(source.get("messages")))
    leaf = foreign_values.own_id(source.get("leaf_id"))
    session.leaf_id = leaf if leaf in session.messages else next(reversed(session.messages), None)
    return Found(session, lost)


def _add_messages(session: Session, sources: list[Any]) -> int:
    """Returns how many messages and attachments are unreadable. What followed one follows the one before it."""
    lost, skipped = 0, dict[str, str | None]()
    for source in map(foreign_values.mapping, sources):
        message_id, parent_id = (
            foreign_values.own_id(source.get("id")),
            foreign_values.own_id(source.get("parent_id")) or None,
        )
        if source.get("role") not in list(Role) or not message_id or message_id in session.messages:
            lost += 1
            skipped.setdefault(message_id, parent_id)
            continue
        message = session.messages[message_id] = _message(source)
        lost += len(foreign_values.items(source.get("attachments"))) - len(message.attachments)
        message.parent_id = parent_id
    untangle(session.messages, {id_: parent for id_, parent in skipped.items() if id_ not in session.messages})
    return lost


def _message(source: Mapping[str, Any]) -> Message:
    reason = source.get("finish_reason")
    return Message(
        Role(source["role"]),
        foreign_values.text(source.get("text")),
        foreign_values.own_id(source.get("id")),
        created=foreign_values.moment(source.get("created")),
        reasoning=foreign_values.text(source.get("reasoning")),
        endpoint=foreign_values.line(source.get("endpoint")),
        model=foreign_values.line(source.get("model")),
        finish_reason=FinishReason(reason) if reason in list(FinishReason) else None,
        error=foreign_values.text(source.get("error")),
        usage=_usage(source.get("usage")),
        timing=_timing(source.get("timing")),
        recap=_recap(source.get("recap")),
        attachments=tuple(filter(None, map(_attachment, foreign_values.items(source.get("attachments"))))),
    )


def _usage(source: object) -> Usage | None:
    if not isinstance(source, dict):
        return None
    tokens = {name: foreign_values.count(source.get(name)) for name in Usage.__slots__ if name.endswith("_tokens")}
    return Usage(
        **tokens,
        cost=foreign_values.number(source.get("cost")),
        cost_by_name=source.get("cost_by_name") is True,
        requests=max(1, foreign_values.count(source.get("requests"))),
        estimated=source.get("estimated") is True,
    )


def _timing(source: object) -> Timing | None:
    if not isinstance(source, dict):
        return None
    first, text, *others = (foreign_values.number(source.get(name)) for name in Timing.__slots__)
    return Timing(first, text, *(value or 0.0 for value in others))


def _recap(source: object) -> Recap | None:
    if not isinstance(source, dict):
        return None
    text, created = foreign_values.text(source.get("text")), foreign_values.moment(source.get("created"))
    return Recap(text, created, foreign_values.line(source.get("model")), _usage(source.get("usage")))


def _attachment(source: object) -> Attachment | None:
    found = foreign_values.mapping(source)
    try:
        data = base64.b64decode(foreign_values.text(found["data"]), validate=True)
    except (KeyError, ValueError, binascii.Error):
        return None
    return Attachment(foreign_values.line(found.get("name")), foreign_values.line(found.get("media_type")), data)


def valid_parameters(source: dict[str, Any]) -> Parameters:
    """Returns the parameters among `source`; one that is not valid does not take the others with it."""
    valid = Parameters()
    for name, value in source.items():
        try:
            valid = parameters_from({name: foreign_values.cleaned(value)}).over(valid)
        except ValueError:
            continue
    return valid


def untangle(messages: dict[str, Message], skipped: Mapping[str, str | None]) -> None:
    """Mends the parents of `messages`: one that was `skipped` gives way to its own parent, a circle is cut."""
    for message in messages.values():
        message.parent_id = _nearest(message.parent_id, messages, skipped)
    sound: set[str] = set()
    for message in messages.values():
        walk: dict[str, Message] = {}
        at: Message | None = message
        while at is not None and at.id not in sound and at.id not in walk:
            walk[at.id] = at
            at = messages.get(at.parent_id or "")
        if at is not None and at.id in walk:
            at.parent_id = None
        sound.update(walk)


def _nearest(node: str | None, kept: Mapping[str, Message], skipped: Mapping[str, str | None]) -> str | None:
    seen: set[str] = set()
    while node is not None and node not in kept and node in skipped:
        if node in seen:
            return None
        seen.add(node)
        node = skipped[node]
    return node
