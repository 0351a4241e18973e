"""Build the message tree of a session from the nodes of another program."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from streamtui.core.message import Attachment, FinishReason, Message, Role
from streamtui.core.session import Session, title_from

_BACKTICKS = re.compile(r"`{3,}")


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a conversation tree."""

    id: str
    """The id for its message."""
    parent_id: str | None
    message: Message | None = None
    """None for an intermediate step of the model and for an empty node."""
    steps: str = ""
    """An intermediate step as Markdown; it becomes part of the reasoning of the next reply."""
    attachments: tuple[Attachment, ...] = ()
    """Files made by the step."""


def build_tree(session: Session, nodes: Iterable[Node], current: str | None = None) -> None:
    """Add the messages of `nodes` to `session`, oldest first, and select the branch with `current` or the newest.

    A missing parent makes a root, cycles are broken, and a message without a timestamp gets that of its parent or
    of the session.
    """
    builder = _TreeBuilder({node.id: node for node in nodes}, session.created)
    builder.build()
    in_order = [message for _, message in sorted(builder.found, key=lambda pair: pair[0])]
    session.messages = {message.id: message for message in in_order}
    newest = in_order[-1].id if in_order else None
    session.leaf_id = builder.shown.get(current or "") or newest
    session.created = session.created or (in_order[0].created if in_order else 0.0)
    session.updated = max([session.updated, *(message.created for message in in_order)])
    if not session.title:
        session.title = title_from(next((m.text for m in in_order if m.role is Role.USER), ""))


@dataclass(frozen=True, slots=True)
class _Position:
    """The state above a node: the last message and the steps since."""

    message_id: str | None = None
    created: float = 0.0
    order: float = 0.0
    """The latest timestamp among the ancestors, so that no message sorts before its parent."""
    steps: str = ""
    attachments: tuple[Attachment, ...] = ()
    step_id: str = ""
    """The id of the last step."""


class _TreeBuilder:
    def __init__(self, nodes: dict[str, Node], created: float) -> None:
        self._created = created
        self.found: list[tuple[float, Message]] = []
        self.shown: dict[str, str | None] = {}
        """The id of the message that shows each visited node."""
        self._nodes = nodes
        self._added: set[str] = set()
        self._children: dict[str | None, list[Node]] = {}
        for node in nodes.values():
            parent = node.parent_id if node.parent_id in nodes else None
            self._children.setdefault(parent, []).append(node)

    def build(self) -> None:
        """Visit all nodes, parents first. A cycle starts at its first node."""
        for start in (*self._children.get(None, ()), *self._nodes.values()):
            stack = [(start, _Position(created=self._created))]
            while stack:
                node, position = stack.pop()
                if node.id not in self.shown:
                    children = self._children.get(node.id, [])
                    position = self._step(node, position, last=not children)
                    self.shown[node.id] = position.message_id
                    stack += [(child, position) for child in reversed(children)]

    def _step(self, node: Node, position: _Position, *, last: bool) -> _Position:
        message = node.message
        if message is None:
            if node.steps or node.attachments:
                position = replace(
                    position,
                    steps=_joined(position.steps, node.steps),
                    attachments=position.attachments + node.attachments,
                    step_id=node.id,
                )
            return self._flush_steps(position) if last else position
        if message.role is not Role.ASSISTANT:
            return self._add(message, self._flush_steps(position))
        message.reasoning = _joined(position.steps, message.reasoning)
        message.attachments = position.attachments + message.attachments
        return self._add(message, position)

    def _flush_steps(self, position: _Position) -> _Position:
        """Add steps that no reply follows as a message without text."""
        if not position.step_id:
            return position
        reply = Message(
            Role.ASSISTANT,
            id=position.step_id,
            created=0.0,
            reasoning=position.steps,
            finish_reason=FinishReason.STOPPED,
            attachments=position.attachments,
        )
        return self._add(reply, position)

    def _add(self, message: Message, position: _Position) -> _Position:
        message.parent_id = position.message_id
        message.created = message.created or position.created
        order = max(position.order, message.created)
        if message.id not in self._added:
            self._added.add(message.id)
            self.found.append((order, message))
        return _Position(message.id, message.created, order)


def _joined(*texts: str) -> str:
    return "\n\n".join(filter(None, texts))


def fenced(text: str, language: str = "") -> str:
    """Return `text` in a Markdown code fence longer than any fence in it."""
    fence = "`" * (1 + max(map(len, _BACKTICKS.findall(text)), default=2))
    return f"{fence}{language}\n{text.strip(chr(10))}\n{fence}"
