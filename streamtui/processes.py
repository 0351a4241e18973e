"""Child processes that are killed, with everything they started, when nobody waits for them anymore."""

import asyncio
import os
import signal
from asyncio.subprocess import Process
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

_REAP_LIMIT = 1.0
"""Seconds to wait for a killed process: what left its session may hold its pipes, and asyncio waits for those too."""


async def start(command: str | Sequence[str], **options: Any) -> Process:
    """Start `command`, a shell command if it is a string, in a session of its own. Canceling kills it.

    The start itself can't be canceled: asyncio would then kill the program but not its children, and wait for all
    who hold its pipes. `options` are those of `asyncio.create_subprocess_exec`.
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
    """Write `given` to `process` and return its output and its errors once it has ended.

    Canceling kills it, as does not ending within `limit` seconds, which raises TimeoutError.
    """
    try:
        async with asyncio.timeout(limit):
            return await process.communicate(given)
    except (TimeoutError, asyncio.CancelledError):
        await asyncio.shield(kill(process))
        raise


async def kill(process: Process) -> None:
    """Kill a process that `start` returned, with everything in its session, and wait for its end."""
    with suppress(ProcessLookupError, PermissionError):  # it has just ended; macOS denies killing a zombie's group
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    with suppress(TimeoutError):
        async with asyncio.timeout(_REAP_LIMIT):
            await process.wait()


async def _kill_started(starting: asyncio.Task[Process]) -> None:
    with suppress(OSError):  # there is no such program
        await kill(await starting)
