"""Forwarding requests and responses."""

import asyncio
import gzip
import hashlib
import json
import socket
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamtui.config import Endpoint
from streamtui.server.relay import Settings
from tests.support.provider_requests import RECORDINGS, pieces_of
from tests.support.raw_server import DONE, Exchange, chunked, piece, serving, whole
from tests.support.relay import (
    KEY,
    STREAMED,
    RelayServer,
    RunningRelay,
    box,
    error_of,
    relay_to,
    request_bytes,
    run_relay,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

RECORDING = max(RECORDINGS.glob("*.sse"), key=lambda path: path.stat().st_size).read_bytes()


@settings(max_examples=25)
@given(st.lists(st.integers(1, len(RECORDING)), max_size=12), st.binary(max_size=200))
async def test_streams_are_forwarded_byte_for_byte(relay_server: RelayServer, cuts: list[int], junk: bytes) -> None:
    sent = RECORDING + junk
    async with relay_to(relay_server, chunked(*pieces_of(sent, cuts))) as (relay, _):
        reply = await relay.post()
        assert reply.content == sent
        assert reply.headers["content-type"] == "text/event-stream"
        assert reply.headers["x-accel-buffering"] == "no"


async def test_chunks_are_forwarded_immediately(relay_server: RelayServer) -> None:
    read = asyncio.Event()
    sent = [piece(text) for text in ("one", "two", "three")]

    async def script(exchange: Exchange) -> None:
        await exchange.send_head()
        for each in sent:
            await exchange.send_chunks(each)
            await read.wait()
            read.clear()
        await exchange.end()

    async with (
        relay_to(relay_server, script) as (relay, _),
        relay.client.stream("POST", "/v1/chat/completions", json=STREAMED) as reply,
    ):
        got = []
        async for part in reply.aiter_raw():
            got.append(part)
            read.set()
    assert got == sent


async def test_request_is_forwarded_unchanged_except_for_the_model(relay_server: RelayServer) -> None:
    numbers = b"[1.0e5, 0.1000000000000000055, 12345678901234567890]"
    body = b'{ "zz": %b,\n "model":"box/some-model", "\xc3\xa9":"\\u00e9" }' % numbers
    async with relay_to(relay_server, whole(b"{}", content_type="application/json")) as (relay, server):
        await relay.post(body=body)
        assert server.requests[0].raw.partition(b"\r\n\r\n")[2] == body.replace(b"box/", b"")


@pytest.mark.parametrize("path", ["/chat/completions", "/completions", "/responses"])
async def test_all_apis_are_forwarded_streamed_or_not(relay_server: RelayServer, path: str) -> None:
    body = json.dumps({"odd": {"field": [1, 2]}}).encode()
    async with relay_to(relay_server, whole(body, content_type="application/json")) as (relay, server):
        reply = await relay.post(f"/v1{path}", {"model": "some-model", "input": "x"})
        assert (reply.status_code, reply.content) == (200, body)
        assert reply.headers["content-length"] == str(len(body))
        assert server.requests[0].line == f"POST /v1{path} HTTP/1.1"
    async with relay_to(relay_server, chunked(piece("x"), DONE)) as (relay, _):
        assert (await relay.post(f"/v1{path}")).content == piece("x") + DONE


async def test_only_listed_request_headers_are_forwarded(relay_server: RelayServer) -> None:
    async with relay_to(relay_server, whole(b"{}")) as (relay, server):
        secret = {"authorization": "Bearer mine", "cookie": "a=b", "x-forwarded-for": "1.2.3.4", "x-api-key": "mine"}
        await relay.post(headers={**secret, "idempotency-key": "7", "accept": "text/event-stream", "user-agent": "me"})
        sent = server.requests[0].headers
    known = {"host", "connection", "content-length", "content-type", "accept", "idempotency-key"}
    own = {"authorization", "openai-organization", "user-agent", "accept-encoding", "x-title"}
    assert set(sent) == known | own
    assert (sent["authorization"], sent["accept-encoding"]) == (f"Bearer {KEY}", "identity")
    assert (sent["idempotency-key"], sent["x-title"]) == ("7", "streamtui")
    assert "me" not in sent["user-agent"].split("/")


async def test_only_listed_response_headers_are_forwarded(relay_server: RelayServer) -> None:
    headers = {
        "set_cookie": "a=b", "location": "http://x/", "server": "s", "access_control_allow_origin": "*",
        "x_ratelimit_remaining_tokens": "9", "x_request_id": "r1", "openai_organization": "org-1",
    }  # fmt: skip
    async with relay_to(relay_server, whole(b"{}", content_type="application/json", **headers)) as (relay, _):
        got = (await relay.post()).headers
    assert set(got) == {"date", "content-type", "content-length", "x-ratelimit-remaining-tokens", "x-request-id"}


async def test_client_disconnect_closes_the_upstream_connection(relay_server: RelayServer) -> None:
    gone = asyncio.Event()

    async def script(exchange: Exchange) -> None:
        await exchange.send_head()
        await exchange.send_chunks(piece("one"))
        await exchange.until_gone()
        gone.set()

    async with relay_to(relay_server, script) as (relay, _):
        reader, writer = await relay.raw(request_bytes())
        await reader.readuntil(b"one")
        writer.close()
        await asyncio.wait_for(gone.wait(), 20)
        assert "status=200" in await relay.logged("end=left")


async def test_client_disconnect_before_the_first_byte_closes_the_upstream_connection(
    relay_server: RelayServer,
) -> None:
    gone = asyncio.Event()

    async def script(exchange: Exchange) -> None:
        await exchange.until_gone()
        gone.set()

    async with relay_to(relay_server, script) as (relay, server):
        _, writer = await relay.raw(request_bytes())
        await server.arrived.wait()
        writer.close()
        await asyncio.wait_for(gone.wait(), 20)
        assert "status=499" in await relay.logged("end=left")


class Flood:
    """A script that sends data until `ending` is set, and counts what the relay read."""

    def __init__(self) -> None:
        self.sent = 0
        self.hash = hashlib.sha256()
        self.moved = asyncio.Event()
        self.ending = False

    async def __call__(self, exchange: Exchange) -> None:
        await exchange.send_head()
        while not self.ending:
            block = b"%032d" % self.sent * 2048
            await exchange.send_chunks(block)
            self.sent += len(block)
            self.hash.update(block)
            self.moved.set()
        await exchange.end()

    async def stuck(self) -> None:
        """Wait until the relay stops reading."""
        try:
            while True:
                self.moved.clear()
                await asyncio.wait_for(self.moved.wait(), 0.3)
        except TimeoutError:
            return


async def test_slow_client_applies_backpressure_to_the_endpoint(relay_server: RelayServer) -> None:
    flood = Flood()
    async with relay_to(relay_server, flood) as (relay, _):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", relay.port))
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(client, request_bytes(STREAMED, "Connection: close"))
        await flood.stuck()
        # The rest is in the buffers of the operating system; the relay itself buffers almost nothing.
        assert flood.sent < 64 * 1024 * 1024
        assert max(each.transport.get_write_buffer_size() for each in relay_server.connections) <= 128 * 1024
        flood.ending = True
        reader, writer = await asyncio.open_connection(sock=client)
        got = dechunked(await reader.read())
        writer.close()
    assert hashlib.sha256(got).digest() == flood.hash.digest()


def dechunked(reply: bytes) -> bytes:
    """Return the body of a complete chunked response."""
    rest = reply.partition(b"\r\n\r\n")[2]
    body: list[bytes] = []
    while True:
        size, _, rest = rest.partition(b"\r\n")
        if not int(size, 16):
            assert rest == b"\r\n"
            return b"".join(body)
        body.append(rest[: int(size, 16)])
        rest = rest[int(size, 16) + 2 :]


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="needs TCP_USER_TIMEOUT")
async def test_client_that_never_reads_is_disconnected(relay_server: RelayServer) -> None:
    flood = Flood()
    async with relay_to(relay_server, flood) as (relay, _):
        with socket.create_connection(("127.0.0.1", relay.port)) as client:
            client.sendall(request_bytes())
            assert "end=left" in await relay.logged("status=200")


@pytest.mark.parametrize("way", ["reset", "close", "silence"])
async def test_incomplete_upstream_response_ends_as_incomplete(relay_server: RelayServer, way: str) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.send_head()
        await exchange.send_chunks(piece("one"))
        if way == "silence":
            await exchange.until_gone()
        elif way == "reset":
            exchange.reset()
        else:
            exchange.writer.close()

    async with relay_to(relay_server, script, read_timeout=0.2) as (relay, _):
        reader, writer = await relay.raw(request_bytes())
        got = await reader.read()
        writer.close()
        # Without the final empty chunk, clients report an error instead of a short reply.
        assert piece("one") in got
        assert not got.endswith(b"0\r\n\r\n")
        assert "status=200" in await relay.logged("end=broken")


async def test_unreachable_endpoint(relay_server: RelayServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with run_relay(relay_server, Settings(box(f"http://127.0.0.1:{port}/v1"))) as relay:
        reply = await relay.post()
        error = error_of(reply)
        assert (reply.status_code, error["type"], error["code"]) == (502, "server_error", "upstream_unreachable")
        assert "127.0.0.1" not in error["message"]
        assert str(port) in await relay.logged("Can't reach")


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/chat"])
async def test_timeout_before_the_first_byte(relay_server: RelayServer, path: str) -> None:
    async with relay_to(relay_server, Exchange.until_gone, read_timeout=0.1) as (relay, _):
        reply = await relay.post(path, {"model": "m", "prompt": "x"})
        assert "within 0.1 s (--timeout)" in await relay.logged("No response from box")
    assert (reply.status_code, (error_of(reply))["code"]) == (504, "upstream_timeout")


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/chat"])
async def test_timeout_between_bytes(relay_server: RelayServer, path: str) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.send_head()
        await exchange.send_chunks(piece("one"))
        await exchange.until_gone()

    async with relay_to(relay_server, script, read_timeout=0.2) as (relay, _):
        reader, writer = await relay.raw(request_bytes({"model": "m", "prompt": "x"}, "Connection: close", path=path))
        assert b"one" in await reader.read()
        writer.close()
        assert "for 0.2 s (--timeout)" in await relay.logged("No data from box")


async def test_endpoint_without_a_key(relay_server: RelayServer) -> None:
    async with run_relay(relay_server, Settings(Endpoint("openai", "https://api.openai.com/v1"))) as relay:
        reply = await relay.post(body={"model": "gpt-5"})
    assert (reply.status_code, (error_of(reply))["code"]) == (502, "upstream_authentication_failed")


@pytest.mark.parametrize("status", ["400 Bad Request", "403 Forbidden", "429 Too Many Requests", "500 Oops"])
async def test_upstream_errors_keep_status_and_body(relay_server: RelayServer, status: str) -> None:
    body = b'{"error": {"message": "No.", "odd": 1.50}}'
    script = whole(body, status, "application/json", retry_after="7", set_cookie="a=b")
    async with relay_to(relay_server, script) as (relay, _):
        reply = await relay.post()
    assert (reply.status_code, reply.content) == (int(status[:3]), body)
    assert reply.headers["retry-after"] == "7"
    assert "set-cookie" not in reply.headers


@pytest.mark.parametrize(
    "said",
    [KEY, KEY.replace("/", "\\/"), "sk-proj-************abcd", "sk-very%2Fsecret-key"],
    ids=["plain", "escaped", "starred", "quoted"],
)
@pytest.mark.parametrize("kind", ["application/json", "text/html"])
@pytest.mark.parametrize("status", [400, 401])
async def test_upstream_errors_contain_no_key(relay_server: RelayServer, said: str, kind: str, status: int) -> None:
    text = f"<title>Incorrect API key: {said}</title>"
    body = f'{{"error": {{"message": "{text}"}}}}' if kind == "application/json" else text
    async with relay_to(relay_server, whole(body.encode(), f"{status} No", kind)) as (relay, _):
        reply = await relay.post()
        assert "end=done" in await relay.logged("status=")
        shown = reply.text + "".join(relay.lines)
    # Details about the relay's own key are only logged.
    assert "Incorrect API key: [key]" in (reply.json()["error"]["message"] if status == 400 else shown)
    assert not any(part in shown for part in ("secret", "abcd"))


async def test_html_error_page_becomes_an_api_error(relay_server: RelayServer) -> None:
    page = b"<html><head><title>502 Bad Gateway</title></head></html>"
    async with relay_to(relay_server, whole(page, "502 Bad Gateway", "text/html")) as (relay, _):
        reply = await relay.post()
    assert reply.status_code == 502
    assert "502 Bad Gateway" in (error_of(reply))["message"]


async def test_redirects_are_neither_followed_nor_forwarded(relay_server: RelayServer) -> None:
    script = whole(b"", "307 Temporary Redirect", location="http://elsewhere.test/v1/chat/completions")
    async with relay_to(relay_server, script) as (relay, server):
        reply = await relay.post()
        assert len(server.requests) == 1
        assert (reply.status_code, "location" in reply.headers) == (502, False)
        assert "elsewhere.test" not in (error_of(reply))["message"]
        await relay.logged("elsewhere.test")


@pytest.mark.parametrize(
    ("path", "missing"),
    [
        ("/v1/chat/completions", "Chat Completions API"),
        ("/v1/completions", "Completions API"),
        ("/v1/responses", "Responses API"),
        ("/chat", "Chat Completions API"),
    ],
)
async def test_missing_upstream_path_error_hides_the_address(
    relay_server: RelayServer, path: str, missing: str
) -> None:
    async with relay_to(relay_server, whole(b"nothing here", "404 Not Found", "text/plain")) as (relay, server):
        reply = await relay.post(path, {"model": "m", "prompt": "x"})
        assert (reply.status_code, server.url in reply.text) == (404, False)
        assert f"No {missing} at its address" in (error_of(reply))["message"]
        assert f"No {missing} at {server.url}" in await relay.logged(f"No {missing} at")


@pytest.mark.parametrize(("status", "code"), [(401, "upstream_authentication_failed"), (407, "upstream_unreachable")])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/chat"])
async def test_rejected_upstream_key_is_not_reported_as_the_clients(
    relay_server: RelayServer, path: str, status: int, code: str
) -> None:
    body = b'{"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}'
    script = whole(body, f"{status} No", "application/json", www_authenticate="Bearer")
    async with relay_to(relay_server, script) as (relay, _):
        reply = await relay.post(path, {"model": "m", "prompt": "x"})
        assert (reply.status_code, (error_of(reply))["code"]) == (502, code)
        assert "invalid_api_key" not in reply.text
        await relay.logged("Invalid API key for box" if status == 401 else "The proxy for box")


JSON_ERROR = b'{"error": {"message": "No such parameter, says %s."}}' % KEY.encode()


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_compressed_upstream_error_is_decompressed_and_redacted(relay_server: RelayServer, encoding: str) -> None:
    body = gzip.compress(JSON_ERROR) if encoding == "gzip" else zlib.compress(JSON_ERROR)
    async with relay_to(relay_server, whole(body, "400 No", "application/json", content_encoding=encoding)) as (
        relay,
        _,
    ):
        reply = await relay.post()
    assert reply.status_code == 400
    assert reply.json()["error"]["message"] == "No such parameter, says [key]."


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(b" " * 50_000_000 + JSON_ERROR), "gzip"),
        (JSON_ERROR, "gzip"),
        (gzip.compress(JSON_ERROR), "br"),
    ],
    ids=["too large", "not compressed", "unknown encoding"],
)
async def test_unreadable_compressed_error_keeps_its_status(
    relay_server: RelayServer, body: bytes, encoding: str
) -> None:
    async with relay_to(relay_server, whole(body, "500 Oops", "application/json", content_encoding=encoding)) as (
        relay,
        _,
    ):
        reply = await relay.post()
    assert (reply.status_code, (error_of(reply))["message"]) == (
        500,
        "Server error from box (500). Try again in a moment.",
    )


async def test_upstream_connection_is_reused(relay_server: RelayServer) -> None:
    async with relay_to(relay_server, chunked(piece("x"), DONE)) as (relay, server):
        for _ in range(3):
            await relay.post()
        assert server.connections == 1


async def test_many_concurrent_streams(relay_server: RelayServer) -> None:
    many, streaming, go_on = 120, 0, asyncio.Event()

    async def script(exchange: Exchange) -> None:
        nonlocal streaming
        await exchange.send_head()
        streaming += 1
        if streaming == many:
            go_on.set()
        await go_on.wait()
        await exchange.send_chunks(DONE)
        await exchange.end()

    async with relay_to(relay_server, script) as (relay, _):
        replies = await asyncio.gather(*(_one_reply(relay) for _ in range(many)))
    assert all(reply.endswith(DONE + b"\r\n0\r\n\r\n") for reply in replies)


async def _one_reply(relay: RunningRelay) -> bytes:
    reader, writer = await relay.raw(request_bytes(STREAMED, "Connection: close"))
    got = await reader.read()
    writer.close()
    return got


async def test_key_command_runs_once_and_again_after_a_401(relay_server: RelayServer, tmp_path: Path) -> None:
    async def script(exchange: Exchange) -> None:
        status = "401 No" if exchange.headers["authorization"] == "Bearer key-1" and refusing else "200 OK"
        await whole(b"{}", status, "application/json")(exchange)

    refusing = False
    command = f"echo x >> {tmp_path}/asked; echo key-$(wc -l < {tmp_path}/asked | tr -d ' ')"
    async with serving(script) as server:
        settings = Settings(Endpoint("box", server.url, api_key_command=command))
        async with run_relay(relay_server, settings) as relay:
            replies = await asyncio.gather(*(relay.post(body={"model": "m"}) for _ in range(3)))
            assert [reply.status_code for reply in replies] == [200] * 3
            refusing = True
            assert [(await relay.post(body={"model": "m"})).status_code for _ in range(2)] == [502, 200]
    assert [each.headers["authorization"][-5:] for each in server.requests] == ["key-1"] * 4 + ["key-2"]


async def test_failing_key_command_is_logged(relay_server: RelayServer) -> None:
    endpoint = Endpoint("box", "http://127.0.0.1:1/v1", api_key_command="echo broken >&2; exit 3")
    async with run_relay(relay_server, Settings(endpoint)) as relay:
        reply = await relay.post(body={"model": "m"})
        assert (reply.status_code, (error_of(reply))["code"]) == (502, "upstream_authentication_failed")
        assert "broken" in await relay.logged("failed (exit code 3)")


async def test_requests_are_routed_by_model(relay_server: RelayServer) -> None:
    async with serving(whole(b"{}")) as first, serving(whole(b"{}")) as second:
        endpoints = {"far": box(second.url, "far")}
        async with run_relay(relay_server, Settings(box(first.url), endpoints)) as relay:
            for model in ("plain", "box/a/b", "far/c/d", "unknown/e"):
                await relay.post(body={"model": model})
        assert [each.body["model"] for each in first.requests] == ["plain", "a/b", "unknown/e"]
        assert [each.body["model"] for each in second.requests] == ["c/d"]
