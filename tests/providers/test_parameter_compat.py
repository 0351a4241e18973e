"""Recognize rejected fields in real error messages, and retry without them."""

import json
from contextlib import aclosing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtui.config import OPENAI_URL, Api, Endpoint
from streamtui.core.message import Delta, Message, Role
from streamtui.core.models import renamed_fields
from streamtui.core.parameters import Parameters
from streamtui.providers.base import Request
from streamtui.providers.openai_provider import OpenAIProvider
from streamtui.providers.parameter_compat import RequestAdapter, rejected_field
from tests.support.provider_requests import EXPLAIN, ask
from tests.support.raw_server import DONE, Exchange, RawServer, chunked, piece, serving, whole

BODY: dict[str, Any] = {
    "model": "some-model", "messages": [], "stream": True, "stream_options": {"include_usage": True},
    "temperature": 0.2, "top_p": 0.5, "max_tokens": 50, "stop": ["x"], "seed": 7, "presence_penalty": 1.0,
    "reasoning_effort": "high", "top_k": 40,
}  # fmt: skip
RESPONSES: dict[str, Any] = {
    "model": "m", "input": [], "store": False, "max_output_tokens": 50,
    "reasoning": {"effort": "high", "summary": "auto"},
}  # fmt: skip


def openai(message: str, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


def fastapi(place: str, message: str, kind: str) -> dict[str, Any]:
    return {"detail": [{"type": kind, "loc": ["body", place], "msg": message, "input": 1}]}


OPENAI_TOKENS = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'."
OPENAI_HEAT = (
    "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported."
)
OPENAI_EFFORT = "Unsupported value: 'reasoning_effort' does not support 'high'. Supported values are: 'low'."


@pytest.mark.parametrize(
    ("answer", "field", "lasting"),
    [
        (openai(OPENAI_TOKENS, "max_tokens", "unsupported_parameter"), "max_tokens", True),
        (openai(OPENAI_HEAT, "temperature", "unsupported_value"), "temperature", True),
        (openai(OPENAI_EFFORT, "reasoning_effort", "unsupported_value"), "reasoning_effort", False),
        (openai("Unrecognized request argument supplied: stream_options"), "stream_options", True),
        (openai("Unknown parameter: 'top_k'.", "top_k", "unknown_parameter"), "top_k", True),
        (fastapi("seed", "Extra inputs are not permitted", "extra_forbidden"), "seed", True),
        # Mistral
        (
            {"object": "error", "message": fastapi("top_k", "Extra inputs are not permitted", "extra_forbidden")},
            "top_k",
            True,
        ),
        # Groq, xAI, LiteLLM, Gemini, Ollama, Anthropic, Bedrock
        (openai("property 'presence_penalty' is unsupported"), "presence_penalty", True),
        ({"code": "Invalid", "error": "Argument not supported: presencePenalty"}, "presence_penalty", True),
        (openai("UnsupportedParamsError: openai does not support parameters: ['seed']", "None", "400"), "seed", True),
        ([{"error": {"code": 400, "message": 'Unknown name "seed": Cannot find field.'}}], "seed", True),
        (openai('"gemma3" does not support thinking'), "reasoning_effort", True),
        (openai("`temperature` and `top_p` cannot both be specified for this model."), "temperature", False),
        ({"message": "`temperature` is deprecated for this model."}, "temperature", True),
        ("Unsupported param: stop", "stop", True),
    ],
)  # fmt: skip
def test_what_is_refused(answer: object, field: str, lasting: bool) -> None:
    refusal = rejected_field(answer if isinstance(answer, str) else json.dumps(answer), BODY)
    assert refusal is not None
    assert (refusal.field, refusal.lasting) == (field, lasting)


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        (openai("Unsupported parameter", "reasoning.summary", "unsupported_parameter"), "reasoning.summary"),
        (openai("Unsupported parameter: 'reasoning' is not supported", "reasoning"), "reasoning"),
        (fastapi("store", "Extra inputs are not permitted", "extra_forbidden"), "store"),
        (openai("max_output_tokens is not supported"), "max_output_tokens"),
        (openai("this model does not support thinking"), "reasoning.effort"),
    ],
)
def test_what_is_refused_by_responses(answer: object, field: str) -> None:
    refusal = rejected_field(json.dumps(answer), RESPONSES)
    assert refusal is not None
    assert refusal.field == field


@pytest.mark.parametrize(
    "answer",
    [
        openai("Invalid 'temperature': decimal above maximum value.", "temperature", "decimal_above_max_value"),
        openai("max_tokens is too large: 50. This model supports at most 40.", "max_tokens", "invalid_value"),
        openai("This model's maximum context length is 10 tokens; max_tokens is not allowed to exceed it."),
        fastapi("temperature", "Input should be less than or equal to 1", "less_than_equal"),
        openai("Unsupported value: 'messages[0].role' is not supported", "messages[0].role", "unsupported_value"),
        openai("The model `x` does not support streaming.", "stream", "unsupported_value"),
        openai("Unknown parameter: 'other'.", "other", "unknown_parameter"),
        openai("Image input is not supported by this model."),
        {"error": "temperature"},
        "temperature",
        "",
        [],
        {"detail": {"loc": "temperature"}},
    ],
)  # fmt: skip
def test_what_is_no_refusal_of_a_field(answer: object) -> None:
    assert rejected_field(answer if isinstance(answer, str) else json.dumps(answer), BODY) is None


@given(st.text() | st.recursive(st.text() | st.none(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_any_answer_can_be_read(answer: object) -> None:
    text = json.dumps({"error": f"unsupported {answer}", "loc": answer, "param": answer})
    for data in (text, text[1:], json.dumps(answer)):
        refusal = rejected_field(data, BODY)
        assert refusal is None or refusal.field not in ("model", "messages", "stream")


def changed(body: dict[str, Any], known: dict[str, str]) -> dict[str, Any]:
    return RequestAdapter(json.loads(json.dumps(body)), known, EXPLAIN).body


def test_what_is_known_is_changed_beforehand() -> None:
    body = changed({"max_tokens": 5, "seed": 1, "reasoning": {"effort": "low"}}, {
        "max_tokens": "max_completion_tokens", "seed": "", "reasoning.effort": "", "stop": "",
    })  # fmt: skip
    assert body == {"max_completion_tokens": 5}


@pytest.mark.parametrize(
    ("url", "model", "fields"),
    [
        (OPENAI_URL, "gpt-6-luna", {"max_tokens": "max_completion_tokens"}),
        (OPENAI_URL, "o3-mini", {"max_tokens": "max_completion_tokens"}),
        (OPENAI_URL, "ft:gpt-5:me", {"max_tokens": "max_completion_tokens"}),
        (OPENAI_URL, "gpt-4o", {}),
        (OPENAI_URL, "gpt-3.5-turbo", {}),
        ("http://localhost:8000/v1", "gpt-6-luna", {}),
    ],
)
def test_names_that_are_known_from_the_start(url: str, model: str, fields: dict[str, str]) -> None:
    assert renamed_fields(Endpoint("x", url), model) == fields


class Picky:
    """A server that refuses the fields it is told to, each with OpenAI's words."""

    def __init__(self, *refused: str) -> None:
        self.refused = refused

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one request."""
        wrong = next((name for name in self.refused if name in exchange.body), None)
        if wrong is None:
            await chunked(piece("Hi!", "stop"), DONE)(exchange)
        else:
            words = openai(f"Unsupported parameter: '{wrong}' is not supported.", wrong, "unsupported_parameter")
            await whole(json.dumps(words).encode(), "400 Bad Request", "application/json")(exchange)


CHOSEN = Parameters(temperature=0.2, max_tokens=50)


async def deltas_of(provider: OpenAIProvider, chosen: Parameters = CHOSEN, **fields: Any) -> list[Delta]:
    asked = Request("some-model", (Message(Role.USER, "Hello"),), parameters=chosen, **fields)
    async with aclosing(provider.stream(asked)) as deltas:
        return [delta async for delta in deltas]


def sent(server: RawServer) -> list[list[str]]:
    return [sorted(exchange.body.keys() - {"model", "messages", "stream"}) for exchange in server.requests]


async def test_a_field_is_left_out_the_user_told_and_it_is_remembered() -> None:
    async with serving(Picky("temperature", "stream_options")) as server:
        provider = OpenAIProvider(Endpoint("box", server.url))
        first, second = await deltas_of(provider), await deltas_of(provider)
        await provider.aclose()
    assert [(delta.notice, delta.adapted) for delta in first[:2]] == [
        ("box doesn't support temperature 0.2 for some-model. Retried without it.", {"temperature": ""}),
        ("box doesn't support stream_options for some-model. Retried without it.", {"stream_options": ""}),
    ]
    assert first[2].text == second[0].text == "Hi!"
    assert sent(server)[2:] == [["max_tokens"]] * 2


async def test_a_limit_is_renamed_and_only_then_left_out() -> None:
    async with serving(Picky("max_tokens")) as server:
        provider = OpenAIProvider(Endpoint("box", server.url))
        deltas = await deltas_of(provider)
        await provider.aclose()
    assert deltas[0].notice == "box expects max_completion_tokens instead of max_tokens. Retried with that name."
    assert deltas[0].adapted == {"max_tokens": "max_completion_tokens"}
    assert server.requests[1].body["max_completion_tokens"] == 50
    async with serving(Picky("max_tokens", "max_completion_tokens")) as server:
        provider = OpenAIProvider(Endpoint("box", server.url))
        deltas = await deltas_of(provider)
        assert (await deltas_of(provider))[0].text == "Hi!"
        await provider.aclose()
    assert deltas[1].notice == "box doesn't support max_tokens 50 for some-model. Retried without it."
    assert deltas[1].adapted == {"max_tokens": ""}
    assert len(server.requests) == 4


async def test_what_the_conversation_remembers_is_not_sent() -> None:
    async with serving(Picky("temperature")) as server:
        provider = OpenAIProvider(Endpoint("box", server.url))
        deltas = await deltas_of(provider, adaptations={"temperature": "", "max_tokens": "max_completion_tokens"})
        await provider.aclose()
    assert not any(delta.notice for delta in deltas)
    assert sent(server) == [["max_completion_tokens", "stream_options"]]


async def test_a_value_that_is_refused_is_told_every_time() -> None:
    async def script(exchange: Exchange) -> None:
        if exchange.body.get("reasoning_effort") == "high":
            words = openai(OPENAI_EFFORT, "reasoning_effort", "unsupported_value")
            return await whole(json.dumps(words).encode(), "400 Bad Request", "application/json")(exchange)
        return await chunked(piece("Hi!", "stop"), DONE)(exchange)

    async with serving(script) as server:
        provider = OpenAIProvider(Endpoint("box", server.url))
        for _ in range(2):
            first, *_ = await deltas_of(provider, Parameters(reasoning_effort="high"))
            assert first.notice == "box doesn't support reasoning_effort high for some-model. Retried without it."
            assert first.adapted is None
        await deltas_of(provider, Parameters(reasoning_effort="low"))
        await provider.aclose()
    assert server.requests[-1].body["reasoning_effort"] == "low"


async def test_a_server_that_refuses_whatever_is_sent_is_not_asked_without_end() -> None:
    words = json.dumps(openai("stream_options, temperature, max_tokens, max_completion_tokens: all unsupported"))
    async with serving(whole(words.encode(), "400 Bad Request", "application/json")) as server:
        provider = OpenAIProvider(Endpoint("box", server.url, parameters=CHOSEN))
        assert "all unsupported" in (await ask(provider)).message
        await provider.aclose()
    assert len(server.requests) == 2  # with stream_options, and without


async def test_a_parameter_that_an_api_does_not_have_is_told_once() -> None:
    async with serving(whole(b'{"object": "response", "status": "completed", "output": []}')) as server:
        provider = OpenAIProvider(Endpoint("box", server.url, api=Api.RESPONSES))
        first = await deltas_of(provider, Parameters(stop=("x",), seed=7, temperature=0.5))
        second = await deltas_of(provider, Parameters(stop=("x",), seed=7, temperature=0.5))
        await provider.aclose()
    assert first[0].notice == "Not sent, because the Responses API doesn't support it: seed, stop."
    assert not any(delta.notice for delta in second)
    assert sent(server) == [["input", "store", "temperature"]] * 2
