"""Brings sessions into the store: what is there already stays as it is, only what is missing is added."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from streamtui.core.message import Message, Role
from streamtui.core.session import Session, SessionFilter
from streamtui.importers.import_report import Entry, ParsedSession, UnreadableEntry
from streamtui.storage import Store, StoreError

WAIT_AFTER = 2 << 20
"""Characters and bytes after which the reading waits for the disk; else all of a large file would queue in memory."""
ALL = -1
"""No limit, in SQLite's words."""


class Outcome(StrEnum):
    """What became of an entry."""

    ADDED = "added"
    UPDATED = "updated"
    """It was there, and now has messages that it had not."""
    UNCHANGED = "unchanged"
    IN_TRASH = "in the trash"
    """It was deleted here, so it stays there."""
    EMPTY = "empty"
    BROKEN = "unreadable"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one entry."""

    outcome: Outcome
    session_id: str = ""
    title: str = ""
    messages: int = 0
    """How many were added."""
    lost: int = 0
    """How many messages and attachments could not be read."""
    problem: str = ""
    """Why an entry is unreadable, in a sentence."""


class UnsavedError(StoreError):
    """The store can't be written."""

    def __init__(self, reason: str, results: list[Result]) -> None:
        """`results` were yielded as added or updated, but may not be on the disk."""
        super().__init__(reason)
        self.results = results


def import_sessions(entries: Iterable[Entry], store: Store, *, dry_run: bool = False) -> Iterator[Result]:
    """Saves the sessions of `entries` one by one and yields what became of each.

    A session that is there keeps its title, its marks and the path shown; only messages with new ids are added,
    and the path goes on where they follow its end. With `dry_run` nothing is saved. Raises StoreError where the
    store can't be read and UnsavedError where it can't be written; when this ends, everything is on the disk.
    """
    importer = _Importer(store, dry_run)
    for entry in entries:
        yield importer.take(entry)
        importer.wait_for_the_disk()
    yield from importer.finish()


class _Importer:
    def __init__(self, store: Store, dry_run: bool) -> None:
        self._store = store
        self._dry_run = dry_run
        self._there = _ids(store, SessionFilter(archived=None))
        self._trash = _ids(store, SessionFilter(archived=None, trashed=True))
        self._added: dict[str, tuple[int, str]] = {}
        """How many messages each session that was added has, and its title."""
        self._waiting = 0
        self._unconfirmed: list[Result] = []

    def take(self, entry: Entry) -> Result:
        if isinstance(entry, UnreadableEntry):
            return Result(Outcome.BROKEN, problem=entry.problem)
        session = entry.session
        if not session.messages:
            return self._result(Outcome.EMPTY, entry)
        if session.id in self._trash:
            return self._result(Outcome.IN_TRASH, entry)
        if session.id in self._there:
            return self._merge(entry)
        self._there.add(session.id)
        self._added[session.id] = (len(session.messages), session.title)
        if not self._dry_run:
            self._store.save_whole(session)
            self._weigh(session)
        return self._result(Outcome.ADDED, entry, len(session.messages))

    def finish(self) -> Iterator[Result]:
        """Looks whether all that was added is really there: an id of a message belongs to one session only."""
        if self._unconfirmed:
            self._wait()
        if self._dry_run or not self._added:
            return
        listed = self._store.sessions(ALL, where=SessionFilter(archived=None)).result()
        counts = {summary.id: summary.messages for summary in listed}
        for session_id, (expected, title) in self._added.items():
            if missing := expected - counts.get(session_id, 0):
                sentence = f"“{title}”: {missing} of its messages belong to another session here, and stay there."
                yield Result(Outcome.BROKEN, session_id, title, lost=missing, problem=sentence)

    def _merge(self, entry: ParsedSession) -> Result:
        if self._dry_run and entry.session.id in self._added:
            return self._result(Outcome.UNCHANGED, entry)
        there = self._store.session(entry.session.id).result()
        added = [message for message in entry.session.messages.values() if _is_missing(message, there)]
        if not added:
            return self._result(Outcome.UNCHANGED, entry)
        if not self._dry_run:
            goes_on = any(message.id == there.leaf_id for message in entry.session.path())
            there.leaf_id = entry.session.leaf_id if goes_on else there.leaf_id
            there.updated = max(there.updated, entry.session.updated)
            self._store.save_session(there)
            for message in added:
                self._store.save_message(there.id, message)
            self._weigh(entry.session)
        return self._result(Outcome.UPDATED, entry, len(added))

    def _result(self, outcome: Outcome, entry: ParsedSession, messages: int = 0) -> Result:
        session = entry.session
        result = Result(outcome, session.id, session.title, messages, entry.lost)
        if messages and not self._dry_run:
            self._unconfirmed.append(result)
        return result

    def wait_for_the_disk(self) -> None:
        """Wait until the disk has everything, where much is queued. Raises UnsavedError."""
        if self._waiting > WAIT_AFTER:
            self._wait()

    def _weigh(self, session: Session) -> None:
        for message in session.messages.values():
            self._waiting += len(message.text) + len(message.reasoning)
            self._waiting += sum(len(attachment.data) for attachment in message.attachments)

    def _wait(self) -> None:
        self._waiting = 0
        try:
            self._store.latest().result()  # any answer comes after what was queued before it
        except StoreError as error:
            raise UnsavedError(str(error), self._unconfirmed) from error
        if self._store.save_error:
            raise UnsavedError(self._store.save_error, self._unconfirmed)
        self._unconfirmed.clear()


def _is_missing(message: Message, session: Session) -> bool:
    """Whether `session` has not got `message`, or only the beginning of it, which a kill or a full disk has left."""
    there = session.messages.get(message.id)
    if there is None:
        return True
    is_cut_short = there.role is Role.ASSISTANT and there.finish_reason is None and there.id not in session.elsewhere
    return is_cut_short and message.finish_reason is not None and message.text.startswith(there.text)


def _ids(store: Store, where: SessionFilter) -> set[str]:
    return {summary.id for summary in store.sessions(ALL, where=where).result()}
