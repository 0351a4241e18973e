"""Chat Completions: bodies as servers want them, and events as servers send them."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtui.core.message import Attachment, Delta, FinishReason, Message, Role, Usage
from streamtui.providers.base import ErrorKind, ProviderError, Request
from streamtui.providers.chat_completions import encode
from streamtui.providers.completion_events import decode
from streamtui.providers.stream_assembler import StreamEvent
from tests.support.provider_requests import EXPLAIN

PNG = Attachment("dot.png", "image/png", b"\x89PNG")
NOTES = Attachment("notes.md", "text/markdown; charset=utf-8", "# Ü\n".encode())


def one(delta: object, **fields: object) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, **fields}]}


def test_a_body_carries_the_conversation() -> None:
    failed = Message(Role.ASSISTANT, "", reasoning="Hmm", error="It broke.", finish_reason=FinishReason.FAILED)
    reply = Message(Role.ASSISTANT, "Hi!", reasoning="They greet.", error="It broke.")
    turns = (Message(Role.USER, "Hello"), reply, Message(Role.USER, "a"), failed, Message(Role.USER, "b"))
    assert encode(Request("m", turns, system="Be short.")) == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be short."},
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": "Hi!"},
            {"role": "user", "content": "a"},
            {"role": "user", "content": "b"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_files_go_with_their_prompt() -> None:
    both = encode(Request("m", (Message(Role.USER, "Look", attachments=(PNG, NOTES)),)))
    assert both["messages"][0]["content"] == [
        {"type": "text", "text": "File notes.md:\n\n# Ü\n\n\nLook"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}},
    ]
    text = encode(Request("m", (Message(Role.USER, "Look", attachments=(NOTES,)),)))
    assert text["messages"][0]["content"] == "File notes.md:\n\n# Ü\n\n\nLook"


def test_a_file_of_another_kind_is_refused_by_name() -> None:
    video = Attachment("a\x1b.mp4", "video/mp4", b"")
    with pytest.raises(ProviderError, match=r"Can't send a␛\.mp4") as caught:
        encode(Request("m", (Message(Role.USER, "Look", attachments=(video,)),)))
    assert caught.value.kind is ErrorKind.REFUSED


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (one({"content": "a"}), Delta("a")),
        (one({"content": "a", "refusal": None}), Delta("a")),
        (one({"refusal": "No."}), Delta("No.")),
        (one({"reasoning_content": "r"}), Delta("", "r")),
        (one({"reasoning": "r", "content": ""}), Delta("", "r")),
        (one({"reasoning_content": "r", "reasoning": "r"}), Delta("", "r")),
        (one({"reasoning": {"text": "r"}}), None),
        (one({"content": [{"type": "text", "text": "a"}, "b", 3, {"text": None}]}), Delta("ab")),
        (one({"content": [{"type": "thinking", "thinking": [{"text": "t"}, 1]}]}), Delta("", "t")),
        (one({"content": 5}), None),
        (one({"role": "assistant"}), None),
        (one(None), None),
        (one({}, finish_reason="length"), Delta(finish_reason=FinishReason.LENGTH)),
        (one({}, finish_reason="content_filter"), Delta(finish_reason=FinishReason.CONTENT_FILTER)),
        (one({"tool_calls": [{}]}, finish_reason="tool_calls"), Delta(finish_reason=FinishReason.TOOL_CALLS)),
        (one({}, finish_reason="function_call"), Delta(finish_reason=FinishReason.TOOL_CALLS)),
        (one({}, finish_reason="eos_token"), Delta(finish_reason=FinishReason.STOP)),
        (one({}, finish_reason="stopped"), Delta(finish_reason=FinishReason.STOP)),
        (one({}, finish_reason=""), None),
        (one({}, finish_reason=1), None),
        (
            {"choices": [{"message": {"content": "whole"}}], "model": "m"},
            StreamEvent(Delta("whole", model="m"), whole=True),
        ),
        ({"choices": [], "usage": {"prompt_tokens": 2, "completion_tokens": 3}}, Delta(usage=Usage(2, 3))),
        ({"usage": {"prompt_tokens": 2, "cost": 0.5}}, Delta(usage=Usage(2, cost=0.5))),
        ({"usage": {"prompt_tokens": 2, "cost": {"total": 1}}}, Delta(usage=Usage(2))),
        ({"usage": {"prompt_tokens": 2, "cost": -1}}, Delta(usage=Usage(2))),
        ({"choices": [], "usage": {"prompt_tokens": None}}, None),
        ({"choices": [], "usage": {}}, None),
        ({"choices": None, "usage": None}, None),
        ({"choices": "many"}, None),
        ({"choices": [None]}, None),
        ([], None),
        ("text", None),
        (None, None),
        (3, None),
    ],
)
def test_events_are_taken_as_they_come(data: object, expected: Delta | None) -> None:
    assert decode(data, EXPLAIN) == expected


@pytest.mark.parametrize(
    "data",
    [
        {"error": {"message": "It\x1b[31m broke", "code": None}},
        {"error": "It\x1b[31m broke"},
        {"object": "error", "message": "It\x1b[31m broke", "code": 40301},
        {"type": "error", "error": {"type": "overloaded", "message": "It\x1b[31m broke"}},
        one({"content": "a"}) | {"error": {"code": 502, "message": "It\x1b[31m broke"}},
    ],
)
def test_an_error_in_the_stream_is_raised_with_the_servers_words(data: object) -> None:
    with pytest.raises(ProviderError, match=r"Server error from box.*: It␛\[31m broke") as caught:
        decode(data, EXPLAIN)
    assert caught.value.kind is ErrorKind.SERVER


def test_a_finish_reason_that_means_failure_is_one() -> None:
    piece = decode(one({"content": "Kept"}, finish_reason="error"), EXPLAIN)
    assert isinstance(piece, StreamEvent)
    assert piece.delta == Delta("Kept")
    assert "box aborted the reply" in str(piece.failure)


NAMES = st.sampled_from(
    [
        *(
            "choices",
            "delta",
            "message",
            "content",
            "text",
            "thinking",
            "reasoning",
            "reasoning_content",
            "refusal",
        ),
        *(
            "usage",
            "finish_reason",
            "error",
            "code",
            "type",
            "object",
            "model",
            "prompt_tokens",
            "completion_tokens",
        ),
        *("x_groq", "completion_tokens_details", "prompt_tokens_details", "detail", "msg"),
    ]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("error")
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=20,
)
CHUNK = st.fixed_dictionaries(
    {"choices": st.lists(st.fixed_dictionaries({"delta": JSON, "finish_reason": JSON}), max_size=2)},
    optional={"usage": JSON, "model": JSON, "error": JSON},
)


@given(JSON | CHUNK)
def test_no_json_raises_anything_but_provider_errors(data: object) -> None:
    with suppress(ProviderError):
        delta = decode(data, EXPLAIN)
        assert delta is None or delta
