"""Branches: a session's tree of messages as lines, one below another, indented only where it branches."""

from typing import NamedTuple

from streamtui.core.message import FinishReason, Message, Role
from streamtui.core.session import Session

MOST_INDENT = 12
"""Branchings that are shown as such; deeper ones are not indented any further."""

_ENDINGS = {
    FinishReason.STOPPED: "stopped",
    FinishReason.LENGTH: "cut off",
    FinishReason.CONTENT_FILTER: "withheld",
    FinishReason.TOOL_CALLS: "wanted tools",
    FinishReason.FAILED: "failed",
}


class Node(NamedTuple):
    """A message in the tree."""

    message: Message
    lines: str
    """What leads to it: the lines of the branches."""
    is_shown: bool
    """Whether it is on the path shown."""
    variant: tuple[int, int] | None
    """Which of how many siblings it is; None for the only one."""

    @property
    def ending(self) -> str:
        """How a reply ended, in a word; "" where it is as it should be."""
        message = self.message
        if message.role is not Role.ASSISTANT:
            return ""
        return "interrupted" if message.finish_reason is None else _ENDINGS.get(message.finish_reason, "")


def nodes_of(session: Session) -> list[Node]:
    """Returns all messages, every one before what follows it, siblings oldest first.

    A message whose parent is missing begins a tree of its own, as does one in a ring of parents.
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
    """Every sibling with the lines before it, and those before what follows it."""
    if len(siblings) < 2 or len(below) >= 2 * MOST_INDENT:
        return [(message, below, below) for message in siblings]
    *first, last = siblings
    return [*((message, f"{below}├─", f"{below}│ ") for message in first), (last, f"{below}└─", f"{below}  ")]
