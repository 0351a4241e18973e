"""Log of unexpected errors in a rotating file, without API keys, prompts and replies.

Code that catches an unexpected error logs it with its traceback to `LOG` or a child of it, such as
``streamtui.storage``. `start` writes these records to a file; `Notices` notifies the user once per distinct failure.
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
"""Maximum size of the log before it is rotated."""
BACKUPS = 3
"""Number of rotated logs to keep."""
_MAX_LINE = 500
_MAX_FRAMES = 30
_MAX_CAUSES = 10
# If the interpreter raised these errors, their messages only have names and types of the program. Other messages may
# quote a key, a prompt or a reply.
_SAFE_MESSAGES = frozenset(
    {AttributeError, IndexError, NameError, RecursionError, TypeError, UnboundLocalError, ZeroDivisionError}
)

Failure = tuple[str, str, int]
"""The type of an error, and the file and line that raised it."""


# Formatting


def describe(error: BaseException) -> str:
    """Return the tracebacks of `error` and its causes, without values and messages that may quote private text."""
    parts = []
    for at in _causes(error):
        frames = traceback.extract_tb(at.__traceback__, limit=-_MAX_FRAMES)
        parts.append(f"{_name(at)}{_message(at)}\n{''.join(traceback.format_list(frames))}".rstrip())
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


def _message(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno is not None:
        return f": {os.strerror(error.errno)}"
    if type(error) not in _SAFE_MESSAGES or _is_raised_by_code(error):
        return ""
    return f": {clean_line(str(error))[:_MAX_LINE]}"


def _is_raised_by_code(error: BaseException) -> bool:
    """Return whether a raise statement raised `error`, so that its message may contain anything."""
    import dis

    at = _origin(error)
    return at is None or dis.opname[at.tb_frame.f_code.co_code[at.tb_lasti]] == "RAISE_VARARGS"


def _origin(error: BaseException) -> TracebackType | None:
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return at


def failure_of(error: BaseException) -> Failure:
    """Return the identity of `error`, to recognize repeated failures."""
    at = _origin(error)
    return _name(error), at.tb_frame.f_code.co_filename if at else "", at.tb_lineno if at else 0


def error_of(record: logging.LogRecord) -> BaseException | None:
    """Return the error that was logged with `record`."""
    return record.exc_info[1] if record.exc_info else None


class Formatter(logging.Formatter):
    """Format records without values from tracebacks and without error messages."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line and, below it, the traceback."""
        args = record.args
        if isinstance(args, tuple):
            args = tuple(_name(value) if isinstance(value, BaseException) else value for value in args)
        # Format a copy, because other handlers may store the full traceback in the record.
        safe = logging.LogRecord(record.name, record.levelno, record.pathname, record.lineno, record.msg, args, None)
        safe.created, safe.msecs = record.created, record.msecs
        safe.msg, safe.args = clean_line(safe.getMessage())[:_MAX_LINE], None
        error = error_of(record)
        return super().format(safe) + (f"\n{describe(error)}" if error is not None else "")


# Handlers


class ErrorLog(logging.Handler):
    """Write records to the log file, which is created on first use. Repeated failures are logged ever less often.

    `problem` is the reason why the log can't be written, or empty.
    """

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.setFormatter(Formatter("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"))
        self.problem = ""
        self._file: RotatingFileHandler | None = None
        self._seen: Counter[Failure] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Write `record`. For a repeated failure, write only occurrences 1, 2, 4, 8 and so on."""
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
    """Notify the user of unexpected errors, with the path of the log, once per distinct failure."""

    def __init__(self, notify: Callable[[str], None]) -> None:
        """`notify` is called in the thread that logs the error."""
        super().__init__(logging.ERROR)
        self._notify = notify
        self._notified: set[Failure] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Notify the user of the error in `record`, if it has a new one."""
        error = error_of(record)
        if error is None or (failure := failure_of(error)) in self._notified:
            return
        self._notified.add(failure)
        with suppress(RuntimeError):  # the event loop has been closed
            self._notify(f"{clean_line(record.getMessage())[:_MAX_LINE]} ({_name(error)}). {where()}")


def where() -> str:
    """Return a sentence about where to find details."""
    log = _running()
    if log is None or log.problem:
        why = f" ({log.problem})" if log is not None else ""
        return f"The error log {shown_path()} can't be written{why}." if why else "The error log is off."
    return f"Details: {shown_path()}"


def shown_path() -> str:
    """Return the path of the log for display."""
    path = paths.log_file()
    with suppress(ValueError, RuntimeError):
        return clean_line(f"~/{path.relative_to(Path.home())}")
    return clean_line(str(path))


# Setup


def start(*, debug: bool = False) -> None:
    """Log unexpected errors of this process, with `debug` also its activity. Further calls have no effect."""
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
    """Log errors in callbacks and background tasks of `loop`."""
    loop.set_exception_handler(_loop_failed)


def _loop_failed(_: "AbstractEventLoop", context: dict[str, object]) -> None:
    error = context.get("exception")
    if isinstance(error, Exception):  # not CancelledError
        LOG.error("A background task failed", exc_info=error)
    else:
        LOG.warning("asyncio: %s", context.get("message"))
