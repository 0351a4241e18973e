"""Conversations from ChatGPT's data export."""

from collections.abc import Iterator, Mapping
from typing import Any

from streamtui.core import foreign_values
from streamtui.core.message import FinishReason, Message, Role
from streamtui.core.session import Session
from streamtui.importers.assets import Assets
from streamtui.importers.chatgpt_content import Content, content_of, instructions
from streamtui.importers.import_report import Found, Unreadable
from streamtui.importers.tree_builder import Node, grow

ENDPOINT = "ChatGPT"

_FINISHES = {
    "stop": FinishReason.STOP,
    "interrupted": FinishReason.STOPPED,
    "max_tokens": FinishReason.LENGTH,
    "content_filter": FinishReason.CONTENT_FILTER,
}


def is_conversation(value: object) -> bool:
    """Whether `value` is an entry of ``conversations.json``."""
    return isinstance(value, dict) and isinstance(value.get("mapping"), dict)


def conversation(value: object, assets: Assets) -> Found:
    """Returns an entry of ``conversations.json`` as a session with its whole tree. Raises Unreadable.

    The same entry has the same ids whenever it is read. What the model did before it answered (its thoughts,
    code it ran, pages it read) is in the reasoning of the answer; what ChatGPT hides is left out.
    """
    source = foreign_values.mapping(value)
    if not is_conversation(source):
        raise Unreadable("it is no conversation of ChatGPT")
    mapping = source["mapping"]
    key = (
        foreign_values.text(source.get("conversation_id"))
        or foreign_values.text(source.get("id"))
        or "\n".join(sorted(mapping))
    )
    session = Session(
        id=foreign_values.identity("chatgpt", key),
        title=foreign_values.line(source.get("title")),
        endpoint=ENDPOINT,
        created=foreign_values.moment(source.get("create_time")),
        updated=foreign_values.moment(source.get("update_time")),
        pinned=source.get("is_starred") is True or foreign_values.moment(source.get("pinned_time")) > 0,
        archived=source.get("is_archived") is True,
    )
    reader = _Reader(session, key, assets)
    current = source.get("current_node")
    grow(session, reader.nodes(mapping), foreign_values.identity("chatgpt", key, current) if current else None)
    session.model = _model(session, foreign_values.line(source.get("default_model_slug")))
    return Found(session, reader.lost)


def _model(session: Session, default: str) -> str:
    """ChatGPT's “auto” is no model anybody else knows."""
    last = session.last(Role.ASSISTANT)
    return default if default not in ("", "auto") else last.model if last else ""


class _Reader:
    """Reads the nodes of one conversation."""

    def __init__(self, session: Session, key: str, assets: Assets) -> None:
        self.lost = 0
        self._session = session
        self._key = key
        self._assets = assets

    def nodes(self, mapping: Mapping[str, Any]) -> Iterator[Node]:
        parents = _parents(mapping)
        for name, source in mapping.items():
            node_id = foreign_values.identity("chatgpt", self._key, name)
            parent = parents.get(name)
            parent_id = foreign_values.identity("chatgpt", self._key, parent) if parent is not None else None
            message = source.get("message") if isinstance(source, dict) else source
            if isinstance(source, dict) and message is None:
                yield Node(node_id, parent_id)
            elif isinstance(source, dict) and isinstance(message, dict):
                yield self._node(node_id, parent_id, message)
            else:
                self.lost += 1
                yield Node(node_id, parent_id)

    def _node(self, node_id: str, parent_id: str | None, source: dict[str, Any]) -> Node:
        role, metadata = (
            foreign_values.mapping(source.get("author")).get("role"),
            foreign_values.mapping(source.get("metadata")),
        )
        if told := instructions(source):
            self._session.system = self._session.system or told
            return Node(node_id, parent_id)
        if metadata.get("is_visually_hidden_from_conversation") is True:
            return Node(node_id, parent_id)
        content = content_of(source, self._assets)
        if not content:
            return Node(node_id, parent_id)
        if role == "system":
            if source.get("weight") != 0:
                self._session.system = self._session.system or content.text
            return Node(node_id, parent_id)
        if role == "user":
            return Node(node_id, parent_id, _message(Role.USER, node_id, source, content))
        if role == "assistant" and source.get("recipient") in (None, "all") and not content.is_working:
            return Node(node_id, parent_id, _reply(node_id, source, content))
        if role in ("assistant", "tool"):
            return Node(node_id, parent_id, None, content.working(source), content.attachments)
        self.lost += 1
        return Node(node_id, parent_id)


def _parents(mapping: Mapping[str, Any]) -> dict[str, str | None]:
    """The parent of every node: the one it names, else the one that names it as a child."""
    parents: dict[str, str | None] = {}
    for name, source in mapping.items():
        for child in foreign_values.items(foreign_values.mapping(source).get("children")):
            if isinstance(child, str):
                parents.setdefault(child, name)
    for name, source in mapping.items():
        if isinstance(parent := foreign_values.mapping(source).get("parent"), str):
            parents[name] = parent
    return parents


def _message(role: Role, node_id: str, source: dict[str, Any], content: Content) -> Message:
    created = foreign_values.moment(source.get("create_time"))
    return Message(role, content.text, node_id, created=created, attachments=content.attachments)


def _reply(node_id: str, source: dict[str, Any], content: Content) -> Message:
    metadata = foreign_values.mapping(source.get("metadata"))
    reply = _message(Role.ASSISTANT, node_id, source, content)
    reply.endpoint, reply.model = ENDPOINT, foreign_values.line(metadata.get("model_slug"))
    ended = foreign_values.mapping(metadata.get("finish_details")).get("type")
    unfinished = source.get("status") in ("in_progress", "finished_partial_completion")
    usual = FinishReason.STOPPED if unfinished else FinishReason.STOP
    reply.finish_reason = _FINISHES.get(ended, usual) if isinstance(ended, str) else usual
    return reply
