"""The store: saved sessions in one SQLite file. Writes never block or raise; reads return futures."""

import atexit
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from sqlite3 import Connection
from typing import Concatenate, ParamSpec, Self, TypeVar

from streamtui.core.message import Message, Role
from streamtui.core.models import ModelInfo
from streamtui.core.session import USUAL, Session, SessionFilter, SessionSummary
from streamtui.storage import draft_rows, queries, search_queries, write_operations
from streamtui.storage.draft_rows import Draft
from streamtui.storage.instance_lock import InstanceLock
from streamtui.storage.queries import ChangesSince, KnownModel
from streamtui.storage.search_queries import NEWEST, Facets, SearchHit
from streamtui.storage.worker_threads import OnError, Reader, Writer, log_error

DELTA_DELAY = 0.25
"""Longest time in seconds before a delta of a reply is written."""
KEEP_TRASH = 30.0
"""Days before sessions in the trash are deleted permanently."""

_Result = TypeVar("_Result")
_Parameters = ParamSpec("_Parameters")


class Store:
    """The sessions database at `path`, opened (and created if missing) by the first read or write.

    Writing: each call takes a snapshot and returns at once. If the disk fails, pending writes are kept and retried
    every two seconds and with the next call; meanwhile `save_error` says why.

    Reading: each call returns a future (`.result()`, or `await asyncio.wrap_future(...)`) that sees all earlier
    writes, and raises StoreError. Canceling the future interrupts the query.

    Safe to call from any thread.
    """

    def __init__(
        self,
        path: Path,
        on_save_error: Callable[[str], None] | None = None,
        *,
        saves: bool = True,
        on_error: OnError = log_error,
    ) -> None:
        """Set up a store; nothing is opened yet.

        `on_save_error` receives each new value of `save_error` or `permanent_error`, "" once saving works again.
        `on_error` receives every unexpected exception with a description of what was being done. Both are called on
        the store's threads and must return at once. If `saves` is false, writes are discarded; reading works.
        """
        self.path = path
        self.on_save_error = on_save_error
        self.on_error = on_error
        self._writer = Writer(path, self._notify, self._report)
        self._reader = Reader(path, self._writer, self._report)
        self._started = False
        self._saves = saves
        self.instance = InstanceLock(path)
        """Identifies this program to others that use the database."""
        self._drafts: dict[str, Draft] = {}
        """The drafts of this instance by session ID."""
        self._appends: dict[str, write_operations.AppendDelta] = {}
        """The last append to each message that is still streaming."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def save_error(self) -> str:
        """Why nothing can be saved at the moment, as one sanitized sentence; "" if saving works."""
        return self._writer.save_error

    @property
    def permanent_error(self) -> str:
        """Why the last rejected change can never be saved, as one sanitized sentence; "" if none was rejected."""
        return self._writer.permanent_error

    def save_session(self, session: Session) -> None:
        """Save a session's metadata: title, endpoint, model, timestamps, leaf. Its messages are saved separately."""
        self._write(write_operations.save_session(session))
        session.saved = session.state

    def save_message(self, session_id: str, message: Message) -> None:
        """Save or overwrite a complete message. Its text replaces deltas saved by `append_delta`."""
        self._appends.pop(message.id, None)  # later deltas must be written after this
        streaming = message.role is Role.ASSISTANT and message.finish_reason is None
        if streaming:
            self._announce()
        self._write(write_operations.save_message(session_id, message, self.instance.id if streaming else None))

    def claim(self, message: Message) -> Future[bool]:
        """Make this instance the one that writes a saved message.

        False if another instance has changed the message or is writing it. The next `save_message` ends the claim if
        the message is complete. The future stays pending while saving fails.
        """

        def claim(connection: Connection) -> bool:
            free = queries.is_unchanged(connection, message, self.instance.is_other_running)
            if free:
                connection.execute(write_operations.CLAIM, (self.instance.id, message.id))
            return free

        return self._write_and_return(claim, unsaved=True)

    def release(self, message_id: str) -> None:
        """Release a `claim`."""
        self._write(write_operations.release(self.instance.id, message_id), durable=False)

    def append_delta(self, message_id: str, text: str = "", reasoning: str = "") -> None:
        """Append to a saved message that is still streaming, at a cost independent of its length.

        Deltas are batched and written `DELTA_DELAY` seconds after the first, even if the caller's thread is busy.
        The search index is updated by the `save_message` that ends the reply.
        """
        pending = self._appends.get(message_id)
        if pending is None or not pending.add(text, reasoning):
            self._appends[message_id] = pending = write_operations.AppendDelta(message_id, text, reasoning)
            self._write(pending, within=DELTA_DELAY, durable=False)

    def save_draft(self, draft: Draft, session_id: str = "") -> None:
        """Save this instance's draft for a session, or delete it if empty. "" stands for the unsaved session."""
        self._announce()
        before = self._drafts.get(session_id, Draft())
        self._write(draft_rows.save(self.instance.id, session_id, draft, before), durable=False)
        self._drafts[session_id] = draft

    def claim_draft(self, session_id: str = "") -> Future[Draft | None]:
        """Return the newest draft of a session that no other running instance owns, and make it this instance's."""

        def claim(connection: Connection) -> Draft | None:
            draft = draft_rows.claim(connection, self.instance.id, session_id, self.instance.is_other_running)
            self._drafts[session_id] = draft or Draft()
            return draft

        return self._write_and_return(claim, unsaved=None)

    def save_whole(self, session: Session) -> None:
        """Save a session with all its messages and attachments atomically, overwriting what is saved of it."""
        self._write(write_operations.save_whole(session))

    def rename(self, session_id: str, title: str) -> None:
        """Change the title of a session; `save_session` never replaces an existing title."""
        self._write(write_operations.update_session(session_id, "title", title))

    def set_pinned(self, session_id: str, pinned: bool) -> None:
        """Pin a session to the top of the list, or unpin it."""
        self._write(write_operations.update_session(session_id, "pinned", pinned))

    def set_archived(self, session_id: str, archived: bool) -> None:
        """Archive a session (hide it from the default list), or unarchive it."""
        self._write(write_operations.update_session(session_id, "archived", archived))

    def trash(self, session_id: str) -> None:
        """Move a session to the trash. `restore`, or a new message in it, brings it back."""
        self._write(write_operations.update_session(session_id, "trashed", time.time()))

    def restore(self, session_id: str) -> None:
        """Move a session out of the trash."""
        self._write(write_operations.update_session(session_id, "trashed", None))

    def empty_trash(self, days: float = KEEP_TRASH, limit: int = 50) -> None:
        """Permanently delete up to `limit` sessions that have been in the trash for `days`."""
        self._write(write_operations.empty_trash(time.time() - days * 86_400, limit))

    def delete_session(self, session_id: str) -> None:
        """Permanently delete a session and its messages."""
        self._write(write_operations.delete_session(session_id))

    def duplicate(self, session_id: str) -> Future[str]:
        """Save a copy of a session, with new message IDs, and return the ID of the copy."""

        def copy(connection: Connection) -> str:
            duplicate = queries.session(connection, session_id).copy()
            self.save_whole(duplicate)
            return duplicate.id

        return self._read(copy)

    def remember(self, key: str, value: str) -> None:
        """Save a small string under a key, such as the last model used."""
        self._write(write_operations.remember(key, value), durable=False)

    def use_model(self, endpoint: str, model: str) -> None:
        """Record that a model is used now."""
        self._write(write_operations.use_model(endpoint, model, time.time()), durable=False)

    def set_favorite(self, endpoint: str, model: str, favorite: bool) -> None:
        """Mark or unmark a model as a favorite."""
        self._write(write_operations.set_favorite(endpoint, model, favorite))

    def save_catalog(self, endpoint: str, models: Iterable[ModelInfo]) -> None:
        """Save the model metadata reported by a server, replacing what was saved."""
        self._write(write_operations.save_catalog(endpoint, models), durable=False)

    def sessions(self, limit: int = 200, offset: int = 0, where: SessionFilter = USUAL) -> Future[list[SessionSummary]]:
        """Return the saved sessions with messages that match the filter: pinned ones first, then newest first."""
        return self._read(search_queries.sessions, limit, offset, where)

    def count(self, where: SessionFilter = USUAL) -> Future[int]:
        """Return the number of sessions that `sessions` would return without a limit."""
        return self._read(search_queries.count, where)

    def facets(self) -> Future[Facets]:
        """Return the endpoints and models that sessions can be filtered by."""
        return self._read(search_queries.facets)

    def session(self, id_or_prefix: str) -> Future[Session]:
        """Return a session with all its messages, found by its ID or a unique prefix of it.

        A reply without a finish reason was interrupted when the program was killed, unless it is in
        `Session.elsewhere`.
        """
        return self._read(queries.session, id_or_prefix, self.instance.is_other_running)

    def version(self) -> Future[tuple[int, int]]:
        """Return a value that changes whenever any program, including this one, writes. Cheap enough to poll."""
        self._start()
        return self._reader.ask(lambda connection: (self._reader.opened, queries.version(connection)), at_once=True)

    def changes_since(self, session_id: str, known: frozenset[str]) -> Future[ChangesSince]:
        """Return what other instances changed in a session of which the messages `known` are loaded."""
        return self._read(queries.changes_since, session_id, known, self.instance.is_other_running)

    def preview(self, session_id: str, message_id: str = "") -> Future[list[Message]]:
        """Return the current path of a session, or the one through `message_id`; attachments come without content."""
        return self._read(queries.preview, session_id, message_id)

    def latest(self, number: int = 1) -> Future[str | None]:
        """Return the ID of the newest session with messages that is neither archived nor trashed.

        `number` 2 means the second newest, and so on.
        """
        return self._read(queries.latest, number)

    def search(
        self, query: str, limit: int = 50, where: SessionFilter = USUAL, before: int = NEWEST
    ) -> Future[list[SearchHit]]:
        """Return the newest messages that contain every word of `query`; its last word may be incomplete.

        Searches only the sessions that match `where`. To get the next page, pass the last `SearchHit.place` as
        `before`.
        """
        return self._read(search_queries.search, query, limit, where, before)

    def prompts(self, query: str = "", limit: int = 50) -> Future[list[str]]:
        """Return the user's latest prompts that contain every word of `query`, newest first, without duplicates."""
        return self._read(search_queries.prompts, query, limit)

    def recall(self, key: str) -> Future[str | None]:
        """Return the string saved by `remember`."""
        return self._read(queries.recall, key)

    def models(self, endpoint: str) -> Future[list[KnownModel]]:
        """Return the used and favorite models of an endpoint, most recently used first."""
        return self._read(queries.models, endpoint)

    def catalog(self, endpoint: str) -> Future[dict[str, ModelInfo]]:
        """Return the last model metadata reported by a server, by model name; models without any are omitted."""
        return self._read(queries.catalog, endpoint)

    def close(self, timeout: float = 5.0) -> bool:
        """Write everything pending and end both threads, in at most `timeout` seconds.

        Return whether everything is saved; if not, `save_error` or `permanent_error` says why. The store reopens
        with the next call.
        """
        deadline = time.monotonic() + timeout
        saved = self._writer.close(timeout)
        self._reader.close(max(0.0, deadline - time.monotonic()))
        self.instance.close()
        atexit.unregister(self.close)
        self._started = False
        return saved and not self.permanent_error

    def _read(
        self,
        query: Callable[Concatenate[Connection, _Parameters], _Result],
        *args: _Parameters.args,
        **kwargs: _Parameters.kwargs,
    ) -> Future[_Result]:
        self._start()
        return self._reader.ask(lambda connection: query(connection, *args, **kwargs))

    def _write(self, operation: write_operations.Operation, within: float = 0.0, *, durable: bool = True) -> None:
        if self._saves:
            self._start()
            self._writer.add(operation, within, durable=durable)

    def _write_and_return(self, operation: Callable[[Connection], _Result], unsaved: _Result) -> Future[_Result]:
        """Return the result of `operation` once it is committed, or `unsaved` if this store doesn't save."""
        result: Future[_Result] = Future()
        if self._saves:
            self._announce()
            self._writer.add(operation, result=result)
        else:
            result.set_result(unsaved)
        return result

    def _announce(self) -> None:
        """Mark this instance as running, so that others leave alone what it is writing."""

        def announce(_: Connection) -> None:
            with suppress(OSError):  # no file locks: others may assume that this instance has ended
                self.instance.open()

        self._write(announce, durable=False)

    def _start(self) -> None:
        """Ensure that pending writes finish at exit: the threads are daemons, which would die while writing."""
        if not self._started:
            self._started = True
            atexit.register(self.close)

    def _notify(self, save_error: str) -> None:
        if self.on_save_error is not None:
            self.on_save_error(save_error)

    def _report(self, doing: str, error: Exception) -> None:
        try:
            self.on_error(doing, error)
        except Exception as second:  # noqa: BLE001 - a failing error handler must not end the threads
            log_error(doing, error)
            log_error("reporting an error", second)
