"""A relay on a real socket. One uvicorn serves all tests; each test puts its own app behind it."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from starlette.types import ASGIApp, Receive, Scope, Send

from streamtui.config import Endpoint
from streamtui.server.access_log import LOG
from streamtui.server.asgi import create_app
from streamtui.server.relay import Relay, Settings
from streamtui.server.runner import Server, ServerOptions, listening, uvicorn_config
from tests.support.raw_server import RawServer, Script, serving

KEY = "sk-very/secret-key"
STREAMED = {"model": "box/some-model", "stream": True, "messages": [{"role": "user", "content": "Hello"}]}


class RelayServer:
    """The uvicorn server of all tests, and the app of the current test."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None
        self.port = 0
        self.connections: set[Any] = set()
        """uvicorn's protocol objects of open connections."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request to the current app."""
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        assert self.app is not None
        await self.app(scope, receive, send)


@asynccontextmanager
async def relay_server() -> AsyncIterator[RelayServer]:
    """Run the server of all tests."""
    server = RelayServer()
    with listening("127.0.0.1", 0, unread_timeout=1) as sockets:
        uvicorn_server = Server(uvicorn_config(server, ServerOptions(grace=1)))
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        server.port = sockets[0].getsockname()[1]
        server.connections = uvicorn_server.server_state.connections
        task = asyncio.create_task(uvicorn_server.serve(sockets))
        yield server
        uvicorn_server.should_exit = True
        await task


class _ListHandler(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@dataclass
class RunningRelay:
    """The relay of a test, and a client of it."""

    relay: Relay
    client: httpx2.AsyncClient
    port: int
    lines: list[str] = field(default_factory=list)
    """Lines of the log."""

    async def post(self, path: str = "/v1/chat/completions", body: Any = STREAMED, **options: Any) -> httpx2.Response:
        """Post `body`: bytes as they are, anything else as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.client.post(path, content=content, **options)

    async def raw(self, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection and send `data`."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        return reader, writer

    async def logged(self, part: str) -> str:
        """Wait for a log line that contains `part`, and return it."""
        async with asyncio.timeout(20):
            while not any(part in line for line in self.lines):
                await asyncio.sleep(0.005)
        return next(line for line in self.lines if part in line)


@asynccontextmanager
async def run_relay(server: RelayServer, settings: Settings, **headers: str) -> AsyncIterator[RunningRelay]:
    """Run a relay with `settings`, and a client that sends `headers`."""
    relay = Relay(settings)
    server.app = create_app(relay)
    handler = _ListHandler()
    LOG.setLevel(logging.INFO)
    LOG.handlers, LOG.propagate = [handler], False
    url = f"http://127.0.0.1:{server.port}"
    try:
        async with httpx2.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=20) as client:
            yield RunningRelay(relay, client, server.port, handler.lines)
    finally:
        await relay.aclose()
        LOG.handlers, LOG.propagate = [], True


@asynccontextmanager
async def relay_to(
    server: RelayServer, script: Script, **options: Any
) -> AsyncIterator[tuple[RunningRelay, RawServer]]:
    """Run a relay with one endpoint named box, which answers with `script`."""
    async with serving(script) as upstream, run_relay(server, Settings(box(upstream.url), **options)) as relay:
        yield relay, upstream


def box(url: str, name: str = "box") -> Endpoint:
    """Return an endpoint with a key."""
    return Endpoint(name, url, api_key=KEY, organization="org-1", headers={"X-Title": "streamtui"})


def request_bytes(body: Any = STREAMED, *lines: str, path: str = "/v1/chat/completions") -> bytes:
    """Return a raw HTTP POST request."""
    content = json.dumps(body).encode()
    head = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(content)}", *lines]
    return "\r\n".join([*head, "", ""]).encode() + content


def error_of(response: httpx2.Response) -> dict[str, Any]:
    """Return the error of a response, which must have all of OpenAI's fields."""
    error: dict[str, Any] = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error
