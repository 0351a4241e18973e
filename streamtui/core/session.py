"""Sessions: a title, a model, a tree of messages and the path through it that is shown."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from streamtui.core.message import Message, Role, new_id
from streamtui.core.parameters import Parameters
from streamtui.core.sanitize import clean_line

TITLE_LENGTH = 60

State = tuple[str, str, str, str, str | None, Parameters]
"""Endpoint, its address, model, system prompt, leaf and parameters of a session."""


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
    address: str = field(default="", compare=False)
    """Of the endpoint, without user name, password and query; empty: not known. In no export: a file that is imported
    must not choose where the next prompt goes."""
    pinned: bool = False
    archived: bool = False
    elsewhere: frozenset[str] = field(default=frozenset(), compare=False)
    """The messages that another window was writing when the session was read."""
    unreadable: int = field(default=0, compare=False)
    """Parts of it, messages or its own row, of which the database holds something that can't be read."""
    saved: State | None = field(default=None, compare=False, repr=False)
    """`state` as it was read or saved last: what differs from it was changed here, all else perhaps elsewhere."""

    @property
    def state(self) -> State:
        """What any window may change of the session, its title apart."""
        return self.endpoint, self.address, self.model, self.system, self.leaf_id, self.parameters

    def add(self, message: Message) -> Message:
        """Put `message` at the end of the path shown and returns it."""
        return self.attach(message, self.leaf_id)

    def attach(self, message: Message, parent_id: str | None) -> Message:
        """Put `message` behind the message `parent_id` and returns it; the path follows where it ended there."""
        message.parent_id = parent_id
        self.messages[message.id] = message
        if parent_id == self.leaf_id:
            self.leaf_id = message.id
        self.updated = max(self.updated, message.created)
        if not self.title and message.role is Role.USER:
            self.title = title_from(message.text)
        return message

    def take_in(self, message: Message) -> None:
        """Put a message of another window where it belongs; the path shown here stays as it is."""
        self.messages[message.id] = message
        self.updated = max(self.updated, message.created)

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
        """Show the sibling of `message` that is `by` further, and what followed it; False where there is none."""
        family = self.siblings(message)
        at = family.index(message) + by
        if not 0 <= at < len(family):
            return False
        self._show_branch(family[at])
        return True

    def show(self, message_id: str) -> bool:
        """Make the path shown one that `message_id` is on; False where there is no such message."""
        message = self.messages.get(message_id)
        if message is None:
            return False
        if all(shown.id != message_id for shown in self.path()):
            self._show_branch(message)
        return True

    def _show_branch(self, message: Message) -> None:
        """Show `message` and what followed it, the newest where there is a choice."""
        newest = {m.parent_id: m.id for m in self.messages.values()}
        leaf, seen = message.id, {message.parent_id}
        while leaf not in seen and leaf in newest:
            seen.add(leaf)
            leaf = newest[leaf]
        self.leaf_id = leaf

    def fork(self, message_id: str) -> "Session":
        """Return a new session that says what this one does on the way to the message `message_id`, and no more.

        Raises KeyError.
        """
        way = replace(self, leaf_id=self.messages[message_id].id).path()
        return self._anew(way, message_id, f"{self.title} (fork)")

    def copy(self) -> "Session":
        """Return a new session that says the same, on all branches."""
        return self._anew(list(self.messages.values()), self.leaf_id, f"{self.title} (copy)")

    def _anew(self, messages: list[Message], leaf_id: str | None, title: str) -> "Session":
        """A session with copies of `messages`: an id belongs to one message of one session."""
        ids = {message.id: new_id() for message in messages}
        copies = [replace(m, id=ids[m.id], parent_id=ids.get(m.parent_id or "")) for m in messages]
        return Session(
            title=title,
            endpoint=self.endpoint,
            model=self.model,
            system=self.system,
            updated=time.time(),
            leaf_id=ids.get(leaf_id or ""),
            messages={message.id: message for message in copies},
            parameters=self.parameters,
            address=self.address,
        )

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
    created: float = 0.0
    """Seconds since the epoch."""
    pinned: bool = False
    archived: bool = False


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Which of the saved sessions are meant."""

    words: str = ""
    """Words that the title holds, all of them."""
    endpoint: str = ""
    """The endpoint used last; "" for any."""
    model: str = ""
    """The model the next prompt goes to; "" for any."""
    pinned: bool | None = None
    """None for both."""
    archived: bool | None = False
    """None for both."""
    trashed: bool = False
    """Those in the trash, and no others."""


USUAL = SessionFilter()
"""The sessions that are neither archived nor in the trash."""


def title_from(text: str) -> str:
    """Return a title made of the first line of `text` that says something, at most 60 characters."""
    line = next((clean_line(line) for line in text.splitlines() if clean_line(line).strip("#`>-* ")), "")
    line = line.strip("#`>-* ")
    if len(line) <= TITLE_LENGTH:
        return line
    cut = line[: TITLE_LENGTH - 1]
    return (cut.rpartition(" ")[0].rstrip(",;:. ") or cut) + "…"


def first_sent(path: Sequence[Message]) -> int:
    """Return which message of `path` is the first that is still sent; 0 for all, and where there is none."""
    return next((index for index in range(len(path) - 1, 0, -1) if path[index].recap is not None), 0)
