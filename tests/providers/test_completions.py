"""Completions: the conversation as one text that the model goes on with, and what it goes on with."""

from typing import Any

import pytest

from streamtui.core.message import Attachment, Delta, FinishReason, Message, Role, Usage
from streamtui.core.parameters import Parameters
from streamtui.providers.base import ErrorKind, ProviderError, Request
from streamtui.providers.completion_events import decode
from streamtui.providers.completions import encode
from tests.support.provider_requests import EXPLAIN


def story(*texts: str, **fields: Any) -> Request:
    roles = (Role.USER, Role.ASSISTANT)
    turns = tuple(Message(roles[number % 2], text) for number, text in enumerate(texts))
    return Request("davinci-002", turns, **fields)


def test_the_prompt_is_the_text_so_far_as_it_is() -> None:
    assert encode(story("Once upon", " a time\nthere", " was a fox")) == {
        "model": "davinci-002",
        "prompt": "Once upon a time\nthere was a fox",
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_a_blank_line_parts_the_system_prompt_from_it() -> None:
    assert encode(story("Once", system="A fairy tale.\n"))["prompt"] == "A fairy tale.\n\nOnce"
    assert encode(story("Once", system=" \n"))["prompt"] == "Once"


def test_a_reply_that_broke_off_is_gone_on_with() -> None:
    failed = Message(Role.ASSISTANT, " upon a", error="It broke.", finish_reason=FinishReason.FAILED)
    assert encode(Request("m", (Message(Role.USER, "Once"), failed)))["prompt"] == "Once upon a"


def test_text_files_go_before_their_prompt_and_images_nowhere() -> None:
    notes = Attachment("notes.md", "text/markdown", b"# A")
    prompt = Message(Role.USER, "Go on", attachments=(notes,))
    assert encode(Request("m", (prompt,)))["prompt"] == "File notes.md:\n\n# A\n\nGo on"
    picture = Message(Role.USER, "Look", attachments=(Attachment("a.png", "image/png", b"x"),))
    with pytest.raises(ProviderError, match="Completions API doesn't support images") as caught:
        encode(Request("m", (picture,)))
    assert caught.value.kind is ErrorKind.REFUSED


def test_parameters_by_their_names() -> None:
    chosen = Parameters(0.5, 0.9, 100, 7, ("\n\n",), 0.1, 0.2, "low", extra={"best_of": 2})
    body = encode(story("Once", parameters=chosen, stream=False))
    assert body == {
        "model": "davinci-002", "prompt": "Once", "stream": False, "temperature": 0.5, "top_p": 0.9, "max_tokens": 100,
        "seed": 7, "stop": ["\n\n"], "presence_penalty": 0.1, "frequency_penalty": 0.2, "best_of": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"choices": [{"text": " a", "index": 0}], "model": "m"}, Delta(" a", model="m")),
        ({"choices": [{"text": "a", "finish_reason": "length"}]}, Delta("a", finish_reason=FinishReason.LENGTH)),
        ({"choices": [{"text": None, "finish_reason": None}]}, None),
        ({"choices": [{"text": ["a"]}]}, None),
        ({"choices": [], "usage": {"prompt_tokens": 2, "completion_tokens": 3}}, Delta(usage=Usage(2, 3))),
    ],
)
def test_events_are_taken_as_they_come(data: object, expected: Delta | None) -> None:
    assert decode(data, EXPLAIN) == expected
