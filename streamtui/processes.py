"""Child processes that are killed, with all their children, when they are canceled or time out."""

import asyncio
import os
import signal
from asyncio.subprocess import Process
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

_REAP_LIMIT = 1.0
"""Seconds to wait for a killed process: asyncio also waits for its pipes, which may be inherited by a daemon."""


async def start(command: str | Sequence[str], **options: Any) -> Process:
    """Start `command`, a shell command if it is a string, in a new session. Cancellation kills it.

    The start itself is shielded from cancellation, as asyncio would kill the program but not its children, and wait for
    all processes with its pipes. `options` are passed to `asyncio.create_subprocess_exec`.
    """
    options["start_new_session"] = True
    if isinstance(command, str):
        starting = asyncio.create_task(asyncio.create_subprocess_shell(command, **options))
    else:
        starting = asyncio.create_task(asyncio.create_subprocess_exec(*command, **options))
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.shield(_kill_started(starting))
        raise


async def communicate(process: Process, limit: float, given: bytes | None = None) -> tuple[bytes, bytes]:
    """Write `given` to the stdin of `process` and return its stdout and stderr.

    Cancellation kills it. After `limit` seconds, kill it and raise TimeoutError.
    """
    try:
        async with asyncio.timeout(limit):
            return await process.communicate(given)
    except (TimeoutError, asyncio.CancelledError):
        await asyncio.shield(kill(process))
        raise


async def kill(process: Process) -> None:
    """Kill a process returned by `start`, with all processes in its session, and wait for it."""
    with suppress(ProcessLookupError, PermissionError):  # already ended; macOS denies killing the group of a zombie
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    with suppress(TimeoutError):
        async with asyncio.timeout(_REAP_LIMIT):
            await process.wait()


async def _kill_started(starting: asyncio.Task[Process]) -> None:
    with suppress(OSError):  # the program doesn't exist
        await kill(await starting)
