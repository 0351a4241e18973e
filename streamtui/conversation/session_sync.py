"""Synchronization of a session that is open in several windows."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, fields

from streamtui.core.message import Message
from streamtui.core.session import Session
from streamtui.storage import Store

CLAIM_TIMEOUT = 2.0
"""Seconds to wait for the database before continuing a reply."""


@dataclass(frozen=True, slots=True)
class SessionUpdates:
    """Changes to a session by other windows since the last poll."""

    added: tuple[Message, ...] = ()
    """New messages, oldest first. They have been added to the session; the current path stays the same."""
    changed: tuple[Message, ...] = ()
    """Messages that another window has extended or finished."""
    deleted: bool = False
    """Whether the session was deleted; the next message saves it again."""

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.deleted)


class SessionSync:
    """Merge the changes of other windows into a session."""

    def __init__(self, session: Session, store: Store) -> None:
        self._session = session
        self._store = store
        self._version: tuple[int, int] | None = None
        self._missing: frozenset[str] = frozenset()
        self._changed: frozenset[str] = frozenset()
        """Messages to reload, known to have been changed by another window."""

    async def poll(self) -> SessionUpdates:
        """Merge changes by other windows and return them. Cheap while nothing changes. Raise StoreError."""
        session, store = self._session, self._store
        if not session.messages or store.save_error:
            return SessionUpdates()
        version = await asyncio.wrap_future(store.version())
        if version == self._version and not session.elsewhere and not self._changed:
            return SessionUpdates()
        known = frozenset(session.messages).difference(session.elsewhere, self._changed)
        beside = await asyncio.wrap_future(store.changes_since(session.id, known))
        replaced = self._version is not None and version[0] != self._version[0]
        self._version = version
        deleted = beside.missing == known and not (self._missing or replaced or store.save_error)
        self._missing = frozenset() if store.save_error else beside.missing
        if replaced:  # not deleted: the database file was moved or replaced
            self.save_missing()
        updates = SessionUpdates(*self._merge(beside.messages), deleted)
        session.title = beside.title or session.title
        session.elsewhere = beside.elsewhere
        return updates

    def _merge(self, messages: tuple[Message, ...]) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
        """Add new messages to the session and update changed ones; return both."""
        session = self._session
        added = tuple(message for message in messages if message.id not in session.messages)
        for message in added:
            session.take_in(message)
        reload = session.elsewhere | self._changed
        changed = [m for m in messages if m.id in reload and m != session.messages[m.id]]
        self._changed = frozenset()
        return added, tuple(_update(message, session.messages[message.id]) for message in changed)

    async def claim(self, message: Message) -> bool:
        """Reserve `message` for writing; return False if another window writes or has changed it.

        Return True if the database doesn't answer in time.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(CLAIM_TIMEOUT):
                if not await asyncio.wrap_future(self._store.claim(message)):
                    self._changed |= {message.id}
                    return False
        return True

    def save_missing(self) -> None:
        """Save messages again that another window or program has deleted. Call it before adding to the session."""
        if self._missing:
            self._store.save_session(self._session)
            for message_id in self._session.messages:
                if message_id in self._missing:
                    self._store.save_message(self._session.id, self._session.messages[message_id])
            self._missing = frozenset()


def _update(source: Message, target: Message) -> Message:
    """Copy the fields of `source` to `target`, which may be on screen, and return it."""
    for field in fields(source):
        setattr(target, field.name, getattr(source, field.name))
    return target
