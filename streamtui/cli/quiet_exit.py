"""Runs what a command does beside the event loop's own ways: ctrl+c, kill and closed pipes end it quietly."""

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from streamtui import error_log
from streamtui.cli import EXIT_FAILED, EXIT_INTERRUPTED
from streamtui.core.sanitize import clean_line
from streamtui.error_log import LOG

EXIT_BROKEN_PIPE = 141
"""What a shell says of a program that wrote to a pipe which nobody reads any more."""


def say(sentence: str) -> None:
    """Writes a sentence to stderr."""
    with suppress(OSError):  # nobody reads it
        print(f"streamtui: {clean_line(sentence)}", file=sys.stderr, flush=True)


def run_quietly(work: Coroutine[Any, Any, int]) -> int:
    """Runs `work` and returns its exit status, or that of what has ended it."""
    try:
        return asyncio.run(_until_killed(work))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except asyncio.CancelledError:
        return 128 + signal.SIGTERM
    except BrokenPipeError:
        # Python writes what is left in its buffer when it ends, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except OSError as error:
        LOG.debug("An output or a file failed", exc_info=error)
        say(f"The answer can't be written: {error.strerror}.")
        return EXIT_FAILED


async def _until_killed(work: Coroutine[Any, Any, int]) -> int:
    task = asyncio.current_task()
    assert task is not None
    error_log.watch(asyncio.get_running_loop())
    for name in ("SIGTERM", "SIGHUP"):
        with suppress(NotImplementedError, RuntimeError, AttributeError):  # no such signal on this platform
            asyncio.get_running_loop().add_signal_handler(getattr(signal, name), task.cancel)
    return await work
