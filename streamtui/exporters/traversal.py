"""Iterate over the messages of a session in reading order."""

from collections.abc import Iterator
from dataclasses import dataclass

from streamtui.core.message import Message
from streamtui.core.session import Session


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """A message and its position in the tree."""

    message: Message
    variant: tuple[int, int] | None
    """The position among its siblings, from 1, and their number; None without siblings."""
    after: Message | None
    """The parent message, if that is not the previous entry."""


def traverse(session: Session, *, tree: bool = False) -> Iterator[TreeEntry]:
    """Yield the messages of the current branch; with `tree` every message once, branch by branch."""
    variants = session.variants()
    before: str | None = None
    for message in _all_messages(session) if tree else session.path():
        parent = session.messages.get(message.parent_id) if message.parent_id else None
        jumps = before is not None and message.parent_id != before
        yield TreeEntry(message, variants.get(message.id), parent if jumps else None)
        before = message.id


def _all_messages(session: Session) -> Iterator[Message]:
    """Yield all messages depth first, including those with missing parents or in cycles."""
    children: dict[str | None, list[Message]] = {}
    for message in session.messages.values():
        parent = message.parent_id if message.parent_id in session.messages else None
        children.setdefault(parent, []).append(message)
    seen: set[str] = set()
    for start in (*children.get(None, ()), *session.messages.values()):
        waiting = [start]
        while waiting:
            message = waiting.pop()
            if message.id not in seen:
                seen.add(message.id)
                yield message
                waiting += reversed(children.get(message.id, []))
