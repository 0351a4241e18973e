"""Runs the web server until it is told to end."""

import asyncio
import signal
import socket
import webbrowser
from collections.abc import Sequence
from contextlib import suppress

from aiohttp import web

from streamtui.web.server import WebServer


async def run(arguments: Sequence[str], host: str, port: int, *, open_browser: bool) -> None:
    """Serves pages that show the program `arguments` until SIGINT or SIGTERM; raises OSError if it can't listen."""
    names = [host, "localhost", socket.gethostname()]
    server = WebServer(arguments, names, lambda ticket: _say(f"For another browser: {address(ticket)}"))
    runner = web.AppRunner(server.app(), access_log=None, shutdown_timeout=10)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        bound = runner.addresses[0][1]

        def address(ticket: str) -> str:
            shown = f"[{host}]" if ":" in host else "localhost" if host in ("0.0.0.0", "") else host
            return f"http://{shown}:{bound}/?ticket={ticket}"

        first = address(server.door.ticket())
        _say(f"streamtui is at {first}\nThe address is good for one browser. ctrl+c ends it, with every page.")
        if open_browser:
            await asyncio.to_thread(webbrowser.open, first)
        await _until_told()
    finally:
        await runner.cleanup()


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


async def _until_told() -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows: ctrl+c arrives as KeyboardInterrupt
            loop.add_signal_handler(number, told.set)
    await told.wait()
