"""Read chats from the database of Elia (``elia.sqlite``)."""

from typing import Any

from streamtui.core import coerce
from streamtui.core.message import FinishReason, Message, Role
from streamtui.core.session import Session
from streamtui.importers.foreign_database import Database
from streamtui.importers.import_report import ParsedSession
from streamtui.importers.tree_builder import Node, build_tree

ENDPOINT = "elia"


def is_supported(database: Database) -> bool:
    """Return whether the database belongs to Elia."""
    return "started_at" in database.columns("chat") and {"role", "content"} <= database.columns("message")


def chats(database: Database) -> list[dict[str, Any]]:
    """Return the chats, oldest first."""
    return list(database.rows("chat", "id model title started_at archived", "ORDER BY id"))


def session(database: Database, chat: dict[str, Any]) -> ParsedSession:
    """Return a chat as a session. Its ids are stable across imports."""
    key = (ENDPOINT, chat["id"], chat["started_at"])
    found = Session(
        id=coerce.stable_id(*key),
        title=coerce.line(chat["title"]),
        endpoint=ENDPOINT,
        model=coerce.line(chat["model"]),
        created=coerce.iso_timestamp(chat["started_at"]),
        archived=bool(chat["archived"]),
    )
    nodes: dict[str, Node] = {}
    before: str | None = None
    lost = 0
    names = "id role content timestamp parent_id model"
    for row in database.rows("message", names, "WHERE chat_id = ? ORDER BY id", chat["id"]):
        if row["role"] == "system":
            found.system = found.system or coerce.text(row["content"])
        elif row["role"] in ("user", "assistant"):
            message = _message(row, coerce.stable_id(*key, row["id"]))
            parent = coerce.stable_id(*key, row["parent_id"])
            # Elia itself sets no parents.
            nodes[message.id] = Node(message.id, parent if parent in nodes else before, message)
            before = message.id
        else:
            lost += 1
    build_tree(found, nodes.values())
    return ParsedSession(found, lost)


def _message(row: dict[str, Any], message_id: str) -> Message:
    created = coerce.iso_timestamp(row["timestamp"])
    message = Message(Role(row["role"]), coerce.text(row["content"]), message_id, created=created)
    if message.role is Role.ASSISTANT:
        message.endpoint, message.model = ENDPOINT, coerce.line(row["model"])
        message.finish_reason = FinishReason.STOP
    return message
