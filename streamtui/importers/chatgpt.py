"""Convert conversations of ChatGPT's data export to sessions."""

from collections.abc import Iterator, Mapping
from typing import Any

from streamtui.core import coerce
from streamtui.core.message import FinishReason, Message, Role
from streamtui.core.session import Session
from streamtui.importers.assets import Assets
from streamtui.importers.chatgpt_content import Content, content_of, custom_instructions
from streamtui.importers.import_report import EntryError, ParsedSession
from streamtui.importers.tree_builder import Node, build_tree

ENDPOINT = "ChatGPT"

_FINISHES = {
    "stop": FinishReason.STOP,
    "interrupted": FinishReason.STOPPED,
    "max_tokens": FinishReason.LENGTH,
    "content_filter": FinishReason.CONTENT_FILTER,
}


def is_conversation(value: object) -> bool:
    """Return whether `value` is an entry of ``conversations.json``."""
    return isinstance(value, dict) and isinstance(value.get("mapping"), dict)


def conversation(value: object, assets: Assets) -> ParsedSession:
    """Return an entry of ``conversations.json`` as a session with all branches. Raises EntryError.

    Ids are stable across imports. Intermediate steps of the model (reasoning, tool calls and their output) become
    the reasoning of its reply; hidden messages are left out.
    """
    source = coerce.mapping(value)
    if not is_conversation(source):
        raise EntryError("it is not a ChatGPT conversation")
    mapping = source["mapping"]
    key = coerce.text(source.get("conversation_id")) or coerce.text(source.get("id")) or "\n".join(sorted(mapping))
    session = Session(
        id=coerce.stable_id("chatgpt", key),
        title=coerce.line(source.get("title")),
        endpoint=ENDPOINT,
        created=coerce.timestamp(source.get("create_time")),
        updated=coerce.timestamp(source.get("update_time")),
        pinned=source.get("is_starred") is True or coerce.timestamp(source.get("pinned_time")) > 0,
        archived=source.get("is_archived") is True,
    )
    reader = _Reader(session, key, assets)
    current = source.get("current_node")
    build_tree(session, reader.nodes(mapping), coerce.stable_id("chatgpt", key, current) if current else None)
    session.model = _model(session, coerce.line(source.get("default_model_slug")))
    return ParsedSession(session, reader.lost)


def _model(session: Session, default: str) -> str:
    """Return the default model, or that of the last reply instead of ChatGPT's “auto”."""
    last = session.last(Role.ASSISTANT)
    return default if default not in ("", "auto") else last.model if last else ""


class _Reader:
    """Convert the nodes of one conversation."""

    def __init__(self, session: Session, key: str, assets: Assets) -> None:
        self.lost = 0
        self._session = session
        self._key = key
        self._assets = assets

    def nodes(self, mapping: Mapping[str, Any]) -> Iterator[Node]:
        parents = _parents(mapping)
        for name, source in mapping.items():
            node_id = coerce.stable_id("chatgpt", self._key, name)
            parent = parents.get(name)
            parent_id = coerce.stable_id("chatgpt", self._key, parent) if parent is not None else None
            message = source.get("message") if isinstance(source, dict) else source
            if isinstance(source, dict) and message is None:
                yield Node(node_id, parent_id)
            elif isinstance(source, dict) and isinstance(message, dict):
                yield self._node(node_id, parent_id, message)
            else:
                self.lost += 1
                yield Node(node_id, parent_id)

    def _node(self, node_id: str, parent_id: str | None, source: dict[str, Any]) -> Node:
        role, metadata = (coerce.mapping(source.get("author")).get("role"), coerce.mapping(source.get("metadata")))
        if prompt := custom_instructions(source):
            self._session.system = self._session.system or prompt
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
        if role == "assistant" and source.get("recipient") in (None, "all") and not content.is_step:
            return Node(node_id, parent_id, _reply(node_id, source, content))
        if role in ("assistant", "tool"):
            return Node(node_id, parent_id, None, content.as_step(source), content.attachments)
        self.lost += 1
        return Node(node_id, parent_id)


def _parents(mapping: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the parent of each node: the one it names, else the one that lists it as a child."""
    parents: dict[str, str | None] = {}
    for name, source in mapping.items():
        for child in coerce.items(coerce.mapping(source).get("children")):
            if isinstance(child, str):
                parents.setdefault(child, name)
    for name, source in mapping.items():
        if isinstance(parent := coerce.mapping(source).get("parent"), str):
            parents[name] = parent
    return parents


def _message(role: Role, node_id: str, source: dict[str, Any], content: Content) -> Message:
    created = coerce.timestamp(source.get("create_time"))
    return Message(role, content.text, node_id, created=created, attachments=content.attachments)


def _reply(node_id: str, source: dict[str, Any], content: Content) -> Message:
    metadata = coerce.mapping(source.get("metadata"))
    reply = _message(Role.ASSISTANT, node_id, source, content)
    reply.endpoint, reply.model = ENDPOINT, coerce.line(metadata.get("model_slug"))
    ended = coerce.mapping(metadata.get("finish_details")).get("type")
    unfinished = source.get("status") in ("in_progress", "finished_partial_completion")
    usual = FinishReason.STOPPED if unfinished else FinishReason.STOP
    reply.finish_reason = _FINISHES.get(ended, usual) if isinstance(ended, str) else usual
    return reply
