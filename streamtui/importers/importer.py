"""Save imported sessions: add what is missing and leave existing messages unchanged."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from streamtui.core.message import Message, Role
from streamtui.core.session import Session, SessionFilter
from streamtui.importers.import_report import Entry, ParsedSession, UnreadableEntry
from streamtui.storage import Store, StoreError

WAIT_AFTER = 2 << 20
"""Number of queued characters and bytes after which to wait for the disk, to bound memory."""
ALL = -1
"""SQLite's value for no limit."""


class Outcome(StrEnum):
    """The outcome of importing an entry."""

    ADDED = "added"
    UPDATED = "updated"
    """Messages were added to an existing session."""
    UNCHANGED = "unchanged"
    IN_TRASH = "in the trash"
    """The session was deleted here and stays deleted."""
    EMPTY = "empty"
    BROKEN = "unreadable"


@dataclass(frozen=True, slots=True)
class Result:
    """The result of importing one entry."""

    outcome: Outcome
    session_id: str = ""
    title: str = ""
    messages: int = 0
    """The number of messages added."""
    lost: int = 0
    """The number of unreadable messages and attachments."""
    problem: str = ""
    """Why the entry is unreadable, as a sentence."""


class UnsavedError(StoreError):
    """Imported sessions could not be saved."""

    def __init__(self, reason: str, results: list[Result]) -> None:
        """`results`: those reported as added or updated that may not have been saved."""
        super().__init__(reason)
        self.results = results


def import_sessions(entries: Iterable[Entry], store: Store, *, dry_run: bool = False) -> Iterator[Result]:
    """Save the sessions of `entries` one by one and yield the result of each.

    An existing session keeps its title, flags and current branch; only messages with new ids are added, and the
    branch is extended if they follow its end. With `dry_run` nothing is saved. Everything is on disk when the
    iterator ends. Raises StoreError if the database can't be read, UnsavedError if it can't be written.
    """
    importer = _Importer(store, dry_run)
    for entry in entries:
        yield importer.add(entry)
        importer.wait_if_queue_is_full()
    yield from importer.finish()


class _Importer:
    def __init__(self, store: Store, dry_run: bool) -> None:
        self._store = store
        self._dry_run = dry_run
        self._existing = _ids(store, SessionFilter(archived=None))
        self._trash = _ids(store, SessionFilter(archived=None, trashed=True))
        self._added: dict[str, tuple[int, str]] = {}
        """The number of messages and the title of each added session."""
        self._waiting = 0
        self._unconfirmed: list[Result] = []

    def add(self, entry: Entry) -> Result:
        if isinstance(entry, UnreadableEntry):
            return Result(Outcome.BROKEN, problem=entry.problem)
        session = entry.session
        if not session.messages:
            return self._result(Outcome.EMPTY, entry)
        if session.id in self._trash:
            return self._result(Outcome.IN_TRASH, entry)
        if session.id in self._existing:
            return self._merge(entry)
        self._existing.add(session.id)
        self._added[session.id] = (len(session.messages), session.title)
        if not self._dry_run:
            self._store.save_whole(session)
            self._count_queued(session)
        return self._result(Outcome.ADDED, entry, len(session.messages))

    def finish(self) -> Iterator[Result]:
        """Check that all messages were added, as a message id can belong to one session only."""
        if self._unconfirmed:
            self._wait()
        if self._dry_run or not self._added:
            return
        listed = self._store.sessions(ALL, where=SessionFilter(archived=None)).result()
        counts = {summary.id: summary.messages for summary in listed}
        for session_id, (expected, title) in self._added.items():
            if missing := expected - counts.get(session_id, 0):
                count = f"{missing:,} message{'' if missing == 1 else 's'}"
                sentence = f"“{title}”: skipped {count} with the id of a message in another session."
                yield Result(Outcome.BROKEN, session_id, title, lost=missing, problem=sentence)

    def _merge(self, entry: ParsedSession) -> Result:
        if self._dry_run and entry.session.id in self._added:
            return self._result(Outcome.UNCHANGED, entry)
        existing = self._store.session(entry.session.id).result()
        added = [message for message in entry.session.messages.values() if _is_missing(message, existing)]
        if not added:
            return self._result(Outcome.UNCHANGED, entry)
        if not self._dry_run:
            continues = any(message.id == existing.leaf_id for message in entry.session.path())
            existing.leaf_id = entry.session.leaf_id if continues else existing.leaf_id
            existing.updated = max(existing.updated, entry.session.updated)
            self._store.save_session(existing)
            for message in added:
                self._store.save_message(existing.id, message)
            self._count_queued(entry.session)
        return self._result(Outcome.UPDATED, entry, len(added))

    def _result(self, outcome: Outcome, entry: ParsedSession, messages: int = 0) -> Result:
        session = entry.session
        result = Result(outcome, session.id, session.title, messages, entry.lost)
        if messages and not self._dry_run:
            self._unconfirmed.append(result)
        return result

    def wait_if_queue_is_full(self) -> None:
        """Wait for the disk if much is queued. Raises UnsavedError."""
        if self._waiting > WAIT_AFTER:
            self._wait()

    def _count_queued(self, session: Session) -> None:
        for message in session.messages.values():
            self._waiting += len(message.text) + len(message.reasoning)
            self._waiting += sum(len(attachment.data) for attachment in message.attachments)

    def _wait(self) -> None:
        self._waiting = 0
        try:
            self._store.latest().result()  # answered after everything queued before it
        except StoreError as error:
            raise UnsavedError(str(error), self._unconfirmed) from error
        if self._store.save_error:
            raise UnsavedError(self._store.save_error, self._unconfirmed)
        self._unconfirmed.clear()


def _is_missing(message: Message, session: Session) -> bool:
    """Return whether `session` lacks `message` or has only its start, as after a kill or a full disk."""
    existing = session.messages.get(message.id)
    if existing is None:
        return True
    is_cut_short = (
        existing.role is Role.ASSISTANT and existing.finish_reason is None and existing.id not in session.elsewhere
    )
    return is_cut_short and message.finish_reason is not None and message.text.startswith(existing.text)


def _ids(store: Store, where: SessionFilter) -> set[str]:
    return {summary.id for summary in store.sessions(ALL, where=where).result()}
