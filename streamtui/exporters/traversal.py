"""Outline: the messages of a session in the order in which they are read."""

from collections.abc import Iterator
from dataclasses import dataclass

from streamtui.core.message import Message
from streamtui.core.session import Session


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """A message in its place."""

    message: Message
    variant: tuple[int, int] | None
    """Which of how many siblings it is, counted from 1; None for the only one."""
    after: Message | None
    """The message it follows, where that is not the entry before."""


def traverse(session: Session, *, tree: bool = False) -> Iterator[TreeEntry]:
    """Yields the messages of the path shown; with `tree` every message once, branch after branch."""
    variants = session.variants()
    before: str | None = None
    for message in _whole(session) if tree else session.path():
        parent = session.messages.get(message.parent_id) if message.parent_id else None
        jumps = before is not None and message.parent_id != before
        yield TreeEntry(message, variants.get(message.id), parent if jumps else None)
        before = message.id


def _whole(session: Session) -> Iterator[Message]:
    """Depth first. Where parents are missing or go round in a circle, what is left begins anew."""
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
