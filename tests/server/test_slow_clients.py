"""The timeout for request headers."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from streamtui.config import DEMO
from streamtui.server import http_protocol
from streamtui.server.relay import Settings
from tests.support.raw_server import DONE, Exchange, piece
from tests.support.relay import RelayServer, relay_to, request_bytes, run_relay

pytestmark = pytest.mark.asyncio(loop_scope="session")

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def short_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "HEADER_TIMEOUT", 0.3)


@pytest.mark.parametrize("first", [b"", HEALTH], ids=["first request", "second request"])
@pytest.mark.parametrize("start", [b"GET /healthz HTTP/1.1\r\nX: ", b"G"])
async def test_slow_headers_time_out(
    relay_server: RelayServer, short_timeout: None, first: bytes, start: bytes
) -> None:
    async with run_relay(relay_server, Settings(DEMO)) as relay, asyncio.timeout(20):
        reader, writer = await relay.raw(first)
        if first:
            await reader.readuntil(b'{"status":"ok"}')
        writer.write(start)
        while not await closed(reader):
            writer.write(b"x")
        writer.close()


async def closed(reader: asyncio.StreamReader) -> bool:
    """Return whether the connection is closed within a moment."""
    try:
        return await asyncio.wait_for(reader.read(), 0.05) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


async def test_connection_without_a_request_times_out(relay_server: RelayServer, short_timeout: None) -> None:
    async with run_relay(relay_server, Settings(DEMO)) as relay, asyncio.timeout(20):
        reader, writer = await relay.raw(b"")
        assert await reader.read() == b""
        writer.close()


async def test_header_timeout_does_not_apply_to_bodies(relay_server: RelayServer, short_timeout: None) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.send_head()
        async for data in slowly(piece("one"), piece("two"), DONE):
            await exchange.send_chunks(data)
        await exchange.end()

    async with relay_to(relay_server, script) as (relay, _), asyncio.timeout(20):
        request = request_bytes()
        head = request.index(b"\r\n\r\n") + 4
        reader, writer = await relay.raw(request[:head])
        async for data in slowly(request[head : head + 9], request[head + 9 :]):
            writer.write(data)
        assert DONE in await reader.readuntil(b"\r\n0\r\n\r\n")
        writer.write(HEALTH)
        await reader.readuntil(b'{"status":"ok"}')
        writer.close()


async def slowly(*pieces: bytes) -> AsyncIterator[bytes]:
    """Yield `pieces`, each after more than the header timeout."""
    for each in pieces:
        await asyncio.sleep(http_protocol.HEADER_TIMEOUT * 1.5)
        yield each
