"""Error log: unexpected errors go to a rotating file, without the keys, prompts and replies they may hold.

Everything that meets an unexpected error logs it with its traceback to `LOG` (or a child of it, such as
``streamtui.storage``). `start` writes such records to a file, `Notices` tells the user once for each distinct failure.
"""

import logging
import os
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING

from streamtui import __version__, paths
from streamtui.core.sanitize import clean_line

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from logging.handlers import RotatingFileHandler

LOG = logging.getLogger("streamtui")
MAX_BYTES = 512 * 1024
"""Size of the log at which a new one is started."""
BACKUPS = 3
"""Old logs that are kept."""
_MAX_LINE = 500
_MAX_FRAMES = 30
_MAX_CAUSES = 10
# Messages about names and types in the program, where the interpreter itself raised the error. Any other message may
# quote a key, a prompt or a reply.
_OWN_WORDS = frozenset(
    {AttributeError, IndexError, NameError, RecursionError, TypeError, UnboundLocalError, ZeroDivisionError}
)

Failure = tuple[str, str, int]
"""The type of an error, and the file and line that raised it."""


# What is written


def describe(error: BaseException) -> str:
    """Return the traceback of `error` and of its causes, with no values and no message that may quote foreign text."""
    parts = []
    for at in _causes(error):
        frames = traceback.extract_tb(at.__traceback__, limit=-_MAX_FRAMES)
        parts.append(f"{_name(at)}{_words(at)}\n{''.join(traceback.format_list(frames))}".rstrip())
    return "\ncaused by: ".join(parts)


def _causes(error: BaseException) -> Iterator[BaseException]:
    todo: list[BaseException | None] = [error]
    seen: list[BaseException] = []
    while todo and len(seen) < _MAX_CAUSES:
        at = todo.pop(0)
        if at is None or any(at is one for one in seen):
            continue
        seen.append(at)
        yield at
        todo.append(at.__cause__ or (None if at.__suppress_context__ else at.__context__))
        if isinstance(at, BaseExceptionGroup):
            todo += at.exceptions


def _name(error: BaseException) -> str:
    return clean_line(type(error).__qualname__)[:80]


def _words(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno is not None:
        return f": {os.strerror(error.errno)}"
    if type(error) not in _OWN_WORDS or _is_raised_by_code(error):
        return ""
    return f": {clean_line(str(error))[:_MAX_LINE]}"


def _is_raised_by_code(error: BaseException) -> bool:
    """Return whether a raise statement raised `error`; its message may then hold anything."""
    import dis

    at = _origin(error)
    return at is None or dis.opname[at.tb_frame.f_code.co_code[at.tb_lasti]] == "RAISE_VARARGS"


def _origin(error: BaseException) -> TracebackType | None:
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return at


def failure_of(error: BaseException) -> Failure:
    """Return what tells `error` from other failures."""
    at = _origin(error)
    return _name(error), at.tb_frame.f_code.co_filename if at else "", at.tb_lineno if at else 0


def error_of(record: logging.LogRecord) -> BaseException | None:
    """Return the error that was logged with `record`."""
    return record.exc_info[1] if record.exc_info else None


class Formatter(logging.Formatter):
    """Formats a record without values from tracebacks, and without the messages of errors."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line and, below it, the traceback."""
        args = record.args
        if isinstance(args, tuple):
            args = tuple(_name(value) if isinstance(value, BaseException) else value for value in args)
        # A copy: another handler may have kept a full traceback in the record, or want one.
        safe = logging.LogRecord(record.name, record.levelno, record.pathname, record.lineno, record.msg, args, None)
        safe.created, safe.msecs = record.created, record.msecs
        safe.msg, safe.args = clean_line(safe.getMessage())[:_MAX_LINE], None
        error = error_of(record)
        return super().format(safe) + (f"\n{describe(error)}" if error is not None else "")


# Where it is written


class ErrorLog(logging.Handler):
    """Writes records to the log file, which is created with the first. A repeated failure is written ever less often.

    `problem` says why the log can't be written; empty: it can.
    """

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.setFormatter(Formatter("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"))
        self.problem = ""
        self._file: RotatingFileHandler | None = None
        self._seen: Counter[Failure] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Write `record`, unless the same failure was written before and its number is no power of two."""
        error = error_of(record)
        if error is not None:
            failure = failure_of(error)
            self._seen[failure] += 1
            if (times := self._seen[failure]) & (times - 1):
                return
        try:
            self._file = self._file or self._opened()
            self._file.emit(record)
        except OSError as problem:
            self._failed(problem)

    def _opened(self) -> "RotatingFileHandler":
        from logging.handlers import RotatingFileHandler

        log = self

        class PrivateFile(RotatingFileHandler):
            def _open(self) -> "IO[str]":  # type: ignore[override]
                return open(self.baseFilename, "a", encoding="utf-8", opener=_private)

            def handleError(self, record: logging.LogRecord) -> None:
                log._failed(sys.exc_info()[1])

        path = paths.log_file()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = PrivateFile(path, maxBytes=MAX_BYTES, backupCount=BACKUPS, encoding="utf-8", delay=True)
        file.setFormatter(self.formatter)
        return file

    def _failed(self, problem: BaseException | None) -> None:
        errno = getattr(problem, "errno", None)
        self.problem = os.strerror(errno) if errno else type(problem).__name__

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
        super().close()


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


class Notices(logging.Handler):
    """Tells the user of unexpected errors, in one sentence with the log's path, once for each distinct failure."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        """`tell` is called in the thread that met the error."""
        super().__init__(logging.ERROR)
        self._tell = tell
        self._told: set[Failure] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Tell of the error in `record`, if there is one and it is new."""
        error = error_of(record)
        if error is None or (failure := failure_of(error)) in self._told:
            return
        self._told.add(failure)
        with suppress(RuntimeError):  # raised by an event loop that was closed in the meantime
            self._tell(f"{clean_line(record.getMessage())[:_MAX_LINE]} ({_name(error)}). {where()}")


def where() -> str:
    """Return the sentence that says where details are."""
    log = _running()
    if log is None or log.problem:
        why = f" ({log.problem})" if log is not None else ""
        return f"The error log {shown_path()} can't be written{why}." if why else "No error log is kept."
    return f"Details: {shown_path()}"


def shown_path() -> str:
    """Return the path of the log as it is shown."""
    path = paths.log_file()
    with suppress(ValueError, RuntimeError):
        return clean_line(f"~/{path.relative_to(Path.home())}")
    return clean_line(str(path))


# What is watched


def start(*, debug: bool = False) -> None:
    """Write unexpected errors of this process to the log, with `debug` also what the program does; once is enough."""
    if _running() is not None:
        return
    LOG.addHandler(ErrorLog(logging.DEBUG if debug else logging.ERROR))
    threading.excepthook = _thread_failed
    if debug:
        LOG.setLevel(logging.DEBUG)
        import platform

        LOG.debug("streamtui %s, Python %s, %s", __version__, platform.python_version(), platform.platform())


def _running() -> ErrorLog | None:
    return next((handler for handler in LOG.handlers if isinstance(handler, ErrorLog)), None)


def _thread_failed(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_value is not None:
        name = failed.thread.name if failed.thread is not None else "unknown"
        LOG.error("The thread %s failed", name, exc_info=failed.exc_value)


def watch(loop: "AbstractEventLoop") -> None:
    """Log what goes wrong in callbacks and forgotten tasks of `loop`."""
    loop.set_exception_handler(_loop_failed)


def _loop_failed(_: "AbstractEventLoop", context: dict[str, object]) -> None:
    error = context.get("exception")
    if isinstance(error, Exception):  # a cancellation is none
        LOG.error("A background task failed", exc_info=error)
    else:
        LOG.warning("asyncio: %s", context.get("message"))
