"""The two threads of a store: one executes writes, one executes reads."""

import logging
import math
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar, cast

from streamtui.core.sanitize import clean_line
from streamtui.storage import open_database, purge, row_values
from streamtui.storage.open_database import ImmutableConnection, connect, connect_for_reading
from streamtui.storage.store_error import (
    DATABASE_ERRORS,
    DatabaseError,
    StoreError,
    describe,
    is_undecodable,
    primary_code,
)
from streamtui.storage.write_operations import Operation, merge_deltas

RETRY = 2.0
"""Seconds between attempts to save after a failure."""
PAUSE = 1.0
"""Seconds without a write before the log is checkpointed into the database."""
SYNC_EVERY = 1.0
"""Seconds after which any commit is synced to disk: about every fourth one while a reply streams.

A sync takes 0.1 ms of CPU and, depending on the disk, 0.3 to 30 ms of waiting on this thread; a commit without a sync
takes 0.02 ms.
"""
BATCH = 1000
"""Most operations in one transaction, so that an attempt stays short however long the queue is."""
READ_WAIT = 15.0
"""Seconds a read waits for the writes queued before it, which take two busy timeouts at worst."""
READ_WAIT_FAILING = 0.5
"""The same while saving fails, since a locked database takes 5 s to fail again."""
_MAX_ERROR = 200
"""Characters of an error message to quote."""

_PERMANENT = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError, sqlite3.InterfaceError)
"""SQLite errors that a retry can't fix, such as a file over 1 GB. Keeping the operation would block the queue."""

OnError = Callable[[str, Exception], None]
"""Handles an unexpected error: receives what was being done ("saving sessions"), and the exception."""

_NO_THREADS = "Sessions can't be saved or read: the system can't start another thread. Close other programs."

_log = logging.getLogger("streamtui")

_Result = TypeVar("_Result")
_Connection = sqlite3.Connection | None
_File = tuple[int, int] | None


def log_error(doing: str, error: Exception) -> None:
    """Log an unexpected error with its traceback."""
    _log.error("Unexpected error while %s", doing, exc_info=error)


@dataclass(slots=True)
class _Write:
    """A queued operation and the outcome of the last attempt."""

    operation: Operation
    durable: bool = True
    """Whether to sync it to disk at once, so that it survives a power failure."""
    result: Future[Any] | None = None
    """Receives the return value once it is committed, or the permanent error."""
    returned: object = None
    error: Exception | None = None
    """Why the operation was rolled back permanently."""


class Writer:
    """Executes operations in order; if that fails, keeps them and retries.

    An operation that fails permanently is rolled back alone, reported and dropped.
    """

    def __init__(self, path: Path, on_save_error: Callable[[str], None], on_error: OnError = log_error) -> None:
        self.save_error = ""
        """Why nothing can be saved at the moment, "" if saving works."""
        self.permanent_error = ""
        """Why the last operation that was dropped failed, "" if none was."""
        self._path = path
        self._on_save_error = on_save_error
        self._report = on_error
        self._notified = ""
        self._changed = threading.Condition()
        self._queue: deque[_Write] = deque()
        self._added = 0
        self._tried = 0
        """How many of the added operations have succeeded or failed."""
        self._due = math.inf
        """When to write new operations, on the monotonic clock."""
        self._closing = False
        self._needs_checkpoint = False
        """Whether something was written since the last checkpoint."""
        self._synced = -math.inf
        """When a commit was last synced to disk, on the monotonic clock."""
        self._file: _File = None
        self._thread: threading.Thread | None = None

    def add(
        self,
        operation: Operation,
        within: float = 0.0,
        *,
        durable: bool = True,
        result: Future[Any] | None = None,
    ) -> None:
        """Queue an operation, to be attempted within `within` seconds. Reopens a closed writer.

        If not `durable`, it can be lost in a power failure up to `SYNC_EVERY` seconds after it is written. `result`
        receives the return value once it is committed, or a StoreError.
        """
        with self._changed:
            self._queue.append(_Write(operation, durable, result))
            self._added += 1
            self._due = min(self._due, time.monotonic() + within)
            if self._thread is None:
                self._closing = False
                self._thread = _start_thread(self._run, "store-writer", self._report)
                self.save_error = self.save_error if self._thread else _NO_THREADS
            self._changed.notify_all()

    def position(self) -> int:
        """Return the number of operations added so far, to pass to `wait`."""
        with self._changed:
            return self._added

    def wait(self, position: int) -> None:
        """Wait until the first `position` operations have succeeded or failed."""
        with self._changed:
            if self._tried < position:
                self._due = 0.0
                self._changed.notify_all()
            timeout = READ_WAIT_FAILING if self.save_error else READ_WAIT
            self._changed.wait_for(lambda: self._tried >= position or self._thread is None, timeout)

    def close(self, timeout: float) -> bool:
        """Try for at most `timeout` seconds to write everything queued. Return whether that succeeded."""
        with self._changed:
            thread = self._thread
            self._closing = True
            self._tried = self._added - len(self._queue)
            self._changed.notify_all()
        if thread is not None:
            thread.join(timeout)
        with self._changed:
            if self._queue and not self.save_error:
                name = clean_line(str(self._path))
                self.save_error = (
                    f"Can't save: {name} was still busy after {timeout:.0f} s; close the program that uses it."
                )
            return not (self._queue or self.save_error)

    def _run(self) -> None:
        connection: _Connection = None
        while (batch := self._next()) is not None:
            if batch:
                connection = self._attempt(connection, batch)
            elif connection is not None:
                connection = self._tidy(connection)
        if connection is not None and self._needs_checkpoint:  # closing checkpoints only for the last instance
            connection = self._tidy(connection)
        _close(connection)

    def _next(self) -> list[_Write] | None:
        """Wait for operations and return a batch: an empty one in a pause, None at the end."""
        with self._changed:
            self._wait_for_work()
            failing = self.save_error and self._tried == self._added
            if self._closing and (failing or not self._queue):
                self._thread = None
                self._changed.notify_all()
                return None
            return list(islice(self._queue, BATCH))

    def _wait_for_work(self) -> None:
        """Wait until an operation or a retry is due, or there is a pause."""
        longest = RETRY if self._queue and self.save_error else PAUSE if self._needs_checkpoint else math.inf
        end = time.monotonic() + longest
        while not self._closing and (left := min(self._due, end) - time.monotonic()) > 0:
            self._changed.wait(None if left == math.inf else left)

    def _attempt(self, connection: _Connection, batch: list[_Write]) -> _Connection:
        """Write a batch. Return the connection to reuse, None after a failure, which may have invalidated it."""
        try:
            connection = _if_same_file(connection, self._path, self._file)
            if connection is None:
                connection = connect(self._path)
                self._file = _file(self._path)
                self._commit(connection, [_Write(merge_deltas), *batch])
            else:
                self._commit(connection, batch)
        except Exception as error:  # noqa: BLE001 - the last line of defense
            _close(connection)
            self._fail(error)
            return None
        self._needs_checkpoint = True
        self._settle(batch)
        return connection

    def _commit(self, connection: sqlite3.Connection, writes: list[_Write]) -> None:
        """Write in one transaction. A sync also covers everything committed before."""
        now = time.monotonic()
        sync = now >= self._synced + SYNC_EVERY or any(write.durable for write in writes)
        connection.execute(f"PRAGMA synchronous = {'FULL' if sync else 'NORMAL'}")
        _write(connection, writes)
        if sync:
            self._synced = now

    def _fail(self, error: Exception) -> None:
        """Keep the queue and report why it couldn't be written."""
        expected = isinstance(error, DATABASE_ERRORS)
        reason = describe(cast("DatabaseError", error), self._path) if expected else _reason(error)
        save_error = f"Can't save: {reason}."
        if not expected and save_error != self.save_error:
            self._report("saving sessions", error)
        self._settle([], save_error)

    def _tidy(self, connection: sqlite3.Connection) -> _Connection:
        """Purge and checkpoint in a pause. Return the connection to reuse."""
        try:
            deadline = time.monotonic() + PAUSE
            while purge.is_requested(connection) and not self._queue and time.monotonic() < deadline:
                purge.step(connection)
            self._checkpoint(connection)
            self._needs_checkpoint |= purge.is_requested(connection)
        except Exception as error:  # noqa: BLE001 - the last line of defense
            self._report("tidying the database", error)
            _close(connection)
            return None
        return connection

    def _checkpoint(self, connection: sqlite3.Connection) -> None:
        """Merge the log into the database and sync both to disk.

        If another instance is busy or the disk fails, nothing is lost: the log is kept until the next pause.
        """
        with suppress(sqlite3.Error):
            connection.execute("PRAGMA busy_timeout = 0")
            busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            self._needs_checkpoint = bool(busy)
        connection.execute(f"PRAGMA busy_timeout = {int(open_database.BUSY_TIMEOUT * 1000)}")

    def _settle(self, batch: list[_Write], save_error: str = "") -> None:
        """Remove the written batch from the queue, and report success or failure."""
        dropped = [write for write in batch if write.error is not None]
        with self._changed:
            for _ in batch:
                self._queue.popleft()
            self._tried = self._added - (len(self._queue) if batch else 0)
            self._due = 0.0 if self._queue and batch else math.inf
            self.save_error = save_error
            if dropped:
                self.permanent_error = f"A change couldn't be saved ({_reason(dropped[-1].error)})."
            self._changed.notify_all()
        for write in dropped:
            self._report("saving a change", cast("Exception", write.error))
        for write in batch:
            if write.result is not None:
                error = write.error and StoreError(f"This change couldn't be saved ({_reason(write.error)}).")
                _resolve(write.result, error or write.returned)
        self._notify(save_error or self.permanent_error)

    def _notify(self, save_error: str) -> None:
        """Report a new error, or "" once saving works again."""
        if save_error == self._notified:
            return
        self._notified = save_error
        try:
            self._on_save_error(save_error)
        except RuntimeError:  # raised by an event loop that was closed in the meantime
            _log.debug("The listener of the store is closed", exc_info=True)
        except Exception as error:  # noqa: BLE001 - the last line of defense
            self._report("reporting whether sessions can be saved", error)


def _start_thread(run: Callable[[], None], name: str, report: OnError) -> threading.Thread | None:
    """Start a thread; return None if the system allows no more threads."""
    thread = threading.Thread(target=run, name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        report(f"starting the thread {name}", error)
        return None
    return thread


def _close(connection: _Connection) -> None:
    if connection is not None:
        with suppress(sqlite3.Error):  # it is discarded either way
            connection.close()


def _reason(error: Exception | None) -> str:
    """Return an error message as a clause for the user, with the type of an unexpected one."""
    message = clean_line(str(error))[:_MAX_ERROR]
    return message if isinstance(error, _PERMANENT) else f"unexpected error, {type(error).__name__}: {message}"


def _file(path: Path) -> _File:
    """Return the identity of the file at `path`, None if it doesn't exist."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _if_same_file(connection: _Connection, path: Path, file: _File) -> _Connection:
    """Return the connection if `path` is still the file it was opened for; writes to a moved file would be lost."""
    if connection is not None and _file(path) != file:
        connection.close()
        return None
    return connection


def _is_permanent(error: Exception) -> bool:
    return isinstance(error, _PERMANENT) or str(error) == "user-defined function raised exception"


def _write(connection: sqlite3.Connection, writes: Iterable[_Write]) -> None:
    """Execute `writes` in one transaction; one that fails permanently is rolled back alone."""
    connection.execute("BEGIN IMMEDIATE")
    for write in writes:
        write.error = None
        connection.execute("SAVEPOINT operation")
        try:
            write.returned = write.operation(connection)
        except Exception as error:
            if isinstance(error, DATABASE_ERRORS) and not _is_permanent(error):
                raise
            write.error = error
            connection.execute("ROLLBACK TO operation")
        connection.execute("RELEASE operation")
    connection.execute("COMMIT")


@dataclass(slots=True)
class _Read:
    query: Callable[[sqlite3.Connection], Any]
    result: Future[Any]
    position: int
    """The number of writes that must come before it."""


class Reader:
    """Executes queries in order, each after the writes that were queued before it.

    Canceling a result drops its query, or interrupts it if it is running.
    """

    def __init__(self, path: Path, writer: Writer, on_error: OnError = log_error) -> None:
        self._path = path
        self._writer = writer
        self._report = on_error
        self._queue: SimpleQueue[_Read | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._running: tuple[_Read, sqlite3.Connection] | None = None
        self._file: _File = None
        self.opened = 0
        """How many times the database was opened."""

    def ask(self, query: Callable[[sqlite3.Connection], _Result], *, at_once: bool = False) -> Future[_Result]:
        """Queue a query and return its result, which raises StoreError on failure. `at_once`: ignore pending writes."""
        result: Future[_Result] = Future()
        read = _Read(query, result, 0 if at_once else self._writer.position())
        result.add_done_callback(lambda _: self._interrupt(read))
        with self._lock:
            if self._thread is None:
                self._thread = _start_thread(self._run, "store-reader", self._report)
            if self._thread is not None:
                self._queue.put(read)
        if self._thread is None:
            _resolve(result, StoreError(_NO_THREADS))
        return result

    def close(self, timeout: float) -> None:
        """Finish the queued queries, for at most `timeout` seconds."""
        with self._lock:
            thread, self._thread = self._thread, None
            if thread is not None:
                self._queue.put(None)
        if thread is not None:
            thread.join(timeout)

    def _run(self) -> None:
        connection: _Connection = None
        while read := self._queue.get():
            if not read.result.cancelled():
                connection = self._execute(connection, read)
        _close(connection)

    def _execute(self, connection: _Connection, read: _Read) -> _Connection:
        """Execute one query. Return the connection to reuse, None after a failure, which may have invalidated it."""
        result: object
        reusable = False
        try:
            self._writer.wait(read.position)
            connection = self._connected(connection)
            self._set_running((read, connection))
            result = _query(connection, read)
            reusable = True
        except StoreError as error:
            result, reusable = error, True
        except DATABASE_ERRORS as error:
            reusable = isinstance(error, sqlite3.Error) and primary_code(error) == sqlite3.SQLITE_INTERRUPT
            result = StoreError(f"Can't read the saved sessions: {describe(error, self._path)}.")
        except Exception as error:  # noqa: BLE001 - the last line of defense
            self._report("reading saved sessions", error)
            result = StoreError(f"Can't read the saved sessions: {_reason(error)}.")
        self._set_running(None)
        if not reusable or isinstance(connection, ImmutableConnection):
            _close(connection)
            connection = None
        _resolve(read.result, result)
        return connection

    def _connected(self, connection: _Connection) -> sqlite3.Connection:
        connection = _if_same_file(connection, self._path, self._file)
        if connection is None:
            connection = connect_for_reading(self._path)
            self._file = _file(self._path)
            self.opened += 1
        return connection

    def _set_running(self, running: tuple[_Read, sqlite3.Connection] | None) -> None:
        with self._lock:
            self._running = running

    def _interrupt(self, read: _Read) -> None:
        with self._lock:
            if read.result.cancelled() and self._running is not None and self._running[0] is read:
                self._running[1].interrupt()


def _query(connection: sqlite3.Connection, read: _Read) -> object:
    """Execute a query. If a column isn't UTF-8, retry with a decoder that replaces invalid bytes."""
    try:
        return read.query(connection)
    except sqlite3.OperationalError as error:
        if not is_undecodable(error) or connection.text_factory is row_values.decode:
            raise
        connection.text_factory = row_values.decode
        return read.query(connection)


def _resolve(future: Future[Any], result: object) -> None:
    """Set the result of a future, or its exception if it is a StoreError; ignore a canceled one."""
    with suppress(InvalidStateError):
        if isinstance(result, StoreError):
            future.set_exception(result)
        else:
            future.set_result(result)
