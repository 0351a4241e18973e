"""RawServer: a server on a real socket that sends exactly the bytes it is told to."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

STREAM = "text/event-stream"
Script = Callable[["Exchange"], Awaitable[None]]


@dataclass
class Exchange:
    """One request, and the way to answer it."""

    line: str
    headers: dict[str, str]
    raw: bytes
    """The request as it came."""
    writer: asyncio.StreamWriter
    reader: asyncio.StreamReader
    body: Any = None

    async def send(self, *pieces: bytes) -> None:
        """Send each of `pieces` in a segment of its own."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()

    async def send_head(self, status: str = "200 OK", content_type: str = STREAM, **headers: str) -> None:
        """Send the head of a chunked reply."""
        lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", "Transfer-Encoding: chunked"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await self.send("\r\n".join([*lines, "", ""]).encode())

    async def send_chunks(self, *pieces: bytes) -> None:
        """Send each of `pieces` as an HTTP chunk."""
        await self.send(*(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece))

    async def end(self) -> None:
        """Ends a chunked body."""
        await self.send(b"0\r\n\r\n")

    def reset(self) -> None:
        """Close the connection with RST."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.close()

    async def until_gone(self) -> None:
        """Wait until the client has closed the connection."""
        with suppress(ConnectionError):
            while await self.reader.read(1024):
                pass


@dataclass
class RawServer:
    """Where it listens, and what it was asked."""

    url: str = ""
    requests: list[Exchange] = field(default_factory=list)
    connections: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a request has come."""

    @property
    def asked(self) -> list[Exchange]:
        """The requests for a reply: without those for the list of models."""
        return [exchange for exchange in self.requests if "/models" not in exchange.line]


@asynccontextmanager
async def serving(script: Script, port: int = 0) -> AsyncIterator[RawServer]:
    """Run a server that answers every request with `script`; closes what is open at the end. Port 0: a free one."""
    server = RawServer()
    tasks: set[asyncio.Task[None]] = set()
    writers: list[asyncio.StreamWriter] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        writers.append(writer)
        server.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while not writer.is_closing():
                exchange = await _received(reader, writer)
                server.requests.append(exchange)
                server.arrived.set()
                await script(exchange)
        writer.close()

    listener = await asyncio.start_server(connected, "127.0.0.1", port)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1"
    try:
        yield server
    finally:
        listener.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.gather(*tasks)


async def _received(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Exchange:
    head = await reader.readuntil(b"\r\n\r\n")
    line, *rest = head.decode().strip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (text.partition(": ") for text in rest)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Exchange(line, headers, head + body, writer, reader, json.loads(body) if body else None)


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def whole(body: bytes, status: str = "200 OK", content_type: str = STREAM, **headers: str) -> Script:
    """Return the script of a reply with its length, on a connection that stays open."""

    async def script(exchange: Exchange) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await exchange.send("\r\n".join([*lines, "", ""]).encode() + body)

    return script


def chunked(*pieces: bytes) -> Script:
    """Return the script of a stream whose every piece is a chunk, ended properly."""

    async def script(exchange: Exchange) -> None:
        await exchange.send_head()
        await exchange.send_chunks(*pieces)
        await exchange.end()

    return script


def event(data: object) -> bytes:
    """Return a server-sent event with `data`: bytes as they are, anything else as JSON."""
    text = data if isinstance(data, bytes) else json.dumps(data).encode()
    return b"data: " + text + b"\n\n"


def piece(text: str, finish_reason: str | None = None) -> bytes:
    """Return the event that says `text`."""
    return event({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish_reason}]})


DONE = event(b"[DONE]")
