"""Session: a saved chat: its title, its model, a tree of messages and the path through it that is shown."""

import time
from dataclasses import dataclass, field

from streamtui.message import Message, Role, new_id
from streamtui.parameters import Parameters
from streamtui.sanitize import clean_line

TITLE_LENGTH = 60


@dataclass(slots=True)
class Session:
    """A chat. Every message has a parent, so a second reply or an edited prompt overwrites nothing."""

    id: str = field(default_factory=new_id)
    title: str = ""
    endpoint: str = ""
    """Name of the endpoint used last."""
    model: str = ""
    """The model the next prompt goes to."""
    system: str = ""
    """The system prompt."""
    created: float = field(default_factory=time.time)
    """Seconds since the epoch."""
    updated: float = 0.0
    """When its newest message was added, in seconds since the epoch; 0 while it has none."""
    leaf_id: str | None = None
    """The last message of the path shown."""
    messages: dict[str, Message] = field(default_factory=dict)
    """By id, in the order they were added."""
    parameters: Parameters = field(default_factory=Parameters)
    """Set for this session, above those of its endpoint and model."""
    pinned: bool = False
    archived: bool = False

    def add(self, message: Message) -> Message:
        """Puts `message` at the end of the path shown and returns it."""
        return self.attach(message, self.leaf_id)

    def attach(self, message: Message, parent_id: str | None) -> Message:
        """Puts `message` behind the message `parent_id` and returns it; the path follows where it ended there."""
        message.parent_id = parent_id
        self.messages[message.id] = message
        if parent_id == self.leaf_id:
            self.leaf_id = message.id
        self.updated = max(self.updated, message.created)
        if not self.title and message.role is Role.USER:
            self.title = title_from(message.text)
        return message

    def path(self) -> list[Message]:
        """The messages shown, first to last. A parent that is missing or seen before ends the walk."""
        found: dict[str, Message] = {}
        at = self.leaf_id
        while at is not None and at in self.messages and at not in found:
            found[at] = self.messages[at]
            at = self.messages[at].parent_id
        return list(found.values())[::-1]

    def replies_to(self, message_id: str | None) -> list[Message]:
        """The messages whose parent is `message_id`, oldest first."""
        return [m for m in self.messages.values() if m.parent_id == message_id]

    def siblings(self, message: Message) -> list[Message]:
        """The messages with the same parent as `message`, itself included, oldest first."""
        return self.replies_to(message.parent_id)

    def variants(self) -> dict[str, tuple[int, int]]:
        """For every message with siblings, by id: which of them it is, counted from 1, and how many there are."""
        families: dict[str | None, list[str]] = {}
        for message in self.messages.values():
            families.setdefault(message.parent_id, []).append(message.id)
        return {
            message_id: (number, len(family))
            for family in families.values()
            if len(family) > 1
            for number, message_id in enumerate(family, 1)
        }

    def turn(self, message: Message, by: int) -> bool:
        """Shows the sibling of `message` that is `by` further, and what followed it; False where there is none."""
        family = self.siblings(message)
        at = family.index(message) + by
        if not 0 <= at < len(family):
            return False
        newest = {m.parent_id: m.id for m in self.messages.values()}
        leaf, seen = family[at].id, {message.parent_id}
        while leaf not in seen and leaf in newest:
            seen.add(leaf)
            leaf = newest[leaf]
        self.leaf_id = leaf
        return True

    def last(self, role: Role) -> Message | None:
        """The newest message of `role` on the path shown."""
        return next((m for m in reversed(self.path()) if m.role is role), None)


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """A line in the list of saved sessions."""

    id: str
    title: str
    endpoint: str
    model: str
    updated: float
    """Seconds since the epoch."""
    messages: int
    """How many messages it holds, on all branches."""


def title_from(text: str) -> str:
    """Returns a title made of the first line of `text` that says something, at most 60 characters."""
    line = next((clean_line(line) for line in text.splitlines() if clean_line(line).strip("#`>-* ")), "")
    line = line.strip("#`>-* ")
    if len(line) <= TITLE_LENGTH:
        return line
    cut = line[: TITLE_LENGTH - 1]
    return (cut.rpartition(" ")[0].rstrip(",;:. ") or cut) + "…"
