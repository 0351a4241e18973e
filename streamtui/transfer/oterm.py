"""Chats from the database of oterm (``store.db``)."""

import base64
import binascii
import json
from typing import Any

from streamtui.message import Attachment, FinishReason, Message, Role
from streamtui.parameters import Parameters
from streamtui.session import Session
from streamtui.transfer import values
from streamtui.transfer.assets import media_type
from streamtui.transfer.database import Database
from streamtui.transfer.entries import Found
from streamtui.transfer.from_json import valid_parameters
from streamtui.transfer.growing import Node, grow

_ROLES = {"user": Role.USER, "me": Role.USER, "assistant": Role.ASSISTANT, "ollama": Role.ASSISTANT}
"""The authors; until version 0.12 they were called me and ollama."""
_PARAMETERS = ("temperature", "top_p", "max_tokens", "seed", "stop", "presence_penalty", "frequency_penalty")


def is_this(database: Database) -> bool:
    """Whether it is a database of oterm."""
    return "model" in database.columns("chat") and {"author", "text"} <= database.columns("message")


def chats(database: Database) -> list[dict[str, Any]]:
    """Returns the chats, oldest first."""
    rows = list(database.rows("chat", "id name model system provider parameters", "ORDER BY id"))
    # oterm keeps no times. So that the order stays, each is a minute younger than the one before it.
    changed = database.path.stat().st_mtime
    return [{**row, "when": changed - 60 * (len(rows) - n)} for n, row in enumerate(rows, 1)]


def session(database: Database, chat: dict[str, Any]) -> Found:
    """Returns a chat as a session; the same chat has the same ids whenever it is read."""
    rows = list(database.rows("message", "id author text images", "WHERE chat_id = ? ORDER BY id", chat["id"]))
    key = ("oterm", chat["id"], rows[0]["text"] if rows else "")
    found = Session(
        id=values.identity(*key),
        title=values.line(chat["name"]),
        endpoint=values.line(chat["provider"]) or "ollama",
        model=values.line(chat["model"]),
        system=values.text(chat["system"]),
        created=values.moment(chat["when"]),
        parameters=_parameters(chat["parameters"]),
    )
    nodes: list[Node] = []
    lost = 0
    for row in rows:
        role, pictures = _ROLES.get(row["author"]), _json(row["images"], list)
        if role is None:
            lost += 1
            continue
        message = Message(role, values.text(row["text"]), values.identity(*key, row["id"]), created=found.created)
        message.attachments = tuple(filter(None, (_picture(item, n) for n, item in enumerate(pictures, 1))))
        lost += len(pictures) - len(message.attachments)
        if role is Role.ASSISTANT:
            message.endpoint, message.model, message.finish_reason = found.endpoint, found.model, FinishReason.STOP
        nodes.append(Node(message.id, nodes[-1].id if nodes else None, message))
    grow(found, nodes)
    return Found(found, lost)


def _parameters(source: object) -> Parameters:
    """Those that others know too; Ollama's own word for the limit of tokens is ``num_predict``."""
    found = _json(source, dict)
    if "num_predict" in found:
        found.setdefault("max_tokens", found["num_predict"])
    return valid_parameters({name: found[name] for name in _PARAMETERS if name in found})


def _picture(source: object, number: int) -> Attachment | None:
    try:
        data = base64.b64decode(source if isinstance(source, str) else b"", validate=True)
    except (ValueError, binascii.Error):
        return None
    kind = media_type("", data)
    return Attachment(f"image-{number}.{kind.rpartition('/')[2]}", kind, data) if data else None


def _json(source: object, kind: type[Any]) -> Any:
    try:
        found = json.loads(source) if isinstance(source, str) else None
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, kind) else kind()
