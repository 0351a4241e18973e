"""A session's tree of messages as rows, indented only where it branches."""

from typing import NamedTuple

from streamtui.core.message import FinishReason, Message, Role
from streamtui.core.session import Session

MOST_INDENT = 12
"""Branching depth up to which rows are indented."""

_ENDINGS = {
    FinishReason.STOPPED: "stopped",
    FinishReason.LENGTH: "cut off",
    FinishReason.CONTENT_FILTER: "filtered",
    FinishReason.TOOL_CALLS: "tool call",
    FinishReason.FAILED: "failed",
}


class Node(NamedTuple):
    """A message in the tree."""

    message: Message
    lines: str
    """The branch lines in front of it."""
    is_shown: bool
    """Whether it is on the current branch."""
    variant: tuple[int, int] | None
    """Its number among its siblings, and how many there are; None without siblings."""

    @property
    def ending(self) -> str:
        """How a reply ended, in a word; "" if it is complete."""
        message = self.message
        if message.role is not Role.ASSISTANT:
            return ""
        return "interrupted" if message.finish_reason is None else _ENDINGS.get(message.finish_reason, "")


def nodes_of(session: Session) -> list[Node]:
    """Return all messages in depth-first order, siblings oldest first.

    A message whose parent is missing starts another tree, as does one in a cycle of parents.
    """
    children: dict[str | None, list[Message]] = {}
    for message in session.messages.values():
        parent = message.parent_id if message.parent_id in session.messages else None
        children.setdefault(parent, []).append(message)
    shown = {message.id for message in session.path()}
    variants = session.variants()
    nodes: dict[str, Node] = {}
    starts = [*_marked(children.get(None, []), ""), *((message, "", "") for message in session.messages.values())]
    for start in starts:
        waiting = [start]
        while waiting:  # no recursion: a conversation can be 5,000 messages deep
            message, lines, below = waiting.pop()
            if message.id not in nodes:
                nodes[message.id] = Node(message, lines, message.id in shown, variants.get(message.id))
                waiting += reversed(_marked(children.get(message.id, []), below))
    return list(nodes.values())


def _marked(siblings: list[Message], below: str) -> list[tuple[Message, str, str]]:
    """Return every sibling with the branch lines of its row, and those of its descendants' rows."""
    if len(siblings) < 2 or len(below) >= 2 * MOST_INDENT:
        return [(message, below, below) for message in siblings]
    *first, last = siblings
    return [*((message, f"{below}├─", f"{below}│ ") for message in first), (last, f"{below}└─", f"{below}  ")]
