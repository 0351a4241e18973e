"""SessionSync: what other windows add to the session talked about; it is taken in, and the path shown here stays."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, fields

from streamtui.core.message import Message
from streamtui.core.session import Session
from streamtui.storage import Store

CLAIM_WITHIN = 2.0
"""Seconds to wait for the database before a message is gone on with."""


@dataclass(frozen=True, slots=True)
class SessionUpdates:
    """What has come of a session in other windows since the last look."""

    added: tuple[Message, ...] = ()
    """New messages, oldest first. They are in the session, on no path shown here unless one leads there."""
    grown: tuple[Message, ...] = ()
    """Messages that another window was writing, which say more now, or have ended."""
    deleted: bool = False
    """Whether the session is not saved any more; it is saved again with the next message."""

    def __bool__(self) -> bool:
        return bool(self.added or self.grown or self.deleted)


class SessionSync:
    """The other windows that may have the session open."""

    def __init__(self, session: Session, store: Store) -> None:
        self._session = session
        self._store = store
        self._version: tuple[int, int] | None = None
        self._missing: frozenset[str] = frozenset()
        self._changed: frozenset[str] = frozenset()
        """Messages known to have been changed elsewhere, to be read again."""

    async def poll(self) -> SessionUpdates:
        """Takes in what other windows have added to the session. Cheap while nothing changes. Raises StoreError."""
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
        if replaced:  # nobody has deleted it: the database was moved away, or another put in its place
            self.save_missing()
        news = SessionUpdates(*self._take_in(beside.messages), deleted)
        session.title = beside.title or session.title
        session.elsewhere = beside.elsewhere
        return news

    def _take_in(self, messages: tuple[Message, ...]) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
        """Puts what is new into the session; what was sent here since the question is known by now."""
        session = self._session
        added = tuple(message for message in messages if message.id not in session.messages)
        for message in added:
            session.take_in(message)
        theirs = session.elsewhere | self._changed
        changed = [m for m in messages if m.id in theirs and m != session.messages[m.id]]
        self._changed = frozenset()
        return added, tuple(_copied(message, session.messages[message.id]) for message in changed)

    async def claim(self, message: Message) -> bool:
        """Makes sure that nobody else writes `message` while it is gone on with here; False: somebody did, or does.

        While nothing can be saved, nobody can say: then it goes on.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(CLAIM_WITHIN):
                if not await asyncio.wrap_future(self._store.claim(message)):
                    self._changed |= {message.id}
                    return False
        return True

    def save_missing(self) -> None:
        """Saves again what another window, or another program, has deleted. Call it when the session goes on."""
        if self._missing:
            self._store.save_session(self._session)
            for message_id in self._session.messages:
                if message_id in self._missing:
                    self._store.save_message(self._session.id, self._session.messages[message_id])
            self._missing = frozenset()


def _copied(source: Message, target: Message) -> Message:
    """Makes `target`, which the pane may show, say what `source` says."""
    for field in fields(source):
        setattr(target, field.name, getattr(source, field.name))
    return target
