"""`POST /chat`."""

import asyncio
import json
import tracemalloc
from typing import Any

import httpx2
import pytest

from streamtui.config import DEMO, Endpoint
from streamtui.core.parameters import Parameters
from streamtui.server.relay import Settings
from tests.support.raw_server import DONE, Exchange, chunked, event, piece, serving, whole
from tests.support.relay import RelayServer, error_of, relay_to, request_bytes, run_relay

pytestmark = pytest.mark.asyncio(loop_scope="session")

THOUGHT = event({"choices": [{"delta": {"reasoning_content": "Hm."}}]})
USAGE = event({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}, "model": "m-1"})
REPLY = (THOUGHT, piece("Hel"), piece("lo\u2028\ud83d"), piece("\ude00", "stop"), USAGE, DONE)


def events(reply: httpx2.Response) -> list[dict[str, Any]]:
    """Return the events of a reply. Each must be a single data line."""
    assert reply.headers["content-type"] == "text/event-stream"
    parts = reply.text.split("\n\n")
    assert parts.pop() == ""
    assert all(part.startswith("data: ") and "\n" not in part for part in parts)
    return [json.loads(part.removeprefix("data: ")) for part in parts]


async def test_events_of_a_reply(relay_server: RelayServer) -> None:
    async with relay_to(relay_server, chunked(*REPLY)) as (relay, server):
        reply = await relay.post(
            "/chat", {"prompt": "Hello", "model": "box/a/b", "system": "Be brief.", "max_tokens": 9}
        )
        assert events(reply) == [
            {"type": "reasoning", "text": "Hm."},
            {"type": "text", "text": "Hel"},
            {"type": "text", "text": "lo\u2028\ud83d"},
            {"type": "text", "text": "\ude00"},
            {
                "type": "usage", "prompt_tokens": 3, "completion_tokens": 2, "reasoning_tokens": 0,
                "cached_tokens": 0, "total_tokens": 5,
            },
            {"type": "done", "finish_reason": "stop", "model": "m-1"},
        ]  # fmt: skip
        sent = server.requests[0].body
        assert sent["model"] == "a/b"
        assert sent["messages"] == [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hello"},
        ]


async def test_text_was_reasoning_event(relay_server: RelayServer) -> None:
    async with relay_to(relay_server, chunked(piece("Hm."), piece("</think>Yes."), piece("", "stop"), DONE)) as (
        relay,
        _,
    ):
        reply = await relay.post("/chat", {"prompt": "Hello", "model": "box/a"})
        assert events(reply)[:-1] == [
            {"type": "text", "text": "Hm."},
            {"type": "text_was_reasoning"},
            {"type": "text", "text": "Yes."},
        ]


async def test_messages_are_sent_to_the_endpoint(relay_server: RelayServer) -> None:
    said = [
        {"role": "system", "content": "S"},
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
    ]
    async with relay_to(relay_server, chunked(*REPLY)) as (relay, server):
        await relay.post("/chat", {"messages": said, "model": "m"})
        assert server.requests[0].body["messages"] == said


async def test_endpoint_settings_are_the_defaults(relay_server: RelayServer) -> None:
    async with serving(chunked(*REPLY)) as server:
        usual = Parameters(temperature=0.5, max_tokens=7)
        settings = Settings(Endpoint("box", server.url, model="m", system="Be kind.", parameters=usual))
        async with run_relay(relay_server, settings) as relay:
            await relay.post("/chat", {"prompt": "x", "max_tokens": 9})
        sent = server.requests[0].body
        assert sent["messages"][0] == {"role": "system", "content": "Be kind."}
        assert (sent["model"], sent["temperature"], sent["max_tokens"]) == ("m", 0.5, 9)


async def test_default_model_is_the_first_of_the_endpoint(relay_server: RelayServer) -> None:
    async def script(exchange: Exchange) -> None:
        models = whole(b'{"data": [{"id": "first"}, {"id": "second"}]}', content_type="application/json")
        await (models if exchange.line.startswith("GET") else chunked(*REPLY))(exchange)

    async with relay_to(relay_server, script) as (relay, server):
        events(await relay.post("/chat", {"prompt": "Hello"}))
        assert server.requests[-1].body["model"] == "first"


async def test_deltas_are_sent_immediately_and_disconnecting_cancels_the_request(relay_server: RelayServer) -> None:
    gone = asyncio.Event()

    async def script(exchange: Exchange) -> None:
        await exchange.send_head()
        await exchange.send_chunks(piece("one"))
        await exchange.until_gone()
        gone.set()

    async with relay_to(relay_server, script) as (relay, _):
        reader, writer = await relay.raw(request_bytes({"prompt": "x", "model": "m"}, path="/chat"))
        await reader.readuntil(b'"text": "one"}')
        writer.close()
        await asyncio.wait_for(gone.wait(), 20)
        assert "path=/chat" in await relay.logged("end=left")


async def test_error_before_the_first_delta_sets_the_status(relay_server: RelayServer) -> None:
    body = b'{"error": {"message": "Slow down, Hello is enough.", "code": "rate_limit_exceeded"}}'
    async with relay_to(relay_server, whole(body, "429 No", "application/json", retry_after="7")) as (relay, _):
        reply = await relay.post("/chat", {"prompt": "Hello", "model": "m"})
        error = error_of(reply)
        assert (reply.status_code, reply.headers["retry-after"], error["code"]) == (429, "7", "upstream_error")
        assert "Slow down" in error["message"]
        # A server's error can repeat the prompt.
        assert "Hello" not in await relay.logged("Rate limited by box") + await relay.logged("status=429")


async def test_error_after_the_first_delta_is_the_last_event(relay_server: RelayServer) -> None:
    async with relay_to(relay_server, chunked(piece("one"))) as (relay, _):
        one, error = events(await relay.post("/chat", {"prompt": "x", "model": "m"}))
        assert one == {"type": "text", "text": "one"}
        assert (error["type"], error["code"]) == ("error", "upstream_broken")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"", None), (b"[]", None), (b"{}", "prompt"), ({"prompt": 3}, "prompt"), ({"prompt": "x", "n": 2}, "n"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": ["x"]}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": "x", "name": "n"}]}, "messages.0.name"),
        ({"prompt": "x", "temperature": 3}, "temperature"), ({"prompt": "x", "max_tokens": 0}, "max_tokens"),
    ],
)  # fmt: skip
async def test_invalid_parameters_are_named(relay_server: RelayServer, body: Any, param: str | None) -> None:
    async with run_relay(relay_server, Settings(DEMO)) as relay:
        reply = await relay.post("/chat", body)
        assert (reply.status_code, (error_of(reply))["param"]) == (400, param)


@pytest.mark.parametrize(
    "body",
    [b'{"messages": [' + b"1," * 200_000 + b"1]}", b"{%b}" % b",".join(b'"a%d":1' % each for each in range(200_000))],
    ids=["messages", "fields"],
)
async def test_memory_for_many_validation_errors_is_bounded(relay_server: RelayServer, body: bytes) -> None:
    async with run_relay(relay_server, Settings(DEMO)) as relay:
        tracemalloc.start()
        try:
            reply = await relay.post("/chat", body)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert reply.status_code == 400
        assert most < 40 * len(body)
