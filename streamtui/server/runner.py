"""Runs the relay until it is told to end."""

import asyncio
import errno
import logging
import os
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.supervisors import Multiprocess

from streamtui import error_log
from streamtui.server.access_log import LOG
from streamtui.server.asgi import create_app
from streamtui.server.http_protocol import Protocol
from streamtui.server.relay import Relay, Settings

BACKLOG = 2048
KEEP_ALIVE = 75
"""Seconds an idle connection stays open: longer than load balancers keep theirs, or they send into closed ones."""
STALLED = 120
"""Seconds after which a client is given up that takes none of what is there for it."""


@dataclass(frozen=True, slots=True)
class Running:
    """How a relay is run."""

    workers: int = 1
    """Processes that share the address."""
    grace: int = 30
    """Seconds in which streams may end, once it is told to end."""
    quiet: bool = False
    """Whether requests that went well are left out of the log."""
    debug: bool = False
    """Whether the error log also says what the program does."""


class Server(uvicorn.Server):
    """uvicorn's, which ends by itself when told to twice."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Lets streams end at the first signal, and hangs up at the second."""
        # uvicorn raises the signal again at its end, as if it had not been heeded; not noting it prevents that.
        if self.should_exit:
            self._loop.call_soon_threadsafe(self._hang_up)
        elif self.server_state.tasks:
            sys.stderr.write("streamtui serve: waiting for the streams under way; ctrl+c again hangs up.\n")
        self.should_exit = True

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serves until a signal comes."""
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    def _hang_up(self) -> None:
        # A connection that is lost ends its request and that to the endpoint. uvicorn's own way of leaving at once
        # waits for open connections from Python 3.12 on.
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def run(settings: Settings, sockets: Sequence[socket.socket], running: Running) -> None:
    """Serves on `sockets` until SIGINT or SIGTERM; streams may end then, until a second one."""
    _allow_many_files()
    _start_logs(running)
    # A partial, as a worker gets it by pickle: over a pipe, so that no key is seen in a process's arguments.
    config = uvicorn_config(partial(_worker_app, settings, running), running, factory=True)
    if running.workers > 1:
        Multiprocess(config, list(sockets)).run()
    else:
        Server(config).run(list(sockets))


def uvicorn_config(app: Callable[..., Any], running: Running, *, factory: bool = False) -> uvicorn.Config:
    """Returns how uvicorn serves `app`; with `factory`, what `app` returns."""
    return uvicorn.Config(
        app,
        factory=factory,
        http=Protocol,
        workers=running.workers,
        log_config=None,
        access_log=False,
        ws="none",
        lifespan="on",
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=running.grace,
        backlog=BACKLOG,
    )


def _worker_app(settings: Settings, running: Running) -> ASGIApp:
    """Makes the app in the process that serves it."""
    _start_logs(running)
    return create_app(Relay(settings))


def _start_logs(running: Running) -> None:
    """Logs requests to stderr; unexpected errors also go to the error log, as in every command."""
    error_log.start(debug=running.debug)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(error_log.Formatter("%(asctime)s %(levelname)s %(message)s"))
    LOG.handlers = [handler]
    LOG.setLevel(logging.WARNING if running.quiet else logging.INFO)
    # What uvicorn calls errors are clients and endpoints that leave; those are noted here as what they are.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)


def _allow_many_files() -> None:
    """Raises the limit of open files to what this user may have: a stream takes two, and the usual limit is 1,024."""
    with suppress(ImportError, ValueError, OSError):  # Windows has no such limit; macOS may refuse
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@contextmanager
def listening(host: str, port: int, stalled: float = STALLED) -> Iterator[list[socket.socket]]:
    """Opens sockets at every address of `host`; port 0 is any free one. Raises OSError.

    Clients that take nothing of what is there for them for `stalled` seconds are disconnected.
    """
    with ExitStack() as stack:
        sockets: list[socket.socket] = []
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, _, _, _, address in dict.fromkeys(found):
            place = (address[0], sockets[0].getsockname()[1] if sockets else port)
            try:
                opened = stack.enter_context(socket.create_server(place, family=family, backlog=BACKLOG))
            except OSError as error:
                # Many a machine knows localhost as ::1 and has no IPv6.
                if not _is_absent(error) or address == found[-1][4]:
                    raise
                continue
            sockets.append(opened)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                # The system closes connections that take nothing for so long; elsewhere they stay.
                opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(stalled * 1000))
        yield sockets


def _is_absent(error: OSError) -> bool:
    return error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


@contextmanager
def listening_at(path: Path) -> Iterator[list[socket.socket]]:
    """Opens a Unix socket at `path`, for this user only. Raises OSError, also where a relay listens there already."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as opened:
        _remove_dead(path)
        mask = os.umask(0o177)
        try:
            opened.bind(str(path))
        finally:
            os.umask(mask)
        try:
            opened.listen(BACKLOG)
            yield [opened]
        finally:
            path.unlink(missing_ok=True)


def _remove_dead(path: Path) -> None:
    """Removes the socket of a program that was killed."""
    if path.is_socket():
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knocking:
            try:
                knocking.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()
