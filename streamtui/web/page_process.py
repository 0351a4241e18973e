"""The process behind a page, which starts and ends with it."""

import asyncio
import json
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from streamtui import processes

STOP_TIMEOUT = 5.0
"""Seconds for a process to save and exit when its page is closed."""
SESSION_VARIABLE = "STREAMTUI_PAGE_SESSION"
"""The environment variable with the session to resume."""
_NOT_INHERITED = ("TMUX", "TMUX_PANE", "STY", SESSION_VARIABLE)
"""Variables of the server's own terminal, to which a page would otherwise copy text."""


class PageProcess(AppService):
    """A program that renders to a page."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        write_bytes: Callable[[bytes], Awaitable[None]],
        write_str: Callable[[str], Awaitable[None]],
        close: Callable[[str], Awaitable[None]],
        downloads: DownloadManager,
        session: str = "",
    ) -> None:
        """`command`: the program to run; `session`: the session to resume.

        `write_bytes` and `write_str` send to the page. `close` is called after the program has exited, with the reason
        if that was unexpected.
        """

        async def ignore() -> None:
            """Do nothing when the program announces its exit: it saves after that."""

        super().__init__(
            "", write_bytes=write_bytes, write_str=write_str, close=ignore, download_manager=downloads, debug=False
        )
        self._command = command
        self._session = session
        self._close = close

    def _build_environment(self, width: int = 80, height: int = 24) -> dict[str, str]:
        environment = super()._build_environment(width, height)
        for name in _NOT_INHERITED:
            environment.pop(name, None)
        if self._session:
            environment[SESSION_VARIABLE] = self._session
        environment["TEXTUAL_FPS"] = os.environ.get("TEXTUAL_FPS", "120")
        return environment

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        # Without a shell, which wouldn't forward signals. In a session of its own, so that Ctrl+C in the terminal
        # reaches only the server, which then stops its pages.
        environment = self._build_environment(width, height)
        self._process = process = await processes.start(
            self._command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment
        )
        assert process.stdin is not None
        self._stdin = process.stdin
        return process

    async def on_data(self, payload: bytes) -> None:
        """Send output to the page."""
        # Ignore a closed page: the program blocks and never exits if nobody reads its output.
        with suppress(ConnectionError, RuntimeError):
            await super().on_data(payload)

    async def on_meta(self, data: bytes) -> None:
        """Handle a message of the program. Its session is sent to the page."""
        meta = json.loads(data)
        if meta["type"] == "session":
            with suppress(ConnectionError, RuntimeError):
                await self.remote_write_str(json.dumps(["session", str(meta["id"])]))
        else:
            await super().on_meta(data)

    async def run(self) -> None:
        """Serve the program until it exits, then close the page."""
        process = self._process
        assert process is not None
        await super().run()
        await self._close(_exit_reason(await process.wait()))

    async def stop(self) -> None:
        """Ask the program to exit, and kill it after a timeout."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            async with asyncio.timeout(STOP_TIMEOUT):
                await super().stop()
                await process.wait()
        except TimeoutError:
            await processes.kill(process)


def _exit_reason(status: int) -> str:
    """Return why a program exited unexpectedly; "" for status 0."""
    if status == 0:
        return ""
    if status > 0:
        return f"The program failed (exit status {status}). See the terminal of streamtui web for details."
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"The program was killed ({name}). Your session was saved up to that point."
