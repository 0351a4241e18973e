"""The two threads behind a store: one writes what is queued, one answers questions."""

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
from typing import Any, TypeVar

from streamtui.sanitize import clean_line
from streamtui.store import opening
from streamtui.store.errors import TROUBLE, StoreError, describe, primary_code
from streamtui.store.opening import FrozenView, connect, connect_for_reading
from streamtui.store.writing import Operation, fold_pieces

RETRY = 2.0
"""Seconds between two attempts to save what could not be saved."""
PAUSE = 1.0
"""Seconds without a write after which the log is worked into the database."""
BATCH = 1000
"""So many operations go into one transaction: an attempt stays short however long the queue got."""
PATIENCE = 15.0
"""Seconds a read waits for the writes queued before it; they take two busy timeouts at worst."""
PATIENCE_IN_TROUBLE = 0.5
"""The same while saving fails: a locked database takes 5 s to fail again."""

_NEVER_FIT = (sqlite3.IntegrityError, sqlite3.DataError, OverflowError, ValueError, TypeError)
"""What no retry will mend (a file of 1 GB, SQLite's limit; a row that another program has spoilt); keeping it would
keep up everything behind it."""

_SPOILT = "The saved sessions can't be read: another program has changed them, and “streamtui sessions check” may help"

_Answer = TypeVar("_Answer")
_Connection = sqlite3.Connection | None
_File = tuple[int, int] | None


class Writer:
    """Writes operations in the order they came; when that fails it keeps them and tries again."""

    def __init__(self, path: Path, tell: Callable[[str], None]) -> None:
        self.trouble = ""
        self._path = path
        self._tell = tell
        self._changed = threading.Condition()
        self._queue: deque[Operation] = deque()
        self._added = 0
        self._tried = 0
        """How many of all operations added were written, or failed to be."""
        self._due = math.inf
        """When to write what is new, on the monotonic clock."""
        self._closing = False
        self._logged = False
        """Whether something was written since the log was worked in."""
        self._file: _File = None
        self._thread: threading.Thread | None = None

    def add(self, operation: Operation, within: float = 0.0) -> None:
        """Queues an operation, to be tried in `within` seconds at most; also after `close`, which it undoes."""
        with self._changed:
            self._queue.append(operation)
            self._added += 1
            self._due = min(self._due, time.monotonic() + within)
            if self._thread is None:
                self._closing = False
                self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
                self._thread.start()
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
            patience = PATIENCE_IN_TROUBLE if self.trouble else PATIENCE
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
            if self._queue and not self.trouble:
                name = clean_line(str(self._path))
                self.trouble = (
                    f"Can't save: {name} was still busy after {timeout:.0f} s; close the program that uses it."
                )
            return not (self._queue or self.trouble)

    def _run(self) -> None:
        connection: _Connection = None
        while (batch := self._next()) is not None:
            if batch:
                connection = self._attempt(connection, batch)
            elif connection is not None:
                self._work_log_in(connection)
        if connection is not None:
            connection.close()

    def _next(self) -> list[Operation] | None:
        """Waits for something to write and returns it; nothing in a pause, None at the end."""
        with self._changed:
            self._wait_for_work()
            failing = self.trouble and self._tried == self._added
            if self._closing and (failing or not self._queue):
                self._thread = None
                self._changed.notify_all()
                return None
            return list(islice(self._queue, BATCH))

    def _wait_for_work(self) -> None:
        """Waits until something is due, or has waited long enough for better times, or there is a pause."""
        patience = RETRY if self._queue and self.trouble else PAUSE if self._logged else math.inf
        end = time.monotonic() + patience
        while not self._closing and (left := min(self._due, end) - time.monotonic()) > 0:
            self._changed.wait(None if left == math.inf else left)

    def _attempt(self, connection: _Connection, batch: list[Operation]) -> _Connection:
        """Writes a batch. Returns the connection to go on with: none after a failure, which may spoil it."""
        connection = _if_still(connection, self._path, self._file)
        try:
            if connection is None:
                connection = connect(self._path)
                self._file = _file(self._path)
                unfit = _write(connection, (fold_pieces, *batch))
            else:
                unfit = _write(connection, batch)
        except TROUBLE as error:
            if connection is not None:
                connection.close()
            reason = describe(error, self._path)
            self._settle(0, f"Can't save: {reason}.")
            return None
        self._settle(len(batch), unfit and f"Something can't be saved and is left out ({unfit}).")
        self._logged = True
        return connection

    def _work_log_in(self, connection: sqlite3.Connection) -> None:
        """Moves what was written from the log into the database, and makes sure that both are on the disk.

        Then a power failure, or the log's loss, takes no more than the last second. What other windows are doing
        comes first, and where the disk fails the log has it all: the next pause will do.
        """
        self._logged = False
        with suppress(sqlite3.Error):
            connection.execute("PRAGMA busy_timeout = 0")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        connection.execute(f"PRAGMA busy_timeout = {int(opening.BUSY_TIMEOUT * 1000)}")

    def _settle(self, written: int, trouble: str) -> None:
        """Takes what was written off the queue and spreads the news, good or bad."""
        with self._changed:
            for _ in range(written):
                self._queue.popleft()
            self._tried = self._added - (len(self._queue) if written else 0)
            self._due = 0.0 if self._queue and written else math.inf
            changed, self.trouble = trouble != self.trouble, trouble
            self._changed.notify_all()
        if changed:
            with suppress(RuntimeError):  # what an event loop that was closed in the meantime raises
                self._tell(trouble)


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


def _write(connection: sqlite3.Connection, operations: Iterable[Operation]) -> str:
    """Carries out `operations` in one transaction. Returns why one of them was left out, else nothing."""
    unfit = ""
    connection.execute("BEGIN IMMEDIATE")
    for operation in operations:
        try:
            operation(connection)
        except UnicodeDecodeError:
            raise  # it says nothing of the operation
        except _NEVER_FIT as error:
            unfit = str(error)
    connection.execute("COMMIT")
    return unfit


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

    def __init__(self, path: Path, writer: Writer) -> None:
        self._path = path
        self._writer = writer
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
            self._questions.put(asked)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="store-reader", daemon=True)
                self._thread.start()
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
                self._writer.wait(question.position)
                connection = self._answer(connection, question)
        if connection is not None:
            connection.close()

    def _answer(self, connection: _Connection, question: _Question) -> _Connection:
        """Answers one question. Returns the connection to go on with."""
        good = False
        connection = _if_still(connection, self._path, self._file)
        try:
            if connection is None:
                connection = connect_for_reading(self._path)
                self._file = _file(self._path)
                self.opened += 1
            self._set_asked((question, connection))
            result = question.ask(connection)
            good = not isinstance(connection, FrozenView)
            _settle(question.answer, result)
        except StoreError as error:
            good = not isinstance(connection, FrozenView)
            _settle(question.answer, error)
        except TROUBLE as error:
            good = isinstance(error, sqlite3.Error) and primary_code(error) == sqlite3.SQLITE_INTERRUPT
            sentence = f"The saved sessions can't be read: {describe(error, self._path)}."
            _settle(question.answer, StoreError(sentence))
        except (ValueError, TypeError) as error:
            _settle(question.answer, StoreError(f"{_SPOILT} ({clean_line(str(error))})."))
        finally:
            self._set_asked(None)
            if connection is not None and not good:
                connection.close()
        return connection if good else None

    def _set_asked(self, asked: tuple[_Question, sqlite3.Connection] | None) -> None:
        with self._lock:
            self._asked = asked

    def _interrupt(self, question: _Question) -> None:
        with self._lock:
            if question.answer.cancelled() and self._asked is not None and self._asked[0] is question:
                self._asked[1].interrupt()


def _settle(answer: Future[_Answer], result: _Answer | StoreError) -> None:
    with suppress(InvalidStateError):  # cancelled in the meantime
        if isinstance(result, StoreError):
            answer.set_exception(result)
        else:
            answer.set_result(result)
