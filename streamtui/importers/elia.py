"""Chats from the database of Elia (``elia.sqlite``)."""

from typing import Any

from streamtui.core import foreign_values
from streamtui.core.message import FinishReason, Message, Role
from streamtui.core.session import Session
from streamtui.importers.foreign_database import Database
from streamtui.importers.import_report import Found
from streamtui.importers.tree_builder import Node, grow

ENDPOINT = "elia"


def is_this(database: Database) -> bool:
    """Whether it is a database of Elia."""
    return "started_at" in database.columns("chat") and {"role", "content"} <= database.columns("message")


def chats(database: Database) -> list[dict[str, Any]]:
    """Returns the chats, oldest first."""
    return list(database.rows("chat", "id model title started_at archived", "ORDER BY id"))


def session(database: Database, chat: dict[str, Any]) -> Found:
    """Returns a chat as a session; the same chat has the same ids whenever it is read."""
    key = (ENDPOINT, chat["id"], chat["started_at"])
    found = Session(
        id=foreign_values.identity(*key),
        title=foreign_values.line(chat["title"]),
        endpoint=ENDPOINT,
        model=foreign_values.line(chat["model"]),
        created=foreign_values.iso_moment(chat["started_at"]),
        archived=bool(chat["archived"]),
    )
    nodes: dict[str, Node] = {}
    before: str | None = None
    lost = 0
    names = "id role content timestamp parent_id model"
    for row in database.rows("message", names, "WHERE chat_id = ? ORDER BY id", chat["id"]):
        if row["role"] == "system":
            found.system = found.system or foreign_values.text(row["content"])
        elif row["role"] in ("user", "assistant"):
            message = _message(row, foreign_values.identity(*key, row["id"]))
            parent = foreign_values.identity(*key, row["parent_id"])
            # Elia's own chats name no parents.
            nodes[message.id] = Node(message.id, parent if parent in nodes else before, message)
            before = message.id
        else:
            lost += 1
    grow(found, nodes.values())
    return Found(found, lost)


def _message(row: dict[str, Any], message_id: str) -> Message:
    created = foreign_values.iso_moment(row["timestamp"])
    message = Message(Role(row["role"]), foreign_values.text(row["content"]), message_id, created=created)
    if message.role is Role.ASSISTANT:
        message.endpoint, message.model = ENDPOINT, foreign_values.line(row["model"])
        message.finish_reason = FinishReason.STOP
    return message
