"""A transient line on the terminal that shows what `ask` is waiting for."""

import asyncio
import os
import shutil
import time
from collections.abc import Callable
from typing import TextIO

from streamtui.ask.output import Writer
from streamtui.core.progress import Progress, State

DELAY = 0.3
"""Seconds before the line appears, so that it never flashes for quick replies."""
INTERVAL = 0.5
"""Seconds between updates, and without output before the line reappears."""


class StatusLine:
    """One line at the cursor, erased before anything else is written."""

    def __init__(self, out: TextIO) -> None:
        """Show the line on `out`, if that is a terminal and not a dumb one."""
        self._out = out
        self._enabled = out.isatty() and os.environ.get("TERM") != "dumb"
        self._shown = False
        self._at_line_start = True
        self._written = 0.0

    def over(self, stream: TextIO) -> Writer:
        """Return a wrapper of `stream` that erases the line before writing, if both are terminals."""
        return _Stream(stream, self) if self._enabled and stream.isatty() else stream

    def show(self, text: str) -> None:
        """Show `text`, unless the cursor is within a line or something has just been written."""
        if not (text and self._enabled and self._at_line_start) or time.monotonic() - self._written < INTERVAL:
            return
        from rich.cells import set_cell_size  # only needed on terminals

        width = max(1, shutil.get_terminal_size().columns - 1)
        text = set_cell_size(text, width).rstrip()
        self._out.write(f"\r{text}\x1b[K" if os.environ.get("NO_COLOR") else f"\r\x1b[2m{text}\x1b[0m\x1b[K")
        self._out.flush()
        self._shown = True

    def erase(self) -> None:
        """Remove the line."""
        if self._shown:
            self._out.write("\r\x1b[K")
            self._out.flush()
            self._shown = False

    def before_write(self, text: str) -> None:
        """Remove the line before `text` is written."""
        if text:
            self.erase()
            self._at_line_start = text.endswith("\n")
            self._written = time.monotonic()


class _Stream:
    """A stream to the terminal that shows the line."""

    def __init__(self, stream: TextIO, status: StatusLine) -> None:
        self._stream = stream
        self._status = status

    def write(self, text: str, /) -> int:
        self._status.before_write(text)
        return self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return True


async def update_periodically(status: StatusLine, describe: Callable[[], str]) -> None:
    """Show the result of `describe` periodically until canceled, then erase the line."""
    try:
        await asyncio.sleep(DELAY)
        while True:
            status.show(describe())
            await asyncio.sleep(INTERVAL)
    finally:
        status.erase()


def describe(progress: Progress, model: str) -> str:
    """Return the state of the request in a few words; "" if there is nothing to wait for."""
    seconds = f"{progress.waiting:.0f} s"
    match progress.state:
        case State.CONNECTING:
            return f"connecting  {seconds}"
        case State.WAITING:
            return f"waiting for {model}  {seconds}"
        case State.RETRYING:
            return f"retrying in {progress.retry_in:.0f} s"
        case State.STREAMING:
            return f"receiving  {seconds}"
    return ""
