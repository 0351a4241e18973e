"""Responses: bodies as OpenAI wants them, and events as servers send them."""

import json
import re
from contextlib import suppress
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtui.core.message import Attachment, Delta, FinishReason, Message, Role, Usage
from streamtui.core.parameters import Parameters
from streamtui.providers.base import ErrorKind, ProviderError, Request
from streamtui.providers.responses import decode, encode
from streamtui.providers.stream_assembler import StreamEvent, ToolCallDelta
from streamtui.providers.stream_reader import ReplyReader
from tests.support.provider_requests import EXPLAIN
from tests.support.raw_server import event

PNG = Attachment("dot.png", "image/png", b"\x89PNG")
NOTES = Attachment("notes.md", "text/markdown", b"# A")
F = FinishReason


def ended(status: str, **fields: Any) -> dict[str, Any]:
    return {"type": f"response.{status}", "response": {"object": "response", "status": status, **fields}}


def said(*texts: str) -> list[dict[str, Any]]:
    return [{"type": "message", "content": [{"type": "output_text", "text": text}]} for text in texts]


def read(body: bytes) -> tuple[list[Delta], ProviderError | None]:
    """What a reader makes of `body`."""
    reader, deltas = ReplyReader(decode, EXPLAIN), []
    try:
        for delta in chain(reader.feed(body), reader.finish()):
            deltas.append(delta)
    except ProviderError as error:
        return deltas, error
    return deltas, None


def test_a_body_carries_the_conversation() -> None:
    reply = Message(Role.ASSISTANT, "Hi!", reasoning="They greet.", error="It broke.")
    empty = Message(Role.ASSISTANT, "", error="It broke.", finish_reason=F.FAILED)
    turns = (Message(Role.USER, "Hello"), reply, Message(Role.USER, "a"), empty, Message(Role.USER, "b"))
    assert encode(Request("m", turns, system="Be short.")) == {
        "model": "m",
        "instructions": "Be short.",
        "input": [
            {"type": "message", "role": "user", "content": "Hello"},
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "Hi!", "annotations": []}],
            },
            {"type": "message", "role": "user", "content": "a"},
            {"type": "message", "role": "user", "content": "b"},
        ],
        "stream": True,
        "store": False,
    }


def test_files_go_with_their_prompt() -> None:
    body = encode(Request("m", (Message(Role.USER, "Look", attachments=(PNG, NOTES)),)))
    assert body["input"][0]["content"] == [
        {"type": "input_text", "text": "File notes.md:\n\n# A\n\nLook"},
        {"type": "input_image", "image_url": "data:image/png;base64,iVBORw=="},
    ]


def test_parameters_by_their_names() -> None:
    chosen = Parameters(0.5, 0.9, 100, 7, ("x",), 0.1, 0.2, "low", extra={"reasoning": {"summary": "detailed"}, "a": 1})
    body = encode(Request("m", (), parameters=chosen, stream=False))
    assert body == {
        "model": "m", "input": [], "stream": False, "store": False, "temperature": 0.5, "top_p": 0.9,
        "max_output_tokens": 100, "reasoning": {"effort": "low", "summary": "detailed"}, "a": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("model", "effort", "reasoning"),
    [
        ("gpt-6-luna", "", {"summary": "auto"}),
        ("openai/o3-pro", "", {"summary": "auto"}),
        ("gpt-5-chat-latest", "", None),
        ("gpt-4.1", "", None),
        ("gpt-4.1", "high", {"effort": "high", "summary": "auto"}),
        ("gpt-6-luna", "none", {"effort": "none"}),
        ("qwen3", "", None),
    ],
)
def test_summaries_are_asked_of_models_that_think(model: str, effort: str, reasoning: object) -> None:
    assert encode(Request(model, (), parameters=Parameters(reasoning_effort=effort))).get("reasoning") == reasoning


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"type": "response.output_text.delta", "delta": "a"}, Delta("a")),
        ({"type": "response.output_text.delta", "delta": ""}, None),
        ({"type": "response.output_text.delta"}, None),
        ({"type": "response.refusal.delta", "delta": "No."}, Delta("No.")),
        ({"type": "response.reasoning_summary_text.delta", "delta": "r"}, Delta("", "r")),
        ({"type": "response.reasoning_text.delta", "delta": "r"}, Delta("", "r")),
        ({"type": "response.reasoning_summary_part.added", "summary_index": 1}, StreamEvent(opens="reasoning")),
        ({"type": "response.output_item.added", "item": {"type": "message"}}, StreamEvent(opens="text")),
        (
            {"type": "response.function_call_arguments.delta", "delta": "{", "item_id": "fc_1"},
            StreamEvent(calls=(ToolCallDelta(arguments="{", id="fc_1"),)),
        ),
        ({"type": "response.created", "response": {"model": "m"}}, None),
        ({"type": "response.web_search_call.in_progress"}, None),
        (
            ended("completed", output=said("a", "b"), usage={"input_tokens": 1, "output_tokens": 2}, model="m"),
            StreamEvent(Delta("a\n\nb", "", Usage(1, 2), F.STOP, "m"), whole=True),
        ),
        (ended("completed", output=None, usage=None), StreamEvent(Delta(finish_reason=F.STOP), whole=True)),
        (
            ended("incomplete", incomplete_details={"reason": "max_output_tokens"}),
            StreamEvent(Delta(finish_reason=F.LENGTH), whole=True),
        ),
        (
            ended("incomplete", incomplete_details={"reason": "content_filter"}),
            StreamEvent(Delta(finish_reason=F.CONTENT_FILTER), whole=True),
        ),
        (
            ended("completed", output=[{"type": "function_call", "name": "f", "arguments": "{}"}]),
            StreamEvent(
                Delta(finish_reason=F.TOOL_CALLS), (ToolCallDelta("f", "{}", index=0, complete=True),), whole=True
            ),
        ),
        (
            {"object": "response", "status": "completed", "output": said("Whole."), "error": None},
            StreamEvent(Delta("Whole.", finish_reason=F.STOP), whole=True),
        ),
        ({"object": "response", "status": "queued", "output": []}, None),
        ([], None),
        (None, None),
    ],
)
def test_events_are_taken_as_they_come(data: object, expected: Delta | StreamEvent | None) -> None:
    assert decode(data, EXPLAIN) == expected


@pytest.mark.parametrize(
    ("data", "words", "trouble"),
    [
        (ended("failed", error={"code": "server_error", "message": "It broke"}), "It broke", ErrorKind.SERVER),
        (ended("failed", error=None), "Server error from box. Try again.", ErrorKind.SERVER),
        (
            ended("incomplete", incomplete_details={"reason": "odd"}),
            "box aborted the reply: odd. Try again.",
            ErrorKind.SERVER,
        ),
        (ended("incomplete", incomplete_details=None), "box aborted the reply", ErrorKind.SERVER),
        (ended("cancelled"), "box aborted the reply: cancelled. Try again.", ErrorKind.SERVER),
        ({"type": "error", "code": "insufficient_quota", "message": "Pay"}, "No credit left", ErrorKind.BUSY),
        ({"error": {"message": "It broke"}}, "It broke", ErrorKind.SERVER),
        (
            {"object": "response", "status": "failed", "error": {"code": "x", "message": "It broke"}},
            "It broke",
            ErrorKind.SERVER,
        ),
    ],
)
def test_failures_are_raised_in_words(data: object, words: str, trouble: ErrorKind) -> None:
    deltas, error = read(event(data))
    assert deltas == []
    assert error is not None
    assert error.kind is trouble
    assert re.search(words, error.message)


@pytest.mark.parametrize("streamed", [False, True])
def test_what_came_of_a_response_that_failed_is_kept(streamed: bool) -> None:
    failed = {"object": "response", "status": "failed", "output": said("Kept"), "error": None}
    whole = event({"type": "response.completed", "response": failed}) if streamed else json.dumps(failed).encode()
    deltas, error = read(whole)
    assert deltas == [Delta("Kept")]
    assert error is not None


NAMES = st.sampled_from(
    "type delta response output content text refusal summary item item_id output_index usage input_tokens "
    "status error code message object incomplete_details reason name arguments input model param".split()
)
KINDS = st.sampled_from(
    "response.completed response.incomplete response.failed response.output_item.added response.output_item.done "
    "response.output_text.delta response.function_call_arguments.delta message reasoning function_call "
    "custom_tool_call error completed".split()
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | KINDS
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5), max_leaves=20
)
EVENT = st.fixed_dictionaries({"type": KINDS | JSON}, optional={"response": JSON, "item": JSON, "delta": JSON})


@given(JSON | EVENT)
def test_no_json_raises_anything_but_provider_errors(data: object) -> None:
    with suppress(ProviderError):
        found = decode(data, EXPLAIN)
        assert found is None or found
