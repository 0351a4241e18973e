"""The demo: the whole way of a prompt but the socket, at a pace of zero."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from streamtui.config import DEMO, Api
from streamtui.core.message import Attachment, FinishReason, Message, Role
from streamtui.core.parameters import Parameters
from streamtui.providers import connect
from streamtui.providers.base import ErrorKind, Request
from streamtui.providers.demo.answers import answer
from streamtui.providers.demo.provider import demo_provider
from streamtui.providers.demo.requests import SPEEDS
from streamtui.providers.demo.transport import FIRST_TOKEN, DemoTransport
from streamtui.providers.openai_provider import OpenAIProvider
from tests.support.provider_requests import Got, ask, request


async def demo(*prompts: str, model: str = "demo-1", api: Api | None = None, **fields: Any) -> Got:
    provider = demo_provider(replace(DEMO, api=api), pace=0)
    try:
        return await ask(provider, *prompts, model=model, **fields)
    finally:
        await provider.aclose()


async def test_models() -> None:
    provider = demo_provider(pace=0)
    assert await provider.models() == ["demo-1", "demo-fast", "demo-slow", "demo-thinking"]
    await provider.aclose()


async def test_a_reply_comes_in_pieces_with_usage_at_the_end() -> None:
    got = await demo("hello")
    assert got.text.startswith("Hello! I am streamtui's built-in demo, and there is no model behind me")
    assert len(got.deltas) > 50
    assert (got.finish_reason, got.model) == (FinishReason.STOP, "demo-1")
    assert got.usage is not None
    assert got.usage.completion_tokens == sum(bool(delta.text) for delta in got.deltas)


@pytest.mark.parametrize(
    ("prompt", "part"),
    [
        ("show me a table", "| what | where you see it |"),
        ("Code, please!", "```rust"),
        ("code in Python", "```python"),
        ("a long reply", "# How a reply travels"),
        ("slow", "takes its time"),
        ("showcase", "端末で会話する"),
        ("Can you show me thinking?", "20 seconds"),
        ("help", "`error 429`"),
        ("What can you do?", "`error 429`"),
        ("thanks!", "You are welcome"),
        ("How do I connect to Ollama?", "http://localhost:11434/v1"),
        ("how can I use my OpenAI key", "export OPENAI_API_KEY"),
        ("openrouter?", "`streamtui -e openrouter` | `OPENROUTER_API_KEY`"),
        ("how do I copy code", "OSC 52"),
        ("Which keys are there?", "| Key | Action |"),
        ("How do I switch the model?", "picker"),
        ("Where are my sessions?", "sessions.db"),
        ("how to stop a reply", "`esc` stops"),
        ("what is the capital of France", "I can't answer that."),
        ("", "The manual has these sections"),
    ],
)
async def test_what_can_be_asked(prompt: str, part: str) -> None:
    got = await demo(prompt)
    assert got.error is None
    assert part in got.text


@pytest.mark.parametrize("api", Api)
@pytest.mark.parametrize("stream", [True, False])
async def test_every_api_is_spoken(api: Api, stream: bool) -> None:
    got = await demo("thanks", api=api, stream=stream)
    assert got.error is None
    assert got.text == "You are welcome. Ask for `help` to see what else I can show."
    assert (got.finish_reason, got.model) == (FinishReason.STOP, "demo-1")
    assert got.usage is not None
    assert got.usage.completion_tokens > 5
    assert len(got.deltas) == 1 if not stream else len(got.deltas) > 5


@pytest.mark.parametrize("api", Api)
@pytest.mark.parametrize("stream", [True, False])
async def test_a_limit_is_kept(api: Api, stream: bool) -> None:
    got = await demo("thanks", api=api, stream=stream, parameters=Parameters(max_tokens=3))
    assert (got.text, got.finish_reason) == ("You are welco", FinishReason.LENGTH)
    assert got.usage is not None
    assert got.usage.completion_tokens == 3


@pytest.mark.parametrize("api", [Api.CHAT, Api.RESPONSES])
@pytest.mark.parametrize("stream", [True, False])
async def test_thinking_by_both_apis_that_know_it(api: Api, stream: bool) -> None:
    got = await demo("hello", model="demo-thinking", api=api, stream=stream)
    assert got.reasoning == "The user greets me. I say what I am and can do."
    assert got.text.startswith("Hello!")


async def test_a_completion_goes_on_where_the_text_ends() -> None:
    got = await demo("hello", "thanks", api=Api.COMPLETIONS)
    assert got.text.startswith("You are welcome.")


@pytest.mark.parametrize("api", Api)
async def test_the_failures_of_every_api(api: Api) -> None:
    for prompt, trouble in (("error", ErrorKind.SERVER), ("break", ErrorKind.BROKEN), ("error 429", ErrorKind.BUSY)):
        got = await demo(prompt, api=api)
        assert got.error is not None
        assert got.error.kind is trouble
        assert got.finish_reason is None


async def test_a_temperature_that_is_none() -> None:
    got = await demo("thanks", parameters=Parameters(extra={"temperature": 2.5}))
    assert "Expected a value <= 2, but got 2.5" in got.message


async def test_a_model_that_takes_no_temperature() -> None:
    got = await demo("hello", model="demo-thinking", parameters=Parameters(temperature=0.2))
    assert got.deltas[0].notice == "demo doesn't support temperature 0.2 for demo-thinking. Retried without it."
    assert got.text.startswith("Hello!")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"model": 3}', b'{"model": "demo-1"}', b'{"model": "demo-1", "messages": "x"}']
)
@pytest.mark.parametrize("path", ["/chat/completions", "/completions", "/responses"])
async def test_a_body_that_is_none(path: str, body: bytes) -> None:
    async with httpx2.AsyncClient(transport=DemoTransport(0), base_url="http://demo.invalid/v1") as client:
        assert (await client.post(path, content=body)).status_code in (400, 404)


async def test_the_earlier_prompts_are_known() -> None:
    assert "1. One\n2. Two" in (await demo("One", "Two", "What did I ask before?")).text
    assert "your first prompt" in (await demo("What did I ask before?")).text


async def test_thinking_comes_before_the_answer() -> None:
    got = await demo("hello", model="demo-thinking")
    assert got.reasoning == "The user greets me. I say what I am and can do."
    assert [bool(delta.reasoning) for delta in got.deltas if delta.reasoning or delta.text].index(False) > 5
    assert got.usage is not None
    assert 0 < got.usage.reasoning_tokens < got.usage.completion_tokens
    assert (await demo("thinking")).reasoning.startswith("The user wants to see how thinking looks")


@pytest.mark.parametrize(
    ("prompt", "trouble", "text"),
    [
        ("error", ErrorKind.SERVER, "This reply ends in an error event"),
        ("break", ErrorKind.BROKEN, "This reply ends in a lost connection"),
        ("garbage", ErrorKind.BROKEN, ""),
        ("error 401", ErrorKind.NO_KEY, ""),
        ("show me error 404", ErrorKind.UNKNOWN_MODEL, ""),
        ("error 429", ErrorKind.BUSY, ""),
        ("error 500", ErrorKind.SERVER, ""),
        ("error 418", ErrorKind.REFUSED, ""),
    ],
)
async def test_failures(prompt: str, trouble: ErrorKind, text: str) -> None:
    got = await demo(prompt)
    assert got.error is not None
    assert got.error.kind is trouble
    assert got.text.startswith(text)
    assert bool(got.text) == bool(text)
    assert got.finish_reason is None


async def test_an_unknown_model() -> None:
    assert (await demo("hello", model="gpt-6-luna")).message.startswith("demo has no model gpt-6-luna: ")


async def test_a_reply_that_is_stopped_ends_at_once() -> None:
    transport = DemoTransport(pace=1000)
    provider = OpenAIProvider(DEMO, transport=lambda: transport)
    task = asyncio.create_task(ask(provider, "hello", model="demo-1"))
    await transport.began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert transport.streaming == 0
    await provider.aclose()


async def test_a_loop_that_is_left_ends_the_reply() -> None:
    transport = DemoTransport(pace=0)
    provider = OpenAIProvider(DEMO, transport=lambda: transport)
    async with aclosing(provider.stream(request("long", model="demo-1"))) as deltas:
        async for _ in deltas:
            break
    assert transport.streaming == 0
    await provider.aclose()


async def test_a_reply_that_is_not_streamed() -> None:
    async with httpx2.AsyncClient(transport=DemoTransport(0), base_url="http://demo.invalid/v1") as client:
        body = {
            "model": "demo-1",
            "messages": [{"role": "user", "content": [{"type": "text", "text": "thanks"}]}],
        }
        reply = (await client.post("/chat/completions", json=body)).json()
        lost = await client.get("/elsewhere")
    assert reply["choices"][0]["message"]["content"].startswith("You are welcome")
    assert reply["usage"]["completion_tokens"] > 0
    assert lost.status_code == 404


def test_the_models_differ_in_speed() -> None:
    assert SPEEDS["demo-slow"] < SPEEDS["demo-1"] < SPEEDS["demo-fast"]
    assert answer(["slow"]).speed < 1


async def test_time_passes_at_the_pace_of_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def noted(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("streamtui.providers.demo.transport.asyncio.sleep", noted)
    body = {"model": "demo-1", "stream": True, "messages": [{"role": "user", "content": "thanks"}]}
    async with (
        httpx2.AsyncClient(transport=DemoTransport(), base_url="http://demo.invalid/v1") as client,
        client.stream("POST", "/chat/completions", json=body) as reply,
    ):
        assert b"[DONE]" in await reply.aread()
    # Nobody slept, so the last wait is until the whole reply is due.
    assert waits[0] == pytest.approx(FIRST_TOKEN, abs=0.1)
    assert waits[-1] == pytest.approx(FIRST_TOKEN + (len(waits) - 1) / SPEEDS["demo-1"], abs=0.1)


async def test_a_whole_reply_takes_as_long_as_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def noted(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("streamtui.providers.demo.transport.asyncio.sleep", noted)
    body = {"model": "demo-1", "messages": [{"role": "user", "content": "thanks"}]}
    async with httpx2.AsyncClient(transport=DemoTransport(), base_url="http://demo.invalid/v1") as client:
        whole = (await client.post("/chat/completions", json=body)).json()
        before = len(waits)
        await client.post("/chat/completions", json=body | {"stream": True})
    assert whole["choices"][0]["message"]["content"].startswith("You are welcome")
    assert before == 1
    # Nobody slept, so the last wait of a stream is until the whole reply is due.
    assert waits[0] == pytest.approx(waits[-1], abs=0.1)
    assert waits[0] > 0.5


async def test_connect_knows_the_demo() -> None:
    provider = connect(DEMO)
    assert (await provider.models())[0] == DEMO.model
    await provider.aclose()


async def test_a_conversation_with_files_can_be_had() -> None:
    prompt = Message(Role.USER, "hello", attachments=(Attachment("a.png", "image/png", b"x"),))
    provider = demo_provider(pace=0)
    texts = [delta.text async for delta in provider.stream(Request("demo-1", (prompt,)))]
    assert "".join(texts).startswith("Hello!")
    await provider.aclose()
