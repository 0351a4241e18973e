"""Tokens, host names, web origins and limits."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streamtui.config import DEMO
from streamtui.server.client_tokens import ClientTokens
from streamtui.server.limits import Limits, RateLimit
from streamtui.server.relay import Settings
from tests.support.raw_server import DONE, Exchange, chunked, piece, whole
from tests.support.relay import STREAMED, RelayServer, error_of, relay_to, request_bytes, run_relay

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_token_is_required_and_its_name_logged(relay_server: RelayServer, tmp_path: Path) -> None:
    tokens = ClientTokens(tmp_path / "tokens")
    token = tokens.add("laptop")
    async with relay_to(relay_server, chunked(DONE), tokens=tokens) as (relay, server):
        for sent in ({}, {"authorization": "Bearer st-wrong"}, {"authorization": token}, {"authorization": "Basic x"}):
            reply = await relay.post(headers=sent)
            assert (reply.status_code, (error_of(reply))["code"]) == (401, "invalid_api_key")
            assert reply.headers["www-authenticate"] == "Bearer"
        assert not server.requests
        assert (await relay.post(headers={"authorization": f"bearer {token}"})).status_code == 200
        assert "token=laptop" in await relay.logged("status=200")
        tokens.revoke("laptop")
        assert (await relay.post(headers={"authorization": f"Bearer {token}"})).status_code == 401
        assert token not in "".join(relay.lines)


async def test_only_the_health_check_needs_no_token(relay_server: RelayServer, tmp_path: Path) -> None:
    async with run_relay(relay_server, Settings(DEMO, tokens=ClientTokens(tmp_path))) as relay:
        for path in ("/v1/models", "/metrics", "/", "/healthz/"):
            assert (await relay.client.get(path)).status_code == 401
        assert (await relay.client.get("/healthz")).json() == {"status": "ok"}
        assert (await relay.client.head("/healthz")).status_code == 200


async def test_unreadable_token_files_reject_all_requests(relay_server: RelayServer, tmp_path: Path) -> None:
    tokens = ClientTokens(tmp_path / "file" / "tokens")
    (tmp_path / "file").write_text("")
    async with run_relay(relay_server, Settings(DEMO, tokens=tokens)) as relay:
        reply = await relay.client.get("/v1/models", headers={"authorization": "Bearer x"})
        assert (reply.status_code, (error_of(reply))["type"]) == (500, "server_error")
        await relay.logged("All requests are rejected")


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("localhost", True), ("LOCALHOST:1", True), ("app.localhost:1", True), ("127.0.0.1:8787", True),
        ("[::1]:80", True), ("192.168.1.7", True), ("relay.test:443", True), ("RELAY.test", True),
        ("evil.test", False), ("localhost.evil.test", False), ("127.0.0.1.evil.test", False), ("", False),
        ("relay.test.evil", False), ("[::1", False), ("evil.test@localhost.x", False),
    ],
)  # fmt: skip
async def test_unknown_host_headers_are_rejected(relay_server: RelayServer, host: str, known: bool) -> None:
    async with run_relay(relay_server, Settings(DEMO, hosts=("relay.test",))) as relay:
        reply = await relay.client.get("/healthz", headers={"host": host})
        if known:
            assert reply.status_code == 200
        else:
            assert (reply.status_code, (error_of(reply))["code"]) == (403, "host_not_allowed")


async def test_allow_host_star_accepts_any_host_header(relay_server: RelayServer) -> None:
    async with run_relay(relay_server, Settings(DEMO, hosts=("*",))) as relay:
        assert (await relay.client.get("/healthz", headers={"host": "any.test"})).status_code == 200


async def test_other_origins_are_rejected(relay_server: RelayServer) -> None:
    async with relay_to(relay_server, chunked(DONE)) as (relay, server):
        for origin in ("https://evil.test", "null", f"http://localhost:{relay.port}"):
            reply = await relay.post(headers={"origin": origin})
            assert (reply.status_code, (error_of(reply))["code"]) == (403, "origin_not_allowed")
            assert "access-control-allow-origin" not in reply.headers
        preflight = {"origin": "https://evil.test", "access-control-request-method": "POST"}
        assert (await relay.client.options("/v1/chat/completions", headers=preflight)).status_code == 403
        assert not server.requests
        assert (await relay.post(headers={"origin": f"http://127.0.0.1:{relay.port}"})).status_code == 200


async def test_allowed_origins_can_read_responses_and_errors(relay_server: RelayServer, tmp_path: Path) -> None:
    origin = "https://page.test"
    tokens = ClientTokens(tmp_path / "tokens")
    token = tokens.add("page")
    async with relay_to(relay_server, chunked(piece("x"), DONE), tokens=tokens, origins=(origin,)) as (relay, _):
        asked = {
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,x-stainless-os",
        }
        preflight = await relay.client.options("/v1/chat/completions", headers={"origin": origin, **asked})
        assert preflight.status_code == 200
        assert "x-stainless-os" in preflight.headers["access-control-allow-headers"]
        for sent, status in (({}, 401), ({"authorization": f"Bearer {token}"}, 200)):
            reply = await relay.post(headers={"origin": origin, **sent})
            assert reply.status_code == status
            assert reply.headers["access-control-allow-origin"] == origin
        assert (await relay.post(headers={"origin": "https://other.test"})).status_code == 403


async def test_too_large_body_is_rejected(relay_server: RelayServer) -> None:
    large = json.dumps({"model": "m", "x": "x" * 3000}).encode()

    async def in_chunks() -> AsyncIterator[bytes]:
        yield large[:1500]
        yield large[1500:]

    async with relay_to(relay_server, whole(b"{}"), limits=Limits(body=2000)) as (relay, server):
        for content in (large, in_chunks()):
            reply = await relay.client.post("/v1/chat/completions", content=content)
            assert (reply.status_code, (error_of(reply))["code"]) == (413, "request_too_large")
        assert not server.requests
        assert (await relay.post(body=large[:10] + b'"}')).status_code == 400
        assert (await relay.post()).status_code == 200


async def test_slow_body_times_out(relay_server: RelayServer) -> None:
    async with run_relay(relay_server, Settings(DEMO, limits=Limits(body_timeout=0.05))) as relay:
        reader, writer = await relay.raw(b"POST /chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        assert b" 408 " in await reader.readline()
        writer.close()


async def test_disconnect_during_the_request_body_is_logged(relay_server: RelayServer) -> None:
    async with run_relay(relay_server, Settings(DEMO)) as relay:
        _, writer = await relay.raw(b"POST /chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        writer.close()
        assert "status=499" in await relay.logged("end=left")


async def test_concurrent_requests_are_limited(relay_server: RelayServer) -> None:
    go_on = asyncio.Event()

    async def script(exchange: Exchange) -> None:
        await exchange.send_head()
        await exchange.send_chunks(piece("one"))
        await go_on.wait()
        await exchange.end()

    async with relay_to(relay_server, script, limits=Limits(concurrent=1)) as (relay, _):
        reader, writer = await relay.raw(request_bytes())
        await reader.readuntil(b"one")
        reply = await relay.post()
        assert (reply.status_code, (error_of(reply))["code"]) == (503, "overloaded")
        assert reply.headers["retry-after"] == "1"
        for path in ("/healthz", "/metrics"):
            assert (await relay.client.get(path)).status_code == 200
        go_on.set()
        await reader.readuntil(b"0\r\n\r\n")
        writer.close()
        assert (await relay.post()).status_code == 200


async def test_rate_limit_applies_per_token(relay_server: RelayServer, tmp_path: Path) -> None:
    tokens = ClientTokens(tmp_path / "tokens")
    first, second = ({"authorization": f"Bearer {tokens.add(name)}"} for name in ("first", "second"))
    async with relay_to(relay_server, chunked(DONE), tokens=tokens, limits=Limits(rate=2)) as (relay, _):
        assert [(await relay.post(headers=first)).status_code for _ in range(3)] == [200, 200, 429]
        reply = await relay.post(headers=first)
        assert (error_of(reply))["type"] == "rate_limit_error"
        assert 25 <= int(reply.headers["retry-after"]) <= 30
        assert (await relay.post(headers=second)).status_code == 200


async def test_rate_limit_refills() -> None:
    now = 100.0
    rate = RateLimit(60, lambda: now)
    assert [rate.acquire("a") for _ in range(60)] == [0] * 60
    assert 0.99 < rate.acquire("a") < 1.01
    now += 1
    assert (rate.acquire("a"), rate.acquire("b")) == (0, 0)
    assert rate.acquire("a") > 0
    now += 1000
    assert [bool(rate.acquire("a")) for _ in range(61)] == [False] * 60 + [True]
    assert RateLimit(0).acquire("a") == 0


async def test_unknown_urls_return_an_api_error(relay_server: RelayServer) -> None:
    async with run_relay(relay_server, Settings(DEMO)) as relay:
        for method, path, status in (
            ("GET", "/v1/nothing", 404),
            ("GET", "/v1/responses", 405),
            ("POST", "/docs", 404),
        ):
            reply = await relay.client.request(method, path)
            assert reply.status_code == status
            assert path in (error_of(reply))["message"]
        assert (await relay.post(body=b"not json")).status_code == 400
        assert STREAMED


async def test_internal_error_response_has_no_traceback(
    relay_server: RelayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with run_relay(relay_server, Settings(DEMO)) as relay:
        monkeypatch.setattr(relay.relay, "router", None)
        reply = await relay.post()
        assert (reply.status_code, (error_of(reply))["code"]) == (500, "internal_error")
        assert "bug" in await relay.logged("Internal error while handling a request")
        await relay.logged("status=500")
