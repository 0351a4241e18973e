"""Running the relay under uvicorn."""

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
"""Seconds until an idle connection is closed. Longer than load balancers keep theirs, which otherwise send requests
into closed connections."""
UNREAD_TIMEOUT = 120
"""Seconds after which a client that doesn't read its response is disconnected."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How to run the relay's processes."""

    workers: int = 1
    """Processes that share the address."""
    grace: int = 30
    """Seconds for running responses to complete on shutdown."""
    quiet: bool = False
    """Whether to log only warnings and errors."""
    debug: bool = False
    """Whether to write debug messages to the error log."""


class Server(uvicorn.Server):
    """A uvicorn server that closes all connections at a second signal."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Shut down gracefully at the first signal, and at once at the second."""
        # uvicorn would record the signal and raise it again after the shutdown.
        if self.should_exit:
            self._loop.call_soon_threadsafe(self._close_connections)
        elif self.server_state.tasks:
            sys.stderr.write("streamtui serve: waiting for open responses. Press Ctrl+C again to stop now.\n")
        self.should_exit = True

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until a signal arrives."""
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    def _close_connections(self) -> None:
        # Closing a connection also cancels its request and the upstream request. uvicorn's own forced exit waits for
        # open connections from Python 3.12 on.
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def run(settings: Settings, sockets: Sequence[socket.socket], options: ServerOptions) -> None:
    """Serve on `sockets` until SIGINT or SIGTERM, then let responses complete until a second signal."""
    _allow_many_files()
    _start_logs(options)
    # Workers get the app pickled over a pipe, so that no key appears in the arguments of a process.
    config = uvicorn_config(partial(_worker_app, settings, options), options, factory=True)
    if options.workers > 1:
        Multiprocess(config, list(sockets)).run()
    else:
        Server(config).run(list(sockets))


def uvicorn_config(app: Callable[..., Any], options: ServerOptions, *, factory: bool = False) -> uvicorn.Config:
    """Return uvicorn's configuration for `app`, or for what `app` returns with `factory`."""
    return uvicorn.Config(
        app,
        factory=factory,
        http=Protocol,
        workers=options.workers,
        log_config=None,
        access_log=False,
        ws="none",
        lifespan="on",
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=options.grace,
        backlog=BACKLOG,
    )


def _worker_app(settings: Settings, options: ServerOptions) -> ASGIApp:
    """Create the app in the process that serves it."""
    _start_logs(options)
    return create_app(Relay(settings))


def _start_logs(options: ServerOptions) -> None:
    """Log requests to stderr. Unexpected errors also go to the error log, as in all commands."""
    error_log.start(debug=options.debug)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(error_log.Formatter("%(asctime)s %(levelname)s %(message)s"))
    LOG.handlers = [handler]
    LOG.setLevel(logging.WARNING if options.quiet else logging.INFO)
    # uvicorn logs disconnects as errors; the access log has them already.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)


def _allow_many_files() -> None:
    """Raise the limit of open files to its maximum: each stream needs two, and the usual limit is 1,024."""
    with suppress(ImportError, ValueError, OSError):  # Windows has no such limit, and macOS may deny it
        import resource

        _, maximum = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (maximum, maximum))


@contextmanager
def listening(host: str, port: int, unread_timeout: float = UNREAD_TIMEOUT) -> Iterator[list[socket.socket]]:
    """Open a listening socket for each address of `host`; port 0 is any free port. Raises OSError.

    Clients that don't read their responses are disconnected after `unread_timeout` seconds.
    """
    with ExitStack() as stack:
        sockets: list[socket.socket] = []
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, _, _, _, address in dict.fromkeys(addresses):
            target = (address[0], sockets[0].getsockname()[1] if sockets else port)
            try:
                listener = stack.enter_context(socket.create_server(target, family=family, backlog=BACKLOG))
            except OSError as error:
                # Many machines resolve localhost to ::1 although they have no IPv6.
                if not _is_unavailable(error) or address == addresses[-1][4]:
                    raise
                continue
            sockets.append(listener)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                # Linux only. Elsewhere such connections stay open.
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(unread_timeout * 1000))
        yield sockets


def _is_unavailable(error: OSError) -> bool:
    return error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


@contextmanager
def listening_on_unix_socket(path: Path) -> Iterator[list[socket.socket]]:
    """Open a Unix socket at `path` for this user only. Raises OSError, also if another relay listens there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        _remove_stale_socket(path)
        mask = os.umask(0o177)
        try:
            listener.bind(str(path))
        finally:
            os.umask(mask)
        try:
            listener.listen(BACKLOG)
            yield [listener]
        finally:
            path.unlink(missing_ok=True)


def _remove_stale_socket(path: Path) -> None:
    """Remove the socket of a program that was killed."""
    if path.is_socket():
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            try:
                client.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()
