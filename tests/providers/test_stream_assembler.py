"""Pieces put together: tool calls as text, paragraphs kept apart, repeats passed over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtui.core.message import Delta, FinishReason
from streamtui.providers.completion_events import decode
from streamtui.providers.stream_assembler import StreamAssembler, StreamEvent, ToolCallDelta
from tests.support.provider_requests import EXPLAIN

END = Delta(finish_reason=FinishReason.TOOL_CALLS)
C = ToolCallDelta


def joined(*pieces: Delta | StreamEvent) -> str:
    joiner = StreamAssembler()
    return "".join(joiner.take(piece).text for piece in pieces)


def calls(*calls: ToolCallDelta, text: str = "", whole: bool = False) -> StreamEvent:
    return StreamEvent(Delta(text), calls, whole)


def shown(name: str, arguments: str) -> str:
    return f"Tool call `{name}`:\n\n~~~~json\n{arguments}\n~~~~\n"


ONE, TWO = shown("f", '{"a": 1}'), shown("g", "{}")


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ([calls(C("f", "", "1", 0)), calls(C("", '{"a"', "", 0)), calls(C("", ": 1}", "", 0)), END], ONE),
        # The id in every piece, as some servers send it; two calls in one piece; text before and after.
        ([calls(C("f", '{"a"', "1", 0)), calls(C("f", ": 1}", "1", 0)), END], ONE),
        ([calls(C("f", '{"a": 1}', "1", 0), C("g", "{}", "2", 1)), END], f"{ONE}\n{TWO}"),
        ([Delta("Well"), calls(C("f", '{"a": 1}', "1", 0)), END], f"Well\n\n{ONE}"),
        ([calls(C("f", '{"a": 1}', "1", 0)), Delta("So"), Delta(" it is"), END], f"{ONE}\nSo it is"),
        # Ollama numbers all calls 0; the smallest servers give no id either.
        ([calls(C("f", '{"a": 1}', "1", 0)), calls(C("g", "{}", "2", 0)), END], f"{ONE}\n{TWO}"),
        ([calls(C("f", '{"a": 1}', "", 0)), calls(C("g", "{}", "", 0)), END], f"{ONE}\n{TWO}"),
        ([calls(C("now")), END], "Tool call `now`"),
        ([calls(C("now", "", "1")), calls(C("f", '{"a": 1}', "2")), END], f"Tool call `now`\n\n{ONE}"),
        ([calls(C("a`b")), END], "Tool call `ab`"),
        # A call that is repeated when it is complete.
        ([calls(C("f", '{"a": 1}', index=0)), calls(C("f", '{"a": 1}', index=0, complete=True)), END], ONE),
        ([calls(C("f", index=0)), calls(C("f", '{"a": 1}', index=0, complete=True)), END], ONE),
        (
            [
                calls(C("f", '{"a": 1}', index=0)),
                calls(C("g", "{}", index=1)),
                calls(C("f", '{"a": 1}', index=0, complete=True)),
                END,
            ],
            f"{ONE}\n{TWO}",
        ),
        # A reply that is repeated when it is complete.
        ([Delta("a"), StreamEvent(Delta("a"), whole=True)], "a"),
        ([StreamEvent(Delta("a"), whole=True)], "a"),
        ([calls(C("f", '{"a": 1}', index=0)), calls(C("f", '{"a": 1}'), whole=True), END], ONE),
        ([Delta("Well"), calls(C("f", '{"a": 1}'), text="Well", whole=True), END], f"Well\n\n{ONE}"),
        # Paragraphs.
        ([StreamEvent(opens="text"), Delta("a"), StreamEvent(opens="text"), Delta("b"), Delta("c")], "a\n\nbc"),
        ([Delta("a"), StreamEvent(opens="text"), calls(C("f", '{"a": 1}')), END], f"a\n\n{ONE}"),
    ],
)
def test_texts(pieces: list[Delta | StreamEvent], text: str) -> None:
    assert joined(*pieces) == text


def test_an_open_block_is_closed_by_the_end_only() -> None:
    joiner = StreamAssembler()
    assert joiner.take(calls(C("f", "{", "1", 0))).text == "Tool call `f`:\n\n~~~~json\n{"
    assert joiner.take(Delta(reasoning="Hm")).text == ""
    assert joiner.take(END) == Delta("\n~~~~\n", finish_reason=FinishReason.TOOL_CALLS)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"tool_calls": [{"id": "1", "function": {"name": "f", "arguments": '{"a": 1}'}}]}, ONE),
        ({"tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]}, ONE),
        ({"function_call": {"name": "f", "arguments": '{"a": 1}'}}, ONE),
        ({"tool_calls": [{"custom": {"name": "r", "input": "x"}}]}, "Tool call `r`:\n\n~~~~\nx\n~~~~\n"),
        ({"content": "Well", "tool_calls": [{"function": {"name": "f", "arguments": '{"a": 1}'}}]}, f"Well\n\n{ONE}"),
        ({"tool_calls": "many"}, ""),
        ({"tool_calls": [None, {}]}, ""),
    ],
)
def test_whole_messages_of_chat_completions(message: object, text: str) -> None:
    found = decode({"choices": [{"message": message, "finish_reason": "tool_calls"}]}, EXPLAIN)
    assert found is not None
    assert joined(found) == text


CALL = st.builds(
    ToolCallDelta, st.sampled_from(["", "f"]), st.sampled_from(["", "x", "{}"]), st.sampled_from(["", "1", "2"]),
    st.sampled_from([None, 0, 1]), st.booleans(), st.booleans(),
)  # fmt: skip
DELTA = st.builds(Delta, st.sampled_from(["", "t"]), st.sampled_from(["", "r"]))
PIECE = DELTA | st.builds(
    StreamEvent, DELTA, st.lists(CALL, max_size=2).map(tuple), st.booleans(), st.sampled_from(["", "text", "reasoning"])
)


@given(st.lists(PIECE, max_size=8))
def test_every_block_that_opens_is_closed(pieces: list[Delta | StreamEvent]) -> None:
    assert joined(*pieces, END).count("\n~~~~") % 2 == 0


def fragments(index: int, *arguments: str) -> list[StreamEvent]:
    """The pieces of a call as Chat Completions has them: id and name in the first only."""
    first = C("fg"[index], "", str(index), index)
    return [calls(first), *(calls(C("", part, "", index)) for part in arguments)]


@given(st.lists(st.booleans(), min_size=6, max_size=6))
def test_calls_that_interleave_are_joined_by_index(turns: list[bool]) -> None:
    queues = fragments(0, '{"a"', ": ", "1", "}"), fragments(1, "{", " ", "}")
    pieces = [queue.pop(0) for queue in queues]
    for turn in [*turns, True, True, True, True, False, False, False, False]:
        if queues[turn]:
            pieces.append(queues[turn].pop(0))
    assert joined(*pieces, END) == f"{ONE}\n{shown('g', '{ }')}"


def test_a_call_is_shown_when_the_one_before_is_complete() -> None:
    joiner = StreamAssembler()
    shown_so_far = [joiner.take(piece).text for piece in [*fragments(0, "{}"), *fragments(1, "{", "}")]]
    assert shown_so_far == [
        "Tool call `f`", ":\n\n~~~~json\n{}", "\n~~~~\n\nTool call `g`", ":\n\n~~~~json\n{", "}"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        # An id of its own for every piece, as old versions of vLLM send it.
        ([calls(C("f", "", "a", 0)), calls(C("", '{"a"', "b", 0)), calls(C("", ": 1}", "c", 0)), END], ONE),
        # The name in every piece, and no id.
        ([calls(C("f", "", "", 0)), calls(C("f", '{"a"', "", 0)), calls(C("f", ": 1}", "", 0)), END], ONE),
        # Text, or the end, in the middle of a call.
        ([calls(C("f", '{"a"', "1", 0)), Delta("So"), calls(C("", ": 1}", "", 0)), Delta(" it is"), END],
         f"{ONE}\nSo it is"),
        ([*fragments(0, "{"), *fragments(1, "{"), END], f"{shown('f', '{')}\n{shown('g', '{')}"),
        ([*fragments(0, "{}"), *fragments(1, "{}"), calls(C("", "\n", "", 0)), END],
         f"{shown('f', '{}')}\n{shown('g', '{}')}"),
    ],
)  # fmt: skip
def test_calls_of_odd_servers(pieces: list[Delta | StreamEvent], text: str) -> None:
    assert joined(*pieces, END) == text


def test_a_reply_with_calls_asks_for_tools_whatever_its_end_is_called() -> None:
    joiner = StreamAssembler()
    joiner.take(calls(C("f", "{}")))
    assert joiner.take(Delta(finish_reason=FinishReason.STOP)).finish_reason is FinishReason.TOOL_CALLS


def test_calls_held_back_are_shown_when_the_reply_breaks_off() -> None:
    joiner = StreamAssembler()
    before = "".join(joiner.take(piece).text for piece in [*fragments(0, "{"), *fragments(1, "{")])
    assert before + joiner.rest().text == f"{shown('f', '{')}\n{shown('g', '{')}"
