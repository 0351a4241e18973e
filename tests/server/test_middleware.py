"""The door: tokens, names, pages and limits."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streamtui.config import DEMO
from streamtui.server.client_tokens import ClientTokens
from streamtui.server.limits import Limits, RateLimit
from streamtui.server.relay import Settings
from tests.server.test_passthrough import refused
from tests.support.raw_server import DONE, Exchange, chunked, piece, whole
from tests.support.relay import STREAMED, Stage, passing, relaying, request_bytes

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_token_is_wanted_and_its_name_noted(stage: Stage, tmp_path: Path) -> None:
    tokens = ClientTokens(tmp_path / "tokens")
    token = tokens.add("laptop")
    async with passing(stage, chunked(DONE), tokens=tokens) as (relay, server):
        for sent in ({}, {"authorization": "Bearer st-wrong"}, {"authorization": token}, {"authorization": "Basic x"}):
            reply = await relay.post(headers=sent)
            assert (reply.status_code, (await refused(reply))["code"]) == (401, "invalid_api_key")
            assert reply.headers["www-authenticate"] == "Bearer"
        assert not server.requests
        assert (await relay.post(headers={"authorization": f"bearer {token}"})).status_code == 200
        assert "token=laptop" in await relay.logged("status=200")
        tokens.revoke("laptop")
        assert (await relay.post(headers={"authorization": f"Bearer {token}"})).status_code == 401
        assert token not in "".join(relay.lines)


async def test_every_path_but_the_health_wants_a_token(stage: Stage, tmp_path: Path) -> None:
    async with relaying(stage, Settings(DEMO, tokens=ClientTokens(tmp_path))) as relay:
        for path in ("/v1/models", "/metrics", "/", "/healthz/"):
            assert (await relay.client.get(path)).status_code == 401
        assert (await relay.client.get("/healthz")).json() == {"status": "ok"}
        assert (await relay.client.head("/healthz")).status_code == 200


async def test_tokens_that_cannot_be_read_let_nobody_in(stage: Stage, tmp_path: Path) -> None:
    tokens = ClientTokens(tmp_path / "file" / "tokens")
    (tmp_path / "file").write_text("")
    async with relaying(stage, Settings(DEMO, tokens=tokens)) as relay:
        reply = await relay.client.get("/v1/models", headers={"authorization": "Bearer x"})
        assert (reply.status_code, (await refused(reply))["type"]) == (500, "server_error")
        await relay.logged("nobody is let in")


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("localhost", True), ("LOCALHOST:1", True), ("app.localhost:1", True), ("127.0.0.1:8787", True),
        ("[::1]:80", True), ("192.168.1.7", True), ("relay.test:443", True), ("RELAY.test", True),
        ("evil.test", False), ("localhost.evil.test", False), ("127.0.0.1.evil.test", False), ("", False),
        ("relay.test.evil", False), ("[::1", False), ("evil.test@localhost.x", False),
    ],
)  # fmt: skip
async def test_the_relay_answers_to_its_names_only(stage: Stage, host: str, known: bool) -> None:
    async with relaying(stage, Settings(DEMO, hosts=("relay.test",))) as relay:
        reply = await relay.client.get("/healthz", headers={"host": host})
        if known:
            assert reply.status_code == 200
        else:
            assert (reply.status_code, (await refused(reply))["code"]) == (403, "host_not_allowed")


async def test_any_name_will_do_where_that_is_asked_for(stage: Stage) -> None:
    async with relaying(stage, Settings(DEMO, hosts=("*",))) as relay:
        assert (await relay.client.get("/healthz", headers={"host": "any.test"})).status_code == 200


async def test_pages_of_other_origins_are_kept_out(stage: Stage) -> None:
    async with passing(stage, chunked(DONE)) as (relay, server):
        for origin in ("https://evil.test", "null", f"http://localhost:{relay.port}"):
            reply = await relay.post(headers={"origin": origin})
            assert (reply.status_code, (await refused(reply))["code"]) == (403, "origin_not_allowed")
            assert "access-control-allow-origin" not in reply.headers
        preflight = {"origin": "https://evil.test", "access-control-request-method": "POST"}
        assert (await relay.client.options("/v1/chat/completions", headers=preflight)).status_code == 403
        assert not server.requests
        assert (await relay.post(headers={"origin": f"http://127.0.0.1:{relay.port}"})).status_code == 200


async def test_pages_that_are_let_in_can_read_answers_and_errors(stage: Stage, tmp_path: Path) -> None:
    origin = "https://page.test"
    tokens = ClientTokens(tmp_path / "tokens")
    token = tokens.add("page")
    async with passing(stage, chunked(piece("x"), DONE), tokens=tokens, origins=(origin,)) as (relay, _):
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


async def test_a_body_that_is_too_large_is_refused(stage: Stage) -> None:
    large = json.dumps({"model": "m", "x": "x" * 3000}).encode()

    async def in_chunks() -> AsyncIterator[bytes]:
        yield large[:1500]
        yield large[1500:]

    async with passing(stage, whole(b"{}"), limits=Limits(body=2000)) as (relay, server):
        for content in (large, in_chunks()):
            reply = await relay.client.post("/v1/chat/completions", content=content)
            assert (reply.status_code, (await refused(reply))["code"]) == (413, "request_too_large")
        assert not server.requests
        assert (await relay.post(body=large[:10] + b'"}')).status_code == 400
        assert (await relay.post()).status_code == 200


async def test_a_body_that_does_not_come_is_not_waited_for(stage: Stage) -> None:
    async with relaying(stage, Settings(DEMO, limits=Limits(body_seconds=0.05))) as relay:
        reader, writer = await relay.raw(b"POST /chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        assert b" 408 " in await reader.readline()
        writer.close()


async def test_a_client_that_leaves_inside_its_request_is_noted(stage: Stage) -> None:
    async with relaying(stage, Settings(DEMO)) as relay:
        _, writer = await relay.raw(b"POST /chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        writer.close()
        assert "status=499" in await relay.logged("end=left")


async def test_only_so_many_are_answered_at_once(stage: Stage) -> None:
    go_on = asyncio.Event()

    async def script(exchange: Exchange) -> None:
        await exchange.send_head()
        await exchange.send_chunks(piece("one"))
        await go_on.wait()
        await exchange.end()

    async with passing(stage, script, limits=Limits(streams=1)) as (relay, _):
        reader, writer = await relay.raw(request_bytes())
        await reader.readuntil(b"one")
        reply = await relay.post()
        assert (reply.status_code, (await refused(reply))["code"]) == (503, "overloaded")
        assert reply.headers["retry-after"] == "1"
        for path in ("/healthz", "/metrics"):
            assert (await relay.client.get(path)).status_code == 200
        go_on.set()
        await reader.readuntil(b"0\r\n\r\n")
        writer.close()
        assert (await relay.post()).status_code == 200


async def test_each_token_has_a_rate(stage: Stage, tmp_path: Path) -> None:
    tokens = ClientTokens(tmp_path / "tokens")
    first, second = ({"authorization": f"Bearer {tokens.add(name)}"} for name in ("first", "second"))
    async with passing(stage, chunked(DONE), tokens=tokens, limits=Limits(rate=2)) as (relay, _):
        assert [(await relay.post(headers=first)).status_code for _ in range(3)] == [200, 200, 429]
        reply = await relay.post(headers=first)
        assert (await refused(reply))["type"] == "rate_limit_error"
        assert 25 <= int(reply.headers["retry-after"]) <= 30
        assert (await relay.post(headers=second)).status_code == 200


async def test_a_rate_comes_back_with_time() -> None:
    now = 100.0
    rate = RateLimit(60, lambda: now)
    assert [rate.wait("a") for _ in range(60)] == [0] * 60
    assert 0.99 < rate.wait("a") < 1.01
    now += 1
    assert (rate.wait("a"), rate.wait("b")) == (0, 0)
    assert rate.wait("a") > 0
    now += 1000
    assert [bool(rate.wait("a")) for _ in range(61)] == [False] * 60 + [True]
    assert RateLimit(0).wait("a") == 0


async def test_what_is_not_there_is_said_in_the_same_form(stage: Stage) -> None:
    async with relaying(stage, Settings(DEMO)) as relay:
        for method, path, status in (
            ("GET", "/v1/nothing", 404),
            ("GET", "/v1/responses", 405),
            ("POST", "/docs", 404),
        ):
            reply = await relay.client.request(method, path)
            assert reply.status_code == status
            assert path in (await refused(reply))["message"]
        assert (await relay.post(body=b"not json")).status_code == 400
        assert STREAMED


async def test_a_bug_is_told_without_its_trace(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async with relaying(stage, Settings(DEMO)) as relay:
        monkeypatch.setattr(relay.relay, "router", None)
        reply = await relay.post()
        assert (reply.status_code, (await refused(reply))["code"]) == (500, "internal_error")
        assert "bug" in await relay.logged("failed over a request")
        await relay.logged("status=500")
