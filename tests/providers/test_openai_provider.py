"""OpenAIProvider on real sockets: what it sends and to whom, how it stops, and the list of models."""

import asyncio
import json
import re
import subprocess
import sys
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from streamtui.config import OPENAI_URL, Api, Endpoint
from streamtui.core.message import Delta, FinishReason, Usage
from streamtui.core.parameters import Parameters
from streamtui.providers import connect
from streamtui.providers.base import ErrorKind, ProviderError
from streamtui.providers.openai_provider import OpenAIProvider
from tests.support.api_formats import SPEAKERS, Speaker
from tests.support.provider_requests import RECORDINGS, ask, request
from tests.support.raw_server import DONE, Exchange, RawServer, Script, chunked, event, piece, serving, whole

WHOLE = chunked(piece("Hi"), piece("!", "stop"), DONE)
SECRETS = {
    "OPENAI_API_KEY": "sk-environment-key",
    "OPENAI_ADMIN_KEY": "sk-environment-admin",
    "OPENAI_ORG_ID": "org-environment",
    "OPENAI_PROJECT_ID": "proj-environment",
    "OPENAI_WEBHOOK_SECRET": "whsec-environment",
    "OPENAI_BASE_URL": "http://environment.invalid/v1",
    "OPENAI_CUSTOM_HEADERS": "Authorization: Bearer environment\nX-Own: environment\nUser-Agent: environment",
}
HEADERS = {
    "host", "connection", "content-length", "content-type", "accept", "accept-encoding", "user-agent",
}  # fmt: skip


def provider_for(server: RawServer, **fields: Any) -> OpenAIProvider:
    return OpenAIProvider(Endpoint("box", server.url, **fields))


async def test_a_recorded_stream_over_a_socket_byte_by_byte() -> None:
    body = (RECORDINGS / "openai.sse").read_bytes()
    async with serving(chunked(*(body[at : at + 1] for at in range(len(body))))) as server:
        provider = provider_for(server)
        got = await ask(provider, "Hello")
        await provider.aclose()
    assert got.text == "Hello there! The café says “はい” 🚀."
    assert (got.finish_reason, got.usage) == (FinishReason.STOP, Usage(19, 11, 0, 8))
    assert got.model == "gpt-6-luna-2026-09-01"


@pytest.mark.parametrize(
    ("name", "text", "finish_reason"),
    [
        ("completions_vllm", " upon a time, in a", FinishReason.LENGTH),
        ("responses_reasoning", "2 + 2 = 4", FinishReason.STOP),
        ("responses_incomplete", "Cut off here", FinishReason.LENGTH),
        ("responses_failed", "Kept", None),
    ],
)
async def test_recordings_of_the_other_apis_over_a_socket(
    name: str, text: str, finish_reason: FinishReason | None
) -> None:
    body = (RECORDINGS / f"{name}.sse").read_bytes()
    async with serving(chunked(*(body[at : at + 7] for at in range(0, len(body), 7)))) as server:
        provider = provider_for(server, api=Api(name.partition("_")[0]))
        got = await ask(provider, "Hello")
        await provider.aclose()
    assert (got.text, got.finish_reason) == (text, finish_reason)
    assert (got.error is None) is (finish_reason is not None)


async def test_the_conversation_is_sent() -> None:
    async with serving(WHOLE) as server:
        provider = provider_for(server)
        await ask(provider, "One", "Two")
        await provider.aclose()
    sent = server.requests[0]
    assert sent.line == "POST /v1/chat/completions HTTP/1.1"
    assert [message["content"] for message in sent.body["messages"]] == ["One", "Yes.", "Two"]
    assert sent.body["stream_options"] == {"include_usage": True}
    assert (sent.body["model"], sent.body["stream"]) == ("some-model", True)


@pytest.mark.parametrize("api", [Api.CHAT, Api.COMPLETIONS])
async def test_of_several_replies_the_first_counts(api: Api) -> None:
    def choices(*said: tuple[int, str, str | None]) -> bytes:
        texts = [{"text": text} if api is Api.COMPLETIONS else {"delta": {"content": text}} for _, text, _ in said]
        ends = [{"index": index, "finish_reason": end} for index, _, end in said]
        return event({"choices": [{**text, **end} for text, end in zip(texts, ends, strict=True)]})

    pieces = [
        choices((1, "No", None)), choices((1, "", "stop"), (0, "Ye", None)), choices((2, "?", "length")),
        choices((0, "s", None)), choices((0, "", "stop")), choices((2, "!", None)), DONE,
    ]  # fmt: skip
    async with serving(chunked(*pieces)) as server:
        provider = provider_for(server, api=api)
        got = await ask(provider, parameters=Parameters(extra={"n": 3}))
        await provider.aclose()
    assert (got.text, got.finish_reason, got.error) == ("Yes", FinishReason.STOP, None)


async def test_a_completion_is_the_text_as_it_is() -> None:
    said = event({"choices": [{"text": "<think> is a tag.", "finish_reason": "stop"}]})
    async with serving(chunked(said, DONE)) as server:
        provider = provider_for(server, api=Api.COMPLETIONS)
        got = await ask(provider)
        await provider.aclose()
    assert got.text == "<think> is a tag."


def _llama_cpp_accepts(item: dict[str, Any]) -> bool:
    """Whether llama.cpp's server can tell what an input item of the Responses API is."""
    if item["role"] != "assistant":
        return True
    parts = item["content"] if isinstance(item["content"], list) else [{"type": "input_text"}]
    return item.get("type") == "message" and all(part["type"] == "output_text" for part in parts)


async def test_llama_cpp_accepts_the_second_turn_over_responses() -> None:
    speaker = Speaker(Api.RESPONSES)
    answered = whole(speaker.piece("Yes.") + speaker.end())
    refused = whole(b'{"error": "Cannot determine type of item"}', "400 Bad Request", "application/json")

    async def script(exchange: Exchange) -> None:
        accepted = all(map(_llama_cpp_accepts, exchange.body["input"]))
        await (answered if accepted else refused)(exchange)

    async with serving(script) as server:
        provider = provider_for(server, api=Api.RESPONSES)
        got = await ask(provider, "One", "Two")
        await provider.aclose()
    assert (got.text, got.error) == ("Yes.", None)


async def test_nothing_of_the_environment_reaches_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with serving(WHOLE) as server:
        provider = provider_for(server)
        assert (await ask(provider)).error is None
        with pytest.raises(ProviderError):
            await provider.models()
        await provider.aclose()
    for sent in server.requests:
        assert b"environment" not in sent.raw
        assert b"uthorization" not in sent.raw
        assert set(sent.headers) <= HEADERS
    assert len(server.requests) == 2


async def test_a_key_goes_to_its_own_server_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    async with serving(WHOLE) as mine, serving(WHOLE) as other:
        for provider in (
            provider_for(mine, api_key="sk-mine", organization="org-mine", project="proj-mine"),
            provider_for(other, api_key="sk-other"),
        ):
            await ask(provider)
            await provider.aclose()
    to_mine, to_other = mine.requests[0].headers, other.requests[0].headers
    assert to_mine["authorization"] == "Bearer sk-mine"
    assert (to_mine["openai-organization"], to_mine["openai-project"]) == ("org-mine", "proj-mine")
    assert to_other["authorization"] == "Bearer sk-other"
    assert set(to_other) <= HEADERS | {"authorization"}


async def test_openai_without_a_key_is_not_even_called() -> None:
    provider = OpenAIProvider(Endpoint("openai", OPENAI_URL))
    got = await ask(provider)
    assert got.error is not None
    assert got.error.kind is ErrorKind.NO_KEY


@pytest.mark.parametrize("key", ["sk-ключ", "sk-a\nX-Other: 1"])
async def test_a_key_that_fits_no_header(key: str) -> None:
    got = await ask(OpenAIProvider(Endpoint("box", "http://127.0.0.1:9/v1", api_key=key)))
    assert got.error is not None
    assert got.error.kind is ErrorKind.WRONG_KEY
    assert key not in got.message


async def test_a_proxy_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "gopher://proxy.invalid:1")
    got = await ask(OpenAIProvider(Endpoint("box", "http://box.invalid/v1")))
    assert got.error is not None
    assert got.error.kind is ErrorKind.UNREACHABLE
    assert "proxy" in got.message


async def test_connections_are_used_again() -> None:
    async with serving(WHOLE) as server:
        provider = provider_for(server)
        for _ in range(3):
            assert (await ask(provider)).text == "Hi!"
        await provider.aclose()
    assert server.connections == 1


@pytest.mark.parametrize("begin", [False, True])
async def test_cancelling_closes_the_connection_at_once(begin: bool) -> None:
    gone = asyncio.Event()

    async def script(exchange: Exchange) -> None:
        if begin:
            await exchange.send_head()
            await exchange.send_chunks(piece("Kept"))
        await exchange.until_gone()
        gone.set()

    async with serving(script) as server:
        provider = provider_for(server)
        texts: asyncio.Queue[str] = asyncio.Queue()

        async def reply() -> None:
            async for delta in provider.stream(request()):
                texts.put_nowait(delta.text)

        task = asyncio.create_task(reply())
        await server.arrived.wait()
        if begin:
            assert await texts.get() == "Kept"
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(5):
            await gone.wait()
        await provider.aclose()


async def test_leaving_the_loop_closes_the_connection() -> None:
    gone = asyncio.Event()

    async def script(exchange: Exchange) -> None:
        await exchange.send_head()
        await exchange.send_chunks(piece("a"), piece("b"))
        await exchange.until_gone()
        gone.set()

    async with serving(script) as server:
        provider = provider_for(server)
        async with aclosing(provider.stream(request())) as deltas:
            async for _ in deltas:
                break
        async with asyncio.timeout(5):
            await gone.wait()
        await provider.aclose()


async def test_usage_that_comes_after_the_end_is_kept() -> None:
    usage = event({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}})
    async with serving(chunked(piece("Hi", "stop"), usage, DONE)) as server:
        provider = provider_for(server)
        assert (await ask(provider)).usage == Usage(1, 2)
        await provider.aclose()


@pytest.mark.parametrize("status", ["400 Bad Request", "422 Unprocessable Entity"])
async def test_a_server_that_does_not_know_stream_options(status: str) -> None:
    refusal = whole(
        b'{"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "Extra inputs"}]}',
        status,
        "application/json",
    )

    async def script(exchange: Exchange) -> None:
        await (refusal if "stream_options" in exchange.body else WHOLE)(exchange)

    async with serving(script) as server:
        provider = provider_for(server)
        assert (await ask(provider)).text == "Hi!"
        assert (await ask(provider)).text == "Hi!"
        await provider.aclose()
    assert ["stream_options" in sent.body for sent in server.requests] == [True, False, False]


@pytest.mark.parametrize("speaker", SPEAKERS, ids=lambda speaker: speaker.api)
async def test_a_reply_that_is_not_streamed(speaker: Speaker) -> None:
    bodies: list[str] = []
    async with serving(whole(speaker.whole("Whole."), content_type="application/json")) as server:
        provider = provider_for(server, api=speaker.api)
        asked = replace(request(), stream=False, tap=bodies.append)
        deltas = [delta async for delta in provider.stream(asked)]
        await provider.aclose()
    assert deltas == [Delta("Whole.", usage=Usage(1, 2), finish_reason=FinishReason.STOP)]
    assert bodies == [speaker.whole("Whole.").decode()]
    assert server.requests[0].body["stream"] is False
    assert "stream_options" not in server.requests[0].body


@pytest.mark.parametrize("speaker", SPEAKERS, ids=lambda speaker: speaker.api)
async def test_what_the_server_sent_can_be_listened_to(speaker: Speaker) -> None:
    events = (speaker.piece("a"), event({"type": "odd"}), speaker.piece("b"), speaker.end())
    heard: list[str] = []
    async with serving(chunked(b": ping\n\n", *events)) as server:
        provider = provider_for(server, api=speaker.api)
        assert [d.text async for d in provider.stream(replace(request(), tap=heard.append))][:2] == ["a", "b"]
        await provider.aclose()
    assert heard == [sent.decode().removeprefix("data: ").rstrip() for sent in events]


async def test_a_completion_that_was_cut_without_a_limit_of_its_own() -> None:
    cut = chunked(event({"choices": [{"text": " there was", "finish_reason": "length"}]}), DONE)
    async with serving(cut) as server:
        provider = provider_for(server, api=Api.COMPLETIONS)
        limited = await ask(provider, parameters=Parameters(max_tokens=2))
        first, second = await ask(provider), await ask(provider)
        await provider.aclose()
    assert [sum("Set max tokens" in d.notice for d in got.deltas) for got in (limited, first, second)] == [0, 1, 0]
    assert first.finish_reason is FinishReason.LENGTH


async def test_the_request_may_name_the_api() -> None:
    async with serving(WHOLE) as server:
        provider = provider_for(server, api=Api.RESPONSES)
        await anext(provider.stream(replace(request(), api=Api.CHAT)))
        await provider.aclose()
    assert server.requests[0].line == "POST /v1/chat/completions HTTP/1.1"


@pytest.mark.parametrize(
    ("api", "status", "body", "sentence"),
    [
        (Api.RESPONSES, "404 Not Found", b"", "No Responses API at .*Use --api chat, or check the address."),
        (Api.COMPLETIONS, "405 No", b"", "No Completions API at "),
        (
            Api.CHAT,
            "404 Not Found",
            b'{"error": {"message": "This model is only supported in v1/responses and not in v1/chat/completions."}}',
            r"some-model doesn't support this API.* Set its API to responses \(--api responses\).",
        ),
        (
            Api.CHAT,
            "404 Not Found",
            b'{"error": {"message": "Not a chat model. Did you mean to use v1/completions?", "param": "model"}}',
            r"some-model doesn't support this API.* Set its API to completions \(--api completions\).",
        ),
    ],
)
async def test_an_api_that_is_not_there(api: Api, status: str, body: bytes, sentence: str) -> None:
    async with serving(whole(body, status, "application/json")) as server:
        provider = provider_for(server, api=api)
        assert re.search(sentence, (await ask(provider)).message)
        await provider.aclose()


async def test_a_list_of_models_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamtui.providers.openai_provider.LIST_TIMEOUT", 0.2)

    async def script(exchange: Exchange) -> None:
        await exchange.send_head()
        await exchange.until_gone()

    async with serving(script) as server:
        provider = provider_for(server)
        with pytest.raises(ProviderError, match=r"box did not list its models within 0\.2 s"):
            await provider.models()
        await provider.aclose()


async def test_another_refusal_is_not_tried_again() -> None:
    async with serving(whole(b'{"error": "no"}', "400 Bad Request", "application/json")) as server:
        provider = provider_for(server)
        assert (await ask(provider)).message == "Bad request (400): no."
        await provider.aclose()
    assert len(server.requests) == 1


async def models_from(script: Script) -> list[str]:
    async with serving(script) as server:
        provider = provider_for(server)
        try:
            return await provider.models()
        finally:
            await provider.aclose()


def as_json(data: object) -> Script:
    return whole(json.dumps(data).encode(), content_type="application/json")


@pytest.mark.parametrize(
    ("data", "names"),
    [
        ({"object": "list", "data": [{"id": "b"}, {"id": "a"}, {"id": "b"}]}, ["b", "a"]),
        (
            {"data": [{"id": "x\x1b[2J\ny"}, {"id": ""}, {"id": None}, {"name": "n"}, "plain", 7]},
            ["x␛[2J y", "n", "plain"],
        ),
        ({"models": [{"model": "llama", "name": "Llama"}]}, ["llama"]),
        (["a", {"id": "b"}], ["a", "b"]),
        ({"data": None}, []),
        ({"data": {"id": "a"}}, []),
        (None, []),
    ],
)
async def test_models(data: object, names: list[str]) -> None:
    assert await models_from(as_json(data)) == names


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        (whole(b"<title>Log in</title>"), "No model list from .* at .*: Log in. Type a model name"),
        (whole(b""), "No model list from"),
        (whole(b"", "404 Not Found"), r"No model list at .*\(404\). Check the address"),
        (whole(b"", "500 Oh"), r"Can't list models: Server error from box \(500\)"),
        (as_json({"error": {"message": "Boom"}}), "Server error from box: Boom. Try again"),
    ],
)
async def test_models_that_do_not_come(script: Script, sentence: str) -> None:
    with pytest.raises(ProviderError, match=sentence):
        await models_from(script)


async def test_warming_up_in_a_thread_and_closing_without_use() -> None:
    async with serving(WHOLE) as server:
        provider = provider_for(server)
        await asyncio.to_thread(provider.warm_up)
        assert (await ask(provider)).text == "Hi!"
        await provider.aclose()
        await provider.aclose()
        assert (await ask(provider)).text == "Hi!"
        await provider.aclose()
    await OpenAIProvider(Endpoint("box", "http://127.0.0.1:9/v1")).aclose()


def test_connecting_imports_nothing_heavy() -> None:
    code = (
        "import sys; from streamtui.providers import connect; from streamtui.config import DEMO, Endpoint; "
        "connect(DEMO), connect(Endpoint('x', 'http://localhost:1/v1')); "
        "print([name for name in ('openai', 'httpx2', 'textual', 'pydantic') if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_connect_gives_the_endpoint_back() -> None:
    endpoint = Endpoint("box", "http://localhost:1/v1")
    assert connect(endpoint).endpoint is endpoint
