"""A transient line on a terminal that says what `ask` is waiting for."""

import asyncio
import os
import shutil
import time
from collections.abc import Callable
from typing import TextIO

from streamtui.ask.output import Writer
from streamtui.core.progress import Progress, State

FIRST = 0.3
"""Seconds before the line appears: quick answers never flash it."""
EVERY = 0.5
"""Seconds between updates, and of quiet before the line comes back below what was written."""


class StatusLine:
    """One line at the cursor, erased before anything else is written."""

    def __init__(self, out: TextIO) -> None:
        """`out`: where the line goes; nothing is shown unless that is a terminal, and not a dumb one."""
        self._out = out
        self._enabled = out.isatty() and os.environ.get("TERM") != "dumb"
        self._shown = False
        self._at_line_start = True
        self._written = 0.0

    def over(self, stream: TextIO) -> Writer:
        """Return `stream` so that what is written to it takes the place of the line, where it is a terminal too."""
        return _Stream(stream, self) if self._enabled and stream.isatty() else stream

    def show(self, text: str) -> None:
        """Show `text`, unless an unfinished line or something just written is in its place."""
        if not (text and self._enabled and self._at_line_start) or time.monotonic() - self._written < EVERY:
            return
        from rich.cells import set_cell_size  # only terminals need it

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

    def make_way(self, text: str) -> None:
        """Remove the line, as `text` is written now."""
        if text:
            self.erase()
            self._at_line_start = text.endswith("\n")
            self._written = time.monotonic()


class _Stream:
    """A stream to the terminal that has the line."""

    def __init__(self, stream: TextIO, status: StatusLine) -> None:
        self._stream = stream
        self._status = status

    def write(self, text: str, /) -> int:
        self._status.make_way(text)
        return self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return True


async def keep_showing(status: StatusLine, describe: Callable[[], str]) -> None:
    """Show what `describe` returns, again and again, until canceled; then erase it."""
    try:
        await asyncio.sleep(FIRST)
        while True:
            status.show(describe())
            await asyncio.sleep(EVERY)
    finally:
        status.erase()


def describe(progress: Progress, model: str) -> str:
    """Return what is being waited for, in a few words; "" for nothing."""
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
