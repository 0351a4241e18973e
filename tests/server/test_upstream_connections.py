"""Reused connections to endpoints."""

import asyncio

import pytest

from tests.support.raw_server import DONE, Exchange, chunked, piece, whole
from tests.support.relay import RelayServer, error_of, relay_to

pytestmark = pytest.mark.asyncio(loop_scope="session")

ASKED = {"model": "m", "prompt": "x"}
PATHS = pytest.mark.parametrize("path", ["/v1/chat/completions", "/chat"])
REPLY = chunked(piece("Hello", "stop"), DONE)


async def test_cookies_are_not_shared_between_clients(relay_server: RelayServer) -> None:
    async with relay_to(relay_server, whole(b"{}", set_cookie="session=first; Path=/")) as (relay, server):
        await relay.post()
        await relay.post()
        assert server.connections == 1
        assert "cookie" not in server.requests[1].headers


async def test_surplus_bytes_do_not_become_the_next_response(relay_server: RelayServer) -> None:
    async def script(exchange: Exchange) -> None:
        surplus = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
        await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}" + surplus)

    async with relay_to(relay_server, script) as (relay, server):
        assert [(await relay.post()).content for _ in range(3)] == [b"{}"] * 3
        assert server.connections == 3


@PATHS
async def test_request_on_a_closed_idle_connection_is_retried(relay_server: RelayServer, path: str) -> None:
    served: set[asyncio.StreamWriter] = set()

    async def script(exchange: Exchange) -> None:
        if exchange.writer in served:
            exchange.writer.close()
        else:
            served.add(exchange.writer)
            await REPLY(exchange)

    async with relay_to(relay_server, script) as (relay, server):
        replies = [await relay.post(path, ASKED) for _ in range(2)]
        assert [reply.status_code for reply in replies] == [200, 200]
        assert all("Hello" in reply.text for reply in replies)
        assert len(server.requests) == 3


@PATHS
async def test_closed_new_connection_is_an_error(relay_server: RelayServer, path: str) -> None:
    async def script(exchange: Exchange) -> None:
        exchange.writer.close()

    async with relay_to(relay_server, script) as (relay, server):
        reply = await relay.post(path, ASKED)
        assert (reply.status_code, (error_of(reply))["code"]) == (502, "upstream_broken")
        assert len(server.requests) == 1


async def test_started_reply_is_not_retried(relay_server: RelayServer) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.send_head()
        await exchange.send_chunks(piece("Hello", "stop" if len(server.requests) == 1 else None))
        if len(server.requests) == 1:
            await exchange.end()
        else:
            exchange.writer.close()

    async with relay_to(relay_server, script) as (relay, server):
        replies = [await relay.post("/chat", ASKED) for _ in range(2)]
        assert ["upstream_broken" in reply.text for reply in replies] == [False, True]
        assert (len(server.requests), server.connections) == (2, 1)
