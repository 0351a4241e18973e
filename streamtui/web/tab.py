"""Tab: the process behind one page, begun and ended with it."""

import asyncio
import os
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from streamtui import processes

PATIENCE = 5.0
"""Seconds a process has to save and end when its page is closed."""
_NOT_INHERITED = ("TMUX", "TMUX_PANE", "STY")
"""A page has nothing to do with the terminal that the server was started in: a copy would go there."""


class Tab(AppService):
    """A program that paints into a page."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        write_bytes: Callable[[bytes], Awaitable[None]],
        write_str: Callable[[str], Awaitable[None]],
        close: Callable[[], Awaitable[None]],
        downloads: DownloadManager,
    ) -> None:
        """`arguments`: the program to run; the other three reach the page."""
        super().__init__(
            "", write_bytes=write_bytes, write_str=write_str, close=close, download_manager=downloads, debug=False
        )
        self._arguments = arguments

    def _build_environment(self, width: int = 80, height: int = 24) -> dict[str, str]:
        environment = super()._build_environment(width, height)
        for name in _NOT_INHERITED:
            environment.pop(name, None)
        environment["TEXTUAL_FPS"] = os.environ.get("TEXTUAL_FPS", "120")
        return environment

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        # No shell: what is between it and the program would not be told that the page is gone. A session of its
        # own: ctrl+c in the terminal is for the server, which then ends its pages properly.
        environment = self._build_environment(width, height)
        self._process = process = await processes.start(
            self._arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment
        )
        assert process.stdin is not None
        self._stdin = process.stdin
        return process

    async def on_data(self, payload: bytes) -> None:
        """Sends what was painted to the page."""
        # Read on when the page is gone: a program whose output nobody reads would wait for ever, and not end.
        with suppress(ConnectionError, RuntimeError):
            await super().on_data(payload)

    async def stop(self) -> None:
        """Asks the program to end, and ends it if it does not."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                await super().stop()
                await process.wait()
        except TimeoutError:
            await processes.kill(process)
