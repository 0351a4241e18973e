"""Recorded streams, whole and cut anywhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtui.message import FinishReason, Usage
from streamtui.providers.base import ProviderError, Trouble
from streamtui.providers.choices import decode
from streamtui.providers.reply import ReplyReader
from tests.providers.asking import EXPLAIN, RECORDINGS, Got, pieces_of
from tests.providers.raw_server import DONE, event, piece

F = FinishReason
EXPECTED = {
    "openai": ("Hello there! The café says “はい” 🚀.", "", F.STOP, Usage(19, 11, 0, 8)),
    "openai_refusal": ("I cannot help with that.", "", F.CONTENT_FILTER, None),
    "openai_tool_calls": ('Tool call `look_up`:\n\n~~~~json\n{"q":"x"}\n~~~~\n', "", F.TOOL_CALLS, None),
    "ollama": ("Hi from Ollama.", "Okay, they greet.", F.STOP, Usage(11, 9)),
    "llamacpp": ("One, two, three.", "", F.LENGTH, Usage(14, 6)),
    "openrouter": ("2 + 2 = 4", "We add.", F.STOP, Usage(9, 8, 3)),
    "deepseek": ("then answer.", "First think,", F.STOP, Usage(12, 7, 3, 4)),
    "vllm_usage_every_chunk": ("Cut off here", "", F.LENGTH, Usage(5, 4)),
    "groq": ("Fast.", "", F.STOP, Usage(3, 2)),
    "mistral": ("Yes.", "Hmm.", F.STOP, Usage(4, 3)),
    "no_finish_reason": ("Small server", "", F.STOP, None),
    "junk": ("Kept words", "", F.STOP, None),
}
NAMES = st.sampled_from(sorted(EXPECTED))


def recording(name: str) -> bytes:
    return (RECORDINGS / f"{name}.sse").read_bytes()


def read(*pieces: bytes) -> Got:
    """What a reader makes of `pieces`, used as the client uses it."""
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
    assert {path.stem for path in RECORDINGS.glob("*.sse")} == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_recordings(name: str) -> None:
    got = read(recording(name))
    assert got.error is None
    assert (got.text, got.reasoning, got.finish_reason, got.usage) == EXPECTED[name]


@given(NAMES, st.lists(st.integers(0, 6000), max_size=20))
def test_any_cut_gives_the_same_deltas(name: str, cuts: list[int]) -> None:
    assert read(*pieces_of(recording(name), cuts)).deltas == read(recording(name)).deltas


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_byte_by_byte(name: str) -> None:
    body = recording(name)
    assert read(*(body[at : at + 1] for at in range(len(body)))).deltas == read(body).deltas


@given(NAMES, st.integers(0, 6000))
def test_a_stream_that_ends_early_keeps_its_text_and_says_so(name: str, end: int) -> None:
    got = read(recording(name)[:end])
    text, reasoning, finish_reason, _ = EXPECTED[name]
    assert text.startswith(got.text)
    assert reasoning.startswith(got.reasoning)
    if got.error is None:
        assert (got.text, got.reasoning, got.finish_reason) == (text, reasoning, finish_reason)
    else:
        assert got.error.trouble is Trouble.BROKEN
        assert got.finish_reason is None


@given(st.binary(max_size=200), st.lists(st.integers(0, 200)))
def test_no_bytes_raise_anything_but_provider_errors(body: bytes, cuts: list[int]) -> None:
    assert read(*pieces_of(body, cuts)).error is not None


@given(NAMES, st.binary(max_size=40), st.integers(0, 6000))
def test_nor_do_bytes_in_the_middle_of_a_stream(name: str, junk: bytes, at: int) -> None:
    body = recording(name)
    got = read(body[:at] + junk + body[at:])
    assert got.error is not None or got.finish_reason is not None


def test_what_came_before_the_trouble_in_the_same_piece_is_kept() -> None:
    got = read(piece("Kept") + event(b"{bad json") + piece("lost", "stop"))
    assert got.text == "Kept"
    assert got.sentence == "box sent something that can't be read: ask again."


def test_an_event_named_error_is_one_whatever_it_holds() -> None:
    got = read(piece("Kept") + b'event: error\ndata: {"message": "out of memory"}\n\n')
    assert (got.text, got.sentence) == (
        "Kept",
        "box stopped with an error: try again. It said: “out of memory”",
    )


def test_done_without_text_is_no_reply() -> None:
    assert read(DONE).sentence == "box closed the connection without a reply: try again."


def test_a_body_of_another_kind_is_not_kept_without_end() -> None:
    assert "can't be read" in read(*[b"[" * (1 << 20)] * 40).sentence


@pytest.mark.parametrize("depth", [100_000])
def test_json_too_deep_to_parse_is_garbled(depth: int) -> None:
    assert "can't be read" in read(event(b"[" * depth)).sentence
