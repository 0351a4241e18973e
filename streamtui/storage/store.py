"""Store: the sessions on disk. Writing makes nobody wait and never raises; reading gives futures."""

import atexit
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from pathlib import Path
from sqlite3 import Connection
from typing import Self, TypeVar

from streamtui.core.message import Message, Role
from streamtui.core.models import ModelInfo
from streamtui.core.session import USUAL, Session, SessionFilter, SessionSummary
from streamtui.storage import draft_rows, queries, search_queries, write_operations
from streamtui.storage.draft_rows import Draft
from streamtui.storage.instance_lock import InstanceLock
from streamtui.storage.queries import ChangesSince, KnownModel
from streamtui.storage.search_queries import NEWEST, Facets, SearchHit
from streamtui.storage.worker_threads import OnError, Reader, Writer, log_error

GATHER = 0.25
"""Seconds at most until a piece of a reply is written."""
Answer = TypeVar("Answer")

KEEP_TRASH = 30.0
"""Days until what is in the trash is deleted for good."""


class Store:
    """The database `path`, opened, and made if need be, by the first thing that is written or read.

    Writing: each call takes a snapshot and returns at once. Where the disk fails, all that was to be written
    is kept and tried again, every two seconds and with the next call; `save_error` says why in the meantime.

    Reading: each call returns a future (`.result()`, or `await asyncio.wrap_future(...)`) that sees what was
    written before the call, and raises StoreError. Cancelling it interrupts the query.

    May be called from any thread.
    """

    def __init__(
        self,
        path: Path,
        on_save_error: Callable[[str], None] | None = None,
        *,
        saves: bool = True,
        on_error: OnError = log_error,
    ) -> None:
        """Both callbacks are called on the store's threads and must return at once.

        `on_save_error` is told every change of `save_error`, or else of `permanent_error`; `on_error` of every error
        that nothing foresaw: what was being done, and the exception. Without `saves` what is to be written is
        dropped; reading works.
        """
        self.path = path
        self.on_save_error = on_save_error
        self.on_error = on_error
        self._writer = Writer(path, self._tell, self._report)
        self._reader = Reader(path, self._writer, self._report)
        self._in_use = False
        self._saves = saves
        self.window = InstanceLock(path)
        """What this program is to the others that use the database."""
        self._drafts: dict[str, Draft] = {}
        """The drafts of this window, by session."""
        self._pieces: dict[str, write_operations.Piece] = {}
        """The last piece of each message that grows."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def save_error(self) -> str:
        """Why nothing can be saved at the moment, in one clean sentence; empty when all is well."""
        return self._writer.save_error

    @property
    def permanent_error(self) -> str:
        """Why something was not saved and never will be, in one clean sentence; empty when nothing was left out."""
        return self._writer.permanent_error

    def save_session(self, session: Session) -> None:
        """Saves what the session says of itself: title, endpoint, model, times, leaf. Not its messages."""
        self._write(write_operations.save_session(session))
        session.saved = session.state

    def save_message(self, session_id: str, message: Message) -> None:
        """Saves a whole message, new or again. What was saved of it by `append_delta` is replaced by its text."""
        self._pieces.pop(message.id, None)  # what is added from now on comes after this
        arriving = message.role is Role.ASSISTANT and message.finish_reason is None
        if arriving:
            self._announce()
        self._write(write_operations.save_message(session_id, message, self.window.id if arriving else None))

    def claim(self, message: Message) -> Future[bool]:
        """Makes this window the one that writes a message saved before; False if another has changed it, or does.

        The next `save_message` says whether it is whole. While the disk fails there is no answer.
        """

        def claim(connection: Connection) -> bool:
            free = queries.is_as(connection, message, self.window.is_another)
            if free:
                connection.execute(write_operations.CLAIM, (self.window.id, message.id))
            return free

        return self._ask_writer(claim, unsaved=True)

    def release(self, message_id: str) -> None:
        """Takes a `claim` back."""
        self._write(write_operations.release(self.window.id, message_id), durable=False)

    def append_delta(self, message_id: str, text: str = "", reasoning: str = "") -> None:
        """Adds a piece to a saved message that is still arriving: the same small cost at any length.

        Pieces are gathered and written `GATHER` seconds after the first, whatever the caller's thread is doing then.
        The full-text index follows with the `save_message` that ends the reply.
        """
        piece = self._pieces.get(message_id)
        if piece is None or not piece.add(text, reasoning):
            self._pieces[message_id] = piece = write_operations.Piece(message_id, text, reasoning)
            self._write(piece, within=GATHER, durable=False)

    def save_draft(self, draft: Draft, session_id: str = "") -> None:
        """Save the draft of a session in this window; an empty one is forgotten. "": the session is not saved yet."""
        self._announce()
        before = self._drafts.get(session_id, Draft())
        self._write(draft_rows.save(self.window.id, session_id, draft, before), durable=False)
        self._drafts[session_id] = draft

    def claim_draft(self, session_id: str = "") -> Future[Draft | None]:
        """Return the newest draft of a session that no other running window holds; from now on it is this window's."""

        def take(connection: Connection) -> Draft | None:
            draft = draft_rows.take(connection, self.window.id, session_id, self.window.is_another)
            self._drafts[session_id] = draft or Draft()
            return draft

        return self._ask_writer(take, unsaved=None)

    def save_whole(self, session: Session) -> None:
        """Saves a session with all its messages and attachments in one step, as it is, over what is there of it."""
        self._write(write_operations.save_whole(session))

    def rename(self, session_id: str, title: str) -> None:
        """Gives a session another title; `save_session` never changes one that is there."""
        self._write(write_operations.rename(session_id, title))

    def set_pinned(self, session_id: str, pinned: bool) -> None:
        """Keeps a session at the top of the list, or no longer."""
        self._write(write_operations.set_pinned(session_id, pinned))

    def set_archived(self, session_id: str, archived: bool) -> None:
        """Puts a session away, out of the usual list, or takes it back."""
        self._write(write_operations.set_archived(session_id, archived))

    def trash(self, session_id: str) -> None:
        """Deletes a session, but so that `restore` can bring it back. A new message in it brings it back too."""
        self._write(write_operations.set_trashed(session_id, time.time()))

    def restore(self, session_id: str) -> None:
        """Takes a session out of the trash."""
        self._write(write_operations.set_trashed(session_id, None))

    def empty_trash(self, days: float = KEEP_TRASH, most: int = 50) -> None:
        """Deletes for good what has been in the trash for `days`, at most `most` sessions at a time."""
        self._write(write_operations.empty_trash(time.time() - days * 86_400, most))

    def delete_session(self, session_id: str) -> None:
        """Deletes a session and its messages for good."""
        self._write(write_operations.delete_session(session_id))

    def duplicate(self, session_id: str) -> Future[str]:
        """Saves a copy of a session, with messages of its own, and returns the copy's id."""
        self._begin()

        def copy(connection: Connection) -> str:
            made = queries.session(connection, session_id).copy()
            self.save_whole(made)
            return made.id

        return self._reader.ask(copy)

    def remember(self, key: str, value: str) -> None:
        """Keeps a small string, such as the model used last."""
        self._write(write_operations.remember(key, value), durable=False)

    def use_model(self, endpoint: str, model: str) -> None:
        """Notes that a model is used now."""
        self._write(write_operations.use_model(endpoint, model, time.time()), durable=False)

    def set_favorite(self, endpoint: str, model: str, favourite: bool) -> None:
        """Makes a model a favourite, or no favourite."""
        self._write(write_operations.set_favorite(endpoint, model, favourite))

    def save_catalog(self, endpoint: str, models: Iterable[ModelInfo]) -> None:
        """Keeps what a server says of its models, in place of what it said before."""
        self._write(write_operations.save_catalog(endpoint, models), durable=False)

    def sessions(self, limit: int = 200, offset: int = 0, where: SessionFilter = USUAL) -> Future[list[SessionSummary]]:
        """The saved sessions that have messages and pass the filter, pinned ones first, then newest first."""
        self._begin()
        return self._reader.ask(partial(search_queries.sessions, limit=limit, offset=offset, where=where))

    def count(self, where: SessionFilter = USUAL) -> Future[int]:
        """How many sessions `sessions` would list without a limit."""
        self._begin()
        return self._reader.ask(partial(search_queries.count, where=where))

    def facets(self) -> Future[Facets]:
        """The endpoints and models that occur in sessions, to filter by."""
        self._begin()
        return self._reader.ask(search_queries.facets)

    def session(self, id_or_prefix: str) -> Future[Session]:
        """A session with all its messages, found by its id or a beginning that no other id has.

        A reply without a finish reason was cut short by a kill, unless it is one of `Session.elsewhere`.
        """
        self._begin()
        read = partial(queries.session, id_or_prefix=id_or_prefix, is_another=self.window.is_another)
        return self._reader.ask(read)

    def version(self) -> Future[tuple[int, int]]:
        """Something that is equal only while nobody, this store included, has changed anything. Cheap; ask often."""
        self._begin()
        return self._reader.ask(lambda connection: (self._reader.opened, queries.version(connection)), at_once=True)

    def changes_since(self, session_id: str, known: frozenset[str]) -> Future[ChangesSince]:
        """What other windows have made of a session whose messages `known` need not be read again."""
        self._begin()
        question = partial(queries.changes_since, session_id=session_id, known=known, is_another=self.window.is_another)
        return self._reader.ask(question)

    def preview(self, session_id: str, message_id: str = "") -> Future[list[Message]]:
        """The path of a session, or the one with `message_id` on it, to look at: without the bytes of its files."""
        self._begin()
        return self._reader.ask(partial(queries.preview, session_id=session_id, message_id=message_id))

    def latest(self, number: int = 1) -> Future[str | None]:
        """The id of the newest session that has messages and is neither archived nor in the trash.

        With `number` 2 that of the one before, and so on.
        """
        self._begin()
        return self._reader.ask(partial(queries.latest, number=number))

    def search(
        self, query: str, limit: int = 50, where: SessionFilter = USUAL, before: int = NEWEST
    ) -> Future[list[SearchHit]]:
        """The newest messages that hold every word of `query`, the last of which may be unfinished.

        Only those of sessions that pass `where`; only those saved before the place `before`, to go on behind the
        last `SearchHit.place`.
        """
        self._begin()
        return self._reader.ask(partial(search_queries.search, text=query, limit=limit, where=where, before=before))

    def prompts(self, query: str = "", limit: int = 50) -> Future[list[str]]:
        """What the user asked last in any session and holds every word of `query`, newest first, each text once."""
        self._begin()
        return self._reader.ask(partial(search_queries.prompts, text=query, limit=limit))

    def recall(self, key: str) -> Future[str | None]:
        """What `remember` kept under `key`."""
        self._begin()
        return self._reader.ask(partial(queries.recall, key=key))

    def models(self, endpoint: str) -> Future[list[KnownModel]]:
        """The models of an endpoint that were used or made favourites, the one used last first."""
        self._begin()
        return self._reader.ask(partial(queries.models, endpoint=endpoint))

    def catalog(self, endpoint: str) -> Future[dict[str, ModelInfo]]:
        """What a server said of its models when it was asked last, by name, but for those of which it said nothing."""
        self._begin()
        return self._reader.ask(partial(queries.catalog, endpoint=endpoint))

    def close(self, timeout: float = 5.0) -> bool:
        """Writes what is queued and ends both threads, in at most `timeout` seconds.

        Returns whether everything is saved; if not, `save_error` or `permanent_error` says why. Whatever is called
        afterwards opens the store again.
        """
        deadline = time.monotonic() + timeout
        saved = self._writer.close(timeout)
        self._reader.close(max(0.0, deadline - time.monotonic()))
        self.window.close()
        atexit.unregister(self.close)
        self._in_use = False
        return saved and not self.permanent_error

    def _write(self, operation: write_operations.Operation, within: float = 0.0, *, durable: bool = True) -> None:
        if self._saves:
            self._begin()
            self._writer.add(operation, within, durable=durable)

    def _ask_writer(self, operation: Callable[[Connection], Answer], unsaved: Answer) -> Future[Answer]:
        """Returns what `operation` will return, once that is written; where nothing is saved, `unsaved`."""
        answer: Future[Answer] = Future()
        if self._saves:
            self._announce()
            self._writer.add(operation, answer=answer)
        else:
            answer.set_result(unsaved)
        return answer

    def _announce(self) -> None:
        """Lets other windows see that this one runs, so that they leave alone what it is writing."""

        def announce(_: Connection) -> None:
            with suppress(OSError):  # no locks here: others may take it for ended, and that is all
                self.window.open()

        self._write(announce, durable=False)

    def _begin(self) -> None:
        """The threads are daemons, lest they keep the process alive; without this they would die writing."""
        if not self._in_use:
            self._in_use = True
            atexit.register(self.close)

    def _tell(self, trouble: str) -> None:
        if self.on_save_error is not None:
            self.on_save_error(trouble)

    def _report(self, doing: str, error: Exception) -> None:
        try:
            self.on_error(doing, error)
        except Exception as second:  # noqa: BLE001 - the threads must not end because nobody could be told
            log_error(doing, error)
            log_error("reporting an error", second)
