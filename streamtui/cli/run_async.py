"""Run a command's coroutine: Ctrl+C, signals and closed pipes end it without a traceback."""

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from streamtui import error_log
from streamtui.cli import EXIT_INTERRUPTED, discard_stdout, fail
from streamtui.error_log import LOG

EXIT_BROKEN_PIPE = 141
"""The status that shells report for a program killed by SIGPIPE."""


def run_async(work: Coroutine[Any, Any, int]) -> int:
    """Run `work` and return its exit status, or that of what ended it."""
    try:
        return asyncio.run(_until_killed(work))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except asyncio.CancelledError:
        return 128 + signal.SIGTERM
    except BrokenPipeError:
        discard_stdout()
        return EXIT_BROKEN_PIPE
    except OSError as error:
        LOG.debug("An output or a file failed", exc_info=error)
        return fail(f"Can't write the reply: {error.strerror}.")


async def _until_killed(work: Coroutine[Any, Any, int]) -> int:
    task = asyncio.current_task()
    assert task is not None
    error_log.watch(asyncio.get_running_loop())
    for name in ("SIGTERM", "SIGHUP"):
        with suppress(NotImplementedError, RuntimeError, AttributeError):  # no such signal on this platform
            asyncio.get_running_loop().add_signal_handler(getattr(signal, name), task.cancel)
    return await work
