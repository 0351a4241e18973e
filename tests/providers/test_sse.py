"""Server-sent events: every line end, every cut, and what a hostile server may send."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtui.providers.sse import Event, SSEDecoder, SSEError
from tests.support.provider_requests import pieces_of

LINES = st.sampled_from(
    [
        *(
            b"data: a",
            b"data:b",
            b"data",
            b"data:  c",
            b"",
            b": comment",
            b":",
            b"event: ping",
            b"event:error",
        ),
        *(
            b"id: 1",
            b"retry: 5",
            b"data: \xff\xfe",
            "data: はい🚀".encode(),
            b"unknown: x",
            b"datab: y",
            b" data: z",
        ),
        b"data: a\x85b\x0cc",
    ]
)
BODIES = st.lists(st.tuples(LINES, st.sampled_from([b"\n", b"\r", b"\r\n"])), max_size=30)


def decode(*pieces: bytes, limit: int = 1 << 20) -> list[Event]:
    decoder = SSEDecoder(limit)
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return events + decoder.finish()


@given(BODIES, st.sampled_from([b"", b"\xef\xbb\xbf"]), st.lists(st.integers(0, 400)))
def test_any_cut_gives_the_same_events(lines: list[tuple[bytes, bytes]], mark: bytes, cuts: list[int]) -> None:
    body = mark + b"".join(line + end for line, end in lines)
    assert decode(*pieces_of(body, cuts)) == decode(body)


@given(st.binary(max_size=300), st.lists(st.integers(0, 300)))
def test_any_bytes_are_read_whatever_the_cut(body: bytes, cuts: list[int]) -> None:
    assert decode(*pieces_of(body, cuts)) == decode(body)


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])), min_size=1))
def test_what_is_sent_is_what_comes(texts: list[str]) -> None:
    body = "".join(f"data: {text}\n\n" for text in texts).encode()
    assert [event.data for event in decode(body)] == texts


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_lines_end_in_three_ways(end: str) -> None:
    body = f"event: x{end}data: 1{end}data: 2{end}{end}data: 3{end}{end}".encode()
    assert decode(body) == [Event("1\n2", "x"), Event("3")]


def test_an_event_comes_with_its_last_line_end_even_if_that_is_cut() -> None:
    decoder = SSEDecoder()
    assert decoder.feed(b"data: 1\r\n\r") == [Event("1")]
    assert decoder.feed(b"\ndata: 2\r\n\r\n") == [Event("2")]


def test_a_name_does_not_outlive_its_event() -> None:
    assert decode(b"event: ping\n\ndata: 1\n\n") == [Event("1")]


def test_an_event_without_a_blank_line_after_it_comes_at_the_end() -> None:
    assert decode(b"data: 1\n\ndata: 2") == [Event("1"), Event("2")]


def test_one_leading_space_is_taken_off() -> None:
    assert decode(b"data:  two\n\ndata:none\n\n") == [Event(" two"), Event("none")]


@pytest.mark.parametrize("line", [b"data: ", b"data: 1\ndata: ", b"x"])
def test_an_endless_event_is_refused(line: bytes) -> None:
    decoder = SSEDecoder(1000)
    decoder.feed(line)
    for _ in range(9):
        decoder.feed(b"a" * 100)
    with pytest.raises(SSEError):
        decoder.feed(b"a" * 100)


def test_keep_alives_are_not_held_against_the_server() -> None:
    decoder = SSEDecoder(1000)
    for _ in range(1000):
        assert decoder.feed(b": still here\n\n") == []
    assert decoder.feed(b"data: 1\n\n") == [Event("1")]
