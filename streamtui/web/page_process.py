"""Tab: the process behind one page, begun and ended with it."""

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

PATIENCE = 5.0
"""Seconds a process has to save and end when its page is closed."""
_NOT_INHERITED = ("TMUX", "TMUX_PANE", "STY")
"""A page has nothing to do with the terminal that the server was started in: a copy would go there."""
SESSION = "STREAMTUI_PAGE_SESSION"
"""The environment variable with the session that a page comes back to."""


class Tab(AppService):
    """A program that paints into a page."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        write_bytes: Callable[[bytes], Awaitable[None]],
        write_str: Callable[[str], Awaitable[None]],
        close: Callable[[str], Awaitable[None]],
        downloads: DownloadManager,
        session: str = "",
    ) -> None:
        """`arguments`: the program to run, `session`: the one to open; the others reach the page.

        `close` is called when the program has ended, with the reason if it did not end by itself.
        """

        async def leave() -> None:
            """Nothing yet: the program says that it is leaving, and then it saves."""

        super().__init__(
            "", write_bytes=write_bytes, write_str=write_str, close=leave, download_manager=downloads, debug=False
        )
        self._arguments = arguments
        self._session = session
        self._close = close

    def _build_environment(self, width: int = 80, height: int = 24) -> dict[str, str]:
        environment = super()._build_environment(width, height)
        for name in _NOT_INHERITED:
            environment.pop(name, None)
        environment.pop(SESSION, None)
        if self._session:
            environment[SESSION] = self._session
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

    async def on_meta(self, data: bytes) -> None:
        """Does what the program asks for; tells the page which session it shows."""
        meta = json.loads(data)
        if meta["type"] == "session":
            with suppress(ConnectionError, RuntimeError):
                await self.remote_write_str(json.dumps(["session", str(meta["id"])]))
        else:
            await super().on_meta(data)

    async def run(self) -> None:
        """Serves the program until it has ended, then closes the page."""
        process = self._process
        assert process is not None
        await super().run()
        await self._close(_ending(await process.wait()))

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


def _ending(status: int) -> str:
    """Return why a program ended with exit status `status`; "" if it ended by itself."""
    if status == 0:
        return ""
    if status > 0:
        return f"The program failed (exit status {status}). The terminal of streamtui web may say why."
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"The program was killed ({name}). Everything up to then is saved."
