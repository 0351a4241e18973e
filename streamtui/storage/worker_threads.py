"""The two threads behind a store: one writes what is queued, one answers questions."""

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
from streamtui.storage.open_database import FrozenView, connect, connect_for_reading
from streamtui.storage.store_error import TROUBLE, ErrorKind, StoreError, describe, is_undecodable, primary_code
from streamtui.storage.write_operations import Operation, fold_pieces

RETRY = 2.0
"""Seconds between two attempts to save what could not be saved."""
PAUSE = 1.0
"""Seconds without a write after which the log is worked into the database."""
SYNC_EVERY = 1.0
"""Seconds after which a commit is synced to the disk, whatever it holds: about every fourth of a reply. A sync takes
0.1 ms of CPU and, by the disk, 0.3 to 30 ms of waiting on this thread; a commit without one takes 0.02 ms."""
BATCH = 1000
"""So many operations go into one transaction: an attempt stays short however long the queue got."""
PATIENCE = 15.0
"""Seconds a read waits for the writes queued before it; they take two busy timeouts at worst."""
PATIENCE_IN_TROUBLE = 0.5
"""The same while saving fails: a locked database takes 5 s to fail again."""
_REASON = 200
"""Characters of an error that are quoted."""

_PERMANENT = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError, sqlite3.InterfaceError)
"""SQLite's errors that no retry will fix (a file of 1 GB, SQLite's limit; a row that another program has changed):
keeping the operation would hold up everything behind it."""

OnError = Callable[[str, Exception], None]
"""Told of an error that nothing in the program foresaw: what was being done, as a participle clause, and the error."""

_NO_THREADS = "Sessions can be neither saved nor read: the system can't start another thread; close other programs."

_log = logging.getLogger("streamtui")

_Answer = TypeVar("_Answer")
_Connection = sqlite3.Connection | None
_File = tuple[int, int] | None


def log_error(doing: str, error: Exception) -> None:
    """Logs an unexpected error with its traceback."""
    _log.error("Unexpected error while %s", doing, exc_info=error)


@dataclass(slots=True)
class _Write:
    """An operation that waits for its turn, and how the last attempt ended."""

    operation: Operation
    durable: bool = True
    """Whether it has to survive a power failure as soon as it is written."""
    answer: Future[Any] | None = None
    """Gets what the operation returned once it is committed, or why it was left out."""
    result: object = None
    error: Exception | None = None
    """Why the operation was rolled back, alone."""


class Writer:
    """Writes operations in the order they came; when that fails it keeps them and tries again.

    An operation that can never be written is rolled back alone, reported and left out.
    """

    def __init__(self, path: Path, tell: Callable[[str], None], on_error: OnError = log_error) -> None:
        self.save_error = ""
        """Why nothing can be written at the moment."""
        self.permanent_error = ""
        """Why the last operation that was left out could not be written."""
        self._path = path
        self._tell = tell
        self._report = on_error
        self._told = ""
        self._changed = threading.Condition()
        self._queue: deque[_Write] = deque()
        self._added = 0
        self._tried = 0
        """How many of all operations added were written, or failed to be."""
        self._due = math.inf
        """When to write what is new, on the monotonic clock."""
        self._closing = False
        self._logged = False
        """Whether something was written since the log was worked in."""
        self._synced = -math.inf
        """When a commit was synced last, on the monotonic clock."""
        self._file: _File = None
        self._thread: threading.Thread | None = None

    def add(
        self,
        operation: Operation,
        within: float = 0.0,
        *,
        durable: bool = True,
        answer: Future[Any] | None = None,
    ) -> None:
        """Queues an operation, to be tried in `within` seconds at most; also after `close`, which it undoes.

        One that is not `durable` can be lost to a power failure in the `SYNC_EVERY` seconds after it is written.
        `answer` gets what the operation returns once it is committed, or a StoreError.
        """
        with self._changed:
            self._queue.append(_Write(operation, durable, answer))
            self._added += 1
            self._due = min(self._due, time.monotonic() + within)
            if self._thread is None:
                self._closing = False
                self._thread = _started(self._run, "store-writer", self._report)
                self.save_error = self.save_error if self._thread else _NO_THREADS
            self._changed.notify_all()

    def position(self) -> int:
        """Returns how many operations were added until now: something to `wait` for."""
        with self._changed:
            return self._added

    def wait(self, position: int) -> None:
        """Waits until the first `position` operations were written, or failed to be."""
        with self._changed:
            if self._tried < position:
                self._due = 0.0
                self._changed.notify_all()
            patience = PATIENCE_IN_TROUBLE if self.save_error else PATIENCE
            self._changed.wait_for(lambda: self._tried >= position or self._thread is None, patience)

    def close(self, timeout: float) -> bool:
        """Tries to write all that is queued, for at most `timeout` seconds. Returns whether it could."""
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
                connection = self._rest(connection)
        if connection is not None and self._logged:  # closing does it only where no other window is open
            connection = self._rest(connection)
        _close(connection)

    def _next(self) -> list[_Write] | None:
        """Waits for something to write and returns it; nothing in a pause, None at the end."""
        with self._changed:
            self._wait_for_work()
            failing = self.save_error and self._tried == self._added
            if self._closing and (failing or not self._queue):
                self._thread = None
                self._changed.notify_all()
                return None
            return list(islice(self._queue, BATCH))

    def _wait_for_work(self) -> None:
        """Waits until something is due, or has waited long enough for better times, or there is a pause."""
        patience = RETRY if self._queue and self.save_error else PAUSE if self._logged else math.inf
        end = time.monotonic() + patience
        while not self._closing and (left := min(self._due, end) - time.monotonic()) > 0:
            self._changed.wait(None if left == math.inf else left)

    def _attempt(self, connection: _Connection, batch: list[_Write]) -> _Connection:
        """Writes a batch. Returns the connection to go on with: none after a failure, which may spoil it."""
        try:
            connection = _if_still(connection, self._path, self._file)
            if connection is None:
                connection = connect(self._path)
                self._file = _file(self._path)
                self._commit(connection, [_Write(fold_pieces), *batch])
            else:
                self._commit(connection, batch)
        except Exception as error:  # noqa: BLE001 - the last line of defense
            _close(connection)
            self._fail(error)
            return None
        self._logged = True
        self._settle(batch)
        return connection

    def _commit(self, connection: sqlite3.Connection, writes: list[_Write]) -> None:
        """Writes in one transaction. Where it is synced, so is everything committed before it."""
        now = time.monotonic()
        sync = now >= self._synced + SYNC_EVERY or any(write.durable for write in writes)
        connection.execute(f"PRAGMA synchronous = {'FULL' if sync else 'NORMAL'}")
        _write(connection, writes)
        if sync:
            self._synced = now

    def _fail(self, error: Exception) -> None:
        """Keeps what is queued, and says why it could not be written."""
        expected = isinstance(error, TROUBLE)
        reason = describe(cast("ErrorKind", error), self._path) if expected else _reason(error)
        trouble = f"Can't save: {reason}."
        if not expected and trouble != self.save_error:
            self._report("saving sessions", error)
        self._settle([], trouble)

    def _rest(self, connection: sqlite3.Connection) -> _Connection:
        """Uses a pause. Returns the connection to go on with."""
        try:
            deadline = time.monotonic() + PAUSE
            while purge.is_requested(connection) and not self._queue and time.monotonic() < deadline:
                purge.step(connection)
            self._work_log_in(connection)
            self._logged |= purge.is_requested(connection)
        except Exception as error:  # noqa: BLE001 - the last line of defense
            self._report("tidying the database", error)
            _close(connection)
            return None
        return connection

    def _work_log_in(self, connection: sqlite3.Connection) -> None:
        """Moves what was written from the log into the database, and makes sure that both are on the disk.

        What other windows are doing comes first, and where the disk fails the log has it all: the next pause will do.
        """
        with suppress(sqlite3.Error):
            connection.execute("PRAGMA busy_timeout = 0")
            busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            self._logged = bool(busy)
        connection.execute(f"PRAGMA busy_timeout = {int(open_database.BUSY_TIMEOUT * 1000)}")

    def _settle(self, batch: list[_Write], trouble: str = "") -> None:
        """Takes what was tried off the queue and spreads the news, good or bad."""
        lost = [write for write in batch if write.error is not None]
        with self._changed:
            for _ in batch:
                self._queue.popleft()
            self._tried = self._added - (len(self._queue) if batch else 0)
            self._due = 0.0 if self._queue and batch else math.inf
            self.save_error = trouble
            if lost:
                self.permanent_error = f"Something can't be saved and is left out ({_reason(lost[-1].error)})."
            self._changed.notify_all()
        for write in lost:
            self._report("saving a change", cast("Exception", write.error))
        self._answer(batch)
        self._spread(trouble or self.permanent_error)

    def _answer(self, batch: list[_Write]) -> None:
        for write in batch:
            if write.answer is not None:
                error = write.error and StoreError(f"This can't be saved ({_reason(write.error)}).")
                _settle(write.answer, error or write.result)

    def _spread(self, news: str) -> None:
        """Tells why something is not saved, or that all is well again."""
        if news == self._told:
            return
        self._told = news
        try:
            self._tell(news)
        except RuntimeError:  # what an event loop raises that was closed in the meantime
            _log.debug("Nobody listens to the store any more", exc_info=True)
        except Exception as error:  # noqa: BLE001 - the last line of defense
            self._report("telling whether sessions can be saved", error)


def _started(run: Callable[[], None], name: str, report: OnError) -> threading.Thread | None:
    """Returns a thread that runs; None where the system allows no more."""
    thread = threading.Thread(target=run, name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        report(f"starting the thread {name}", error)
        return None
    return thread


def _close(connection: _Connection) -> None:
    if connection is not None:
        with suppress(sqlite3.Error):  # what can't be closed is of no more use anyway
            connection.close()


def _reason(error: Exception | None) -> str:
    """What an error says of itself, as a clause for the user; a lone text such as that of a KeyError says nothing."""
    said = clean_line(str(error))[:_REASON]
    return said if isinstance(error, _PERMANENT) else f"unexpected error, {type(error).__name__}: {said}"


def _file(path: Path) -> _File:
    """Which file has the name `path`; None: none has."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _if_still(connection: _Connection, path: Path, file: _File) -> _Connection:
    """Returns the connection while `path` is the file it was opened for; what goes to a file moved away is lost."""
    if connection is not None and _file(path) != file:
        connection.close()
        return None
    return connection


def _is_permanent(error: Exception) -> bool:
    return isinstance(error, _PERMANENT) or str(error) == "user-defined function raised exception"


def _write(connection: sqlite3.Connection, writes: Iterable[_Write]) -> None:
    """Carries out `writes` in one transaction; one that can never succeed is rolled back alone."""
    connection.execute("BEGIN IMMEDIATE")
    for write in writes:
        write.error = None
        connection.execute("SAVEPOINT operation")
        try:
            write.result = write.operation(connection)
        except Exception as error:
            if isinstance(error, TROUBLE) and not _is_permanent(error):
                raise
            write.error = error
            connection.execute("ROLLBACK TO operation")
        connection.execute("RELEASE operation")
    connection.execute("COMMIT")


@dataclass(slots=True)
class _Question:
    ask: Callable[[sqlite3.Connection], Any]
    answer: Future[Any]
    position: int
    """The writes that must be seen."""


class Reader:
    """Answers questions in the order they came, after the writes that were queued before them.

    Cancelling an answer drops its question, or interrupts it if its turn has come.
    """

    def __init__(self, path: Path, writer: Writer, on_error: OnError = log_error) -> None:
        self._path = path
        self._writer = writer
        self._report = on_error
        self._questions: SimpleQueue[_Question | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._asked: tuple[_Question, sqlite3.Connection] | None = None
        self._file: _File = None
        self.opened = 0
        """How often the database was opened."""

    def ask(self, question: Callable[[sqlite3.Connection], _Answer], *, at_once: bool = False) -> Future[_Answer]:
        """Returns the answer to come; it raises StoreError. `at_once`: whatever is queued to be written."""
        answer: Future[_Answer] = Future()
        asked = _Question(question, answer, 0 if at_once else self._writer.position())
        answer.add_done_callback(lambda _: self._interrupt(asked))
        with self._lock:
            if self._thread is None:
                self._thread = _started(self._run, "store-reader", self._report)
            if self._thread is not None:
                self._questions.put(asked)
        if self._thread is None:
            _settle(answer, StoreError(_NO_THREADS))
        return answer

    def close(self, timeout: float) -> None:
        """Answers what was asked until now, for at most `timeout` seconds."""
        with self._lock:
            thread, self._thread = self._thread, None
            if thread is not None:
                self._questions.put(None)
        if thread is not None:
            thread.join(timeout)

    def _run(self) -> None:
        connection: _Connection = None
        while question := self._questions.get():
            if not question.answer.cancelled():
                connection = self._answer(connection, question)
        _close(connection)

    def _answer(self, connection: _Connection, question: _Question) -> _Connection:
        """Answers one question. Returns the connection to go on with: none after a failure, which may spoil it."""
        answer: object
        good = False
        try:
            self._writer.wait(question.position)
            connection = self._connected(connection)
            self._set_asked((question, connection))
            answer = _asked(connection, question)
            good = True
        except StoreError as error:
            answer, good = error, True
        except TROUBLE as error:
            good = isinstance(error, sqlite3.Error) and primary_code(error) == sqlite3.SQLITE_INTERRUPT
            answer = StoreError(f"The saved sessions can't be read: {describe(error, self._path)}.")
        except Exception as error:  # noqa: BLE001 - the last line of defense
            self._report("reading saved sessions", error)
            answer = StoreError(f"The saved sessions can't be read: {_reason(error)}.")
        self._set_asked(None)
        if not good or isinstance(connection, FrozenView):
            _close(connection)
            connection = None
        _settle(question.answer, answer)
        return connection

    def _connected(self, connection: _Connection) -> sqlite3.Connection:
        connection = _if_still(connection, self._path, self._file)
        if connection is None:
            connection = connect_for_reading(self._path)
            self._file = _file(self._path)
            self.opened += 1
        return connection

    def _set_asked(self, asked: tuple[_Question, sqlite3.Connection] | None) -> None:
        with self._lock:
            self._asked = asked

    def _interrupt(self, question: _Question) -> None:
        with self._lock:
            if question.answer.cancelled() and self._asked is not None and self._asked[0] is question:
                self._asked[1].interrupt()


def _asked(connection: sqlite3.Connection, question: _Question) -> object:
    """Asks, and asks again where a column holds bytes that are not UTF-8: they cost that column only."""
    try:
        return question.ask(connection)
    except sqlite3.OperationalError as error:
        if not is_undecodable(error) or connection.text_factory is row_values.decoded:
            raise
        connection.text_factory = row_values.decoded
        return question.ask(connection)


def _settle(answer: Future[Any], result: object) -> None:
    """Gives the result, or raises it where it is a StoreError; drops it where nobody waits any more."""
    with suppress(InvalidStateError):
        if isinstance(result, StoreError):
            answer.set_exception(result)
        else:
            answer.set_result(result)
