"""Recorded streams, whole and cut anywhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtui.core.message import FinishReason, Usage
from streamtui.providers import completion_events, responses
from streamtui.providers.base import ErrorKind, ProviderError
from streamtui.providers.stream_reader import ReplyReader
from tests.support.provider_requests import EXPLAIN, RECORDINGS, Got, pieces_of
from tests.support.raw_server import DONE, event, piece

F = FinishReason
EXPECTED = {
    "openai": ("Hello there! The café says “はい” 🚀.", "", F.STOP, Usage(19, 11, 0, 8)),
    "openai_refusal": ("I cannot help with that.", "", F.CONTENT_FILTER, None),
    "openai_tool_calls": ('Tool call `look_up`:\n\n~~~~json\n{"q":"x"}\n~~~~\n', "", F.TOOL_CALLS, None),
    "ollama": ("Hi from Ollama.", "Okay, they greet.", F.STOP, Usage(11, 9)),
    "llamacpp": ("One, two, three.", "", F.LENGTH, Usage(14, 6)),
    "openrouter": ("2 + 2 = 4", "We add.", F.STOP, Usage(9, 8, 3, cost=1.23e-05)),
    "deepseek": ("then answer.", "First think,", F.STOP, Usage(12, 7, 3, 4)),
    "vllm_usage_every_chunk": ("Cut off here", "", F.LENGTH, Usage(5, 4)),
    "groq": ("Fast.", "", F.STOP, Usage(3, 2)),
    "mistral": ("Yes.", "Hmm.", F.STOP, Usage(4, 3)),
    "no_finish_reason": ("Small server", "", F.STOP, None),
    "junk": ("Kept words", "", F.STOP, None),
    "completions_openai": ("\n\nthere was a fox 🦊", "", F.STOP, Usage(4, 6)),
    "completions_vllm": (" upon a time, in a", "", F.LENGTH, Usage(3, 5)),
    "completions_llamacpp": ("It goes on.", "", F.STOP, Usage(5, 4)),
    "completions_junk": ("Kept words", "", F.STOP, None),
    "responses_openai": ("Hello there: “はい” 🚀", "", F.STOP, Usage(19, 11, 0, 8)),
    "responses_reasoning": (
        "2 + 2 = 4",
        "**Adding**\n\nTwo and two.\n\n**Checking**",
        F.STOP,
        Usage(9, 40, 32),
    ),
    "responses_incomplete": ("Cut off here", "", F.LENGTH, Usage(5, 16)),
    "responses_filtered": ("Not this", "", F.CONTENT_FILTER, Usage(5, 3)),
    "responses_refusal": ("I cannot help with that.", "", F.STOP, Usage(7, 6)),
    "responses_tool_calls": (
        'Let me see.\n\nTool call `look_up`:\n\n~~~~json\n{"q":"x"}\n~~~~\n'
        "\nTool call `run`:\n\n~~~~\nprint(1)\n\n~~~~\n",
        "",
        F.TOOL_CALLS,
        Usage(30, 20),
    ),
    "responses_litellm": (
        'Let me look.\n\nTool call `get_weather`:\n\n~~~~json\n{"location":"Tallinn","unit":"C"}\n~~~~\n'
        "\nTool call `get_time`:\n\n~~~~json\n{}\n~~~~\n",
        "",
        F.TOOL_CALLS,
        Usage(2, 17),
    ),
    "responses_two_messages": ("I look first.\n\nDone.", "", F.STOP, Usage(3, 6)),
    "responses_only_the_end": ("All at once.", "Hm.", F.STOP, Usage(2, 5)),
    "responses_vllm": ("Hi.", "They greet.", F.STOP, None),
    "responses_junk": ("Kept words", "", F.STOP, None),
}
FAILING = {
    "responses_failed": ("Kept", ErrorKind.SERVER, "The model could not go on. "),
    "responses_error": ("Kept", ErrorKind.BUSY, "Slow down. "),
}
NAMES = st.sampled_from(sorted(EXPECTED))


def recording(name: str) -> bytes:
    return (RECORDINGS / f"{name}.sse").read_bytes()


def read(*pieces: bytes, name: str = "") -> Got:
    """What a reader makes of `pieces` of recording `name`, used as the client uses it."""
    decode = responses.decode if name.startswith("responses") else completion_events.decode
    reader, got = ReplyReader(decode, EXPLAIN), Got()
    try:
        for chunk in pieces:
            for delta in reader.feed(chunk):
                got.add(delta)
            if reader.done:
                break
        for delta in reader.finish():
            got.add(delta)
    except ProviderError as error:
        got.error = error
    return got


def test_every_recording_has_its_expectation() -> None:
    assert {path.stem for path in RECORDINGS.glob("*.sse")} == set(EXPECTED) | set(FAILING)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_recordings(name: str) -> None:
    got = read(recording(name), name=name)
    assert got.error is None
    assert (got.text, got.reasoning, got.finish_reason, got.usage) == EXPECTED[name]


@pytest.mark.parametrize("name", FAILING)
def test_recordings_of_failures(name: str) -> None:
    text, trouble, words = FAILING[name]
    got = read(recording(name), name=name)
    assert (got.text, got.finish_reason) == (text, None)
    assert words in got.message
    assert got.error is not None
    assert got.error.kind is trouble


@given(NAMES, st.lists(st.integers(0, 6000), max_size=20))
def test_any_cut_gives_the_same_deltas(name: str, cuts: list[int]) -> None:
    assert read(*pieces_of(recording(name), cuts), name=name).deltas == read(recording(name), name=name).deltas


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_byte_by_byte(name: str) -> None:
    body = recording(name)
    assert read(*(body[at : at + 1] for at in range(len(body))), name=name).deltas == read(body, name=name).deltas


@given(NAMES, st.integers(0, 6000))
def test_a_stream_that_ends_early_keeps_its_text_and_says_so(name: str, end: int) -> None:
    got = read(recording(name)[:end], name=name)
    text, reasoning, finish_reason, _ = EXPECTED[name]
    assert text.startswith(got.text)
    assert reasoning.startswith(got.reasoning)
    if got.error is None:
        assert (got.text, got.reasoning, got.finish_reason) == (text, reasoning, finish_reason)
    else:
        assert got.error.kind is ErrorKind.BROKEN
        assert got.finish_reason is None


@given(st.binary(max_size=200), st.lists(st.integers(0, 200)))
def test_no_bytes_raise_anything_but_provider_errors(body: bytes, cuts: list[int]) -> None:
    assert read(*pieces_of(body, cuts)).error is not None


@given(NAMES, st.binary(max_size=40), st.integers(0, 6000))
def test_nor_do_bytes_in_the_middle_of_a_stream(name: str, junk: bytes, at: int) -> None:
    body = recording(name)
    got = read(body[:at] + junk + body[at:], name=name)
    assert got.error is not None or got.finish_reason is not None


def test_what_came_before_the_trouble_in_the_same_piece_is_kept() -> None:
    got = read(piece("Kept") + event(b"{bad json") + piece("lost", "stop"))
    assert got.text == "Kept"
    assert got.message == "Invalid response from box. Try again."


def test_an_event_named_error_is_one_whatever_it_holds() -> None:
    got = read(piece("Kept") + b'event: error\ndata: {"message": "out of memory"}\n\n')
    assert (got.text, got.message) == (
        "Kept",
        "Server error from box: out of memory. Try again.",
    )


def test_done_without_text_is_no_reply() -> None:
    assert read(DONE).message == "box closed the connection without a reply. Try again."


def test_a_body_of_another_kind_is_not_kept_without_end() -> None:
    assert "Invalid response" in read(*[b"[" * (1 << 20)] * 40).message


@pytest.mark.parametrize("depth", [100_000])
def test_json_too_deep_to_parse_is_garbled(depth: int) -> None:
    assert "Invalid response" in read(event(b"[" * depth)).message
