"""A relay on a real socket: one uvicorn for all tests, and for each test an app of its own behind it."""

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
from streamtui.server.runner import Running, Server, listening, uvicorn_config
from tests.support.raw_server import RawServer, Script, serving

KEY = "sk-very/secret-key"
STREAMED = {"model": "box/some-model", "stream": True, "messages": [{"role": "user", "content": "Hello"}]}


class Stage:
    """What uvicorn serves: the app of the test that runs."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None
        self.port = 0
        self.connections: set[Any] = set()
        """What uvicorn holds of each open connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hands a request on."""
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        assert self.app is not None
        await self.app(scope, receive, send)


@asynccontextmanager
async def staging() -> AsyncIterator[Stage]:
    """Runs the server of all tests."""
    stage = Stage()
    with listening("127.0.0.1", 0, stalled=1) as sockets:
        server = Server(uvicorn_config(stage, Running(grace=1)))
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        stage.port = sockets[0].getsockname()[1]
        stage.connections = server.server_state.connections
        running = asyncio.create_task(server.serve(sockets))
        yield stage
        server.should_exit = True
        await running


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@dataclass
class Relaying:
    """A relay that a test asks."""

    relay: Relay
    client: httpx2.AsyncClient
    port: int
    lines: list[str] = field(default_factory=list)
    """Its log."""

    async def post(self, path: str = "/v1/chat/completions", body: Any = STREAMED, **options: Any) -> httpx2.Response:
        """Posts `body`, bytes as they are, anything else as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.client.post(path, content=content, **options)

    async def raw(self, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Opens a connection of its own and sends `data`."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        return reader, writer

    async def logged(self, part: str) -> str:
        """Waits for the line of the log that holds `part`, and returns it."""
        async with asyncio.timeout(20):
            while not any(part in line for line in self.lines):
                await asyncio.sleep(0.005)
        return next(line for line in self.lines if part in line)


@asynccontextmanager
async def relaying(stage: Stage, settings: Settings, **headers: str) -> AsyncIterator[Relaying]:
    """Runs a relay with these settings, and a client that sends `headers`."""
    served = Relay(settings)
    stage.app = create_app(served)
    handler = _Lines()
    LOG.setLevel(logging.INFO)
    LOG.handlers, LOG.propagate = [handler], False
    client = httpx2.AsyncClient(base_url=f"http://127.0.0.1:{stage.port}", headers=headers, trust_env=False, timeout=20)
    try:
        async with client:
            yield Relaying(served, client, stage.port, handler.lines)
    finally:
        await served.aclose()
        LOG.handlers, LOG.propagate = [], True


@asynccontextmanager
async def passing(stage: Stage, script: Script, **options: Any) -> AsyncIterator[tuple[Relaying, RawServer]]:
    """Runs a relay before one endpoint, box, that answers with `script`."""
    async with serving(script) as server:
        settings = Settings(box(server.url), **options)
        async with relaying(stage, settings) as relay:
            yield relay, server


def box(url: str, name: str = "box") -> Endpoint:
    """An endpoint with a key."""
    return Endpoint(name, url, api_key=KEY, organization="org-1", headers={"X-Title": "streamtui"})


def request_bytes(body: Any = STREAMED, *lines: str, path: str = "/v1/chat/completions") -> bytes:
    """Returns a POST as a client puts it on the wire."""
    content = json.dumps(body).encode()
    head = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(content)}", *lines]
    return "\r\n".join([*head, "", ""]).encode() + content
