"""Slow clients: the head of a request has to come in time; its body and its reply have limits of their own."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from streamtui.config import DEMO
from streamtui.server import http_protocol
from streamtui.server.relay import Settings
from tests.support.raw_server import DONE, Exchange, piece
from tests.support.relay import Stage, passing, relaying, request_bytes

pytestmark = pytest.mark.asyncio(loop_scope="session")

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_TIMEOUT", 0.3)


@pytest.mark.parametrize("first", [b"", HEALTH], ids=["first request", "second request"])
@pytest.mark.parametrize("start", [b"GET /healthz HTTP/1.1\r\nX: ", b"G"])
async def test_a_head_that_comes_byte_by_byte_is_not_waited_for(
    stage: Stage, impatient: None, first: bytes, start: bytes
) -> None:
    async with relaying(stage, Settings(DEMO)) as relay, asyncio.timeout(20):
        reader, writer = await relay.raw(first)
        if first:
            await reader.readuntil(b'{"status":"ok"}')
        writer.write(start)
        while not await closed(reader):
            writer.write(b"x")
        writer.close()


async def closed(reader: asyncio.StreamReader) -> bool:
    """Waits a moment for the end of a connection."""
    try:
        return await asyncio.wait_for(reader.read(), 0.05) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


async def test_a_connection_without_a_request_is_closed(stage: Stage, impatient: None) -> None:
    async with relaying(stage, Settings(DEMO)) as relay, asyncio.timeout(20):
        reader, writer = await relay.raw(b"")
        assert await reader.read() == b""
        writer.close()


async def test_a_slow_body_and_a_slow_reply_are_not_cut(stage: Stage, impatient: None) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.send_head()
        async for each in slowly(piece("one"), piece("two"), DONE):
            await exchange.send_chunks(each)
        await exchange.end()

    async with passing(stage, script) as (relay, _), asyncio.timeout(20):
        request = request_bytes()
        head = request.index(b"\r\n\r\n") + 4
        reader, writer = await relay.raw(request[:head])
        async for each in slowly(request[head : head + 9], request[head + 9 :]):
            writer.write(each)
        assert DONE in await reader.readuntil(b"\r\n0\r\n\r\n")
        writer.write(HEALTH)
        await reader.readuntil(b'{"status":"ok"}')
        writer.close()


async def slowly(*pieces: bytes) -> AsyncIterator[bytes]:
    """Yields `pieces`, each after more time than a head may take."""
    for each in pieces:
        await asyncio.sleep(http_protocol.HEAD_TIMEOUT * 1.5)
        yield each
