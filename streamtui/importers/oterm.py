"""Read chats from the database of oterm (``store.db``)."""

import base64
import binascii
import json
from typing import Any

from streamtui.core import coerce
from streamtui.core.message import Attachment, FinishReason, Message, Role
from streamtui.core.parameters import Parameters
from streamtui.core.session import Session
from streamtui.importers.assets import media_type
from streamtui.importers.foreign_database import Database
from streamtui.importers.import_report import ParsedSession
from streamtui.importers.streamtui_json import valid_parameters
from streamtui.importers.tree_builder import Node, build_tree

_ROLES = {"user": Role.USER, "me": Role.USER, "assistant": Role.ASSISTANT, "ollama": Role.ASSISTANT}
"""The roles by author. Before version 0.12, authors were called me and ollama."""
_PARAMETERS = ("temperature", "top_p", "max_tokens", "seed", "stop", "presence_penalty", "frequency_penalty")


def is_supported(database: Database) -> bool:
    """Return whether the database belongs to oterm."""
    return "model" in database.columns("chat") and {"author", "text"} <= database.columns("message")


def chats(database: Database) -> list[dict[str, Any]]:
    """Return the chats, oldest first."""
    rows = list(database.rows("chat", "id name model system provider parameters", "ORDER BY id"))
    # oterm stores no times. To keep the order, chats are dated one minute apart.
    changed = database.path.stat().st_mtime
    return [{**row, "when": changed - 60 * (len(rows) - n)} for n, row in enumerate(rows, 1)]


def session(database: Database, chat: dict[str, Any]) -> ParsedSession:
    """Return a chat as a session. Its ids are stable across imports."""
    rows = list(database.rows("message", "id author text images", "WHERE chat_id = ? ORDER BY id", chat["id"]))
    key = ("oterm", chat["id"], rows[0]["text"] if rows else "")
    found = Session(
        id=coerce.stable_id(*key),
        title=coerce.line(chat["name"]),
        endpoint=coerce.line(chat["provider"]) or "ollama",
        model=coerce.line(chat["model"]),
        system=coerce.text(chat["system"]),
        created=coerce.timestamp(chat["when"]),
        parameters=_parameters(chat["parameters"]),
    )
    nodes: list[Node] = []
    lost = 0
    for row in rows:
        role, images = _ROLES.get(row["author"]), _json(row["images"], list)
        if role is None:
            lost += 1
            continue
        message = Message(role, coerce.text(row["text"]), coerce.stable_id(*key, row["id"]), created=found.created)
        message.attachments = tuple(filter(None, (_image(item, n) for n, item in enumerate(images, 1))))
        lost += len(images) - len(message.attachments)
        if role is Role.ASSISTANT:
            message.endpoint, message.model, message.finish_reason = found.endpoint, found.model, FinishReason.STOP
        nodes.append(Node(message.id, nodes[-1].id if nodes else None, message))
    build_tree(found, nodes)
    return ParsedSession(found, lost)


def _parameters(source: object) -> Parameters:
    """Return the parameters that OpenAI's API has; Ollama calls max_tokens ``num_predict``."""
    found = _json(source, dict)
    if "num_predict" in found:
        found.setdefault("max_tokens", found["num_predict"])
    return valid_parameters({name: found[name] for name in _PARAMETERS if name in found})


def _image(source: object, number: int) -> Attachment | None:
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
