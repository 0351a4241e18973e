"""Tokens per second: the same figure in `ask --timing`, `time` and the app."""

import time

import pytest

from streamtui.ask.comparison import plot, table
from streamtui.ask.stream_timing import StreamTiming, figures
from streamtui.core.message import Delta, Message, Role, Timing, Usage
from streamtui.core.progress import Progress

WAIT, STREAMING, TOKENS = 8.0, 2.0, 100


def measured(*, first: float, streaming: float) -> StreamTiming:
    """The figures of a reply of 100 tokens that began after `first` seconds."""
    speed = StreamTiming(time.monotonic() - first - streaming)
    speed.record(Delta("x"))
    reply = Message(Role.ASSISTANT, "x", usage=Usage(10, TOKENS), timing=Timing(first, first, first + streaming))
    speed.finish(reply)
    return speed


def test_the_wait_for_the_first_token_does_not_count() -> None:
    speed = measured(first=WAIT, streaming=STREAMING)
    assert dict(figures(speed))["tokens per second"] == "50.0"


def test_the_app_shows_the_same_speed() -> None:
    app = Progress(asked=1.0, sent=1.0, first=1.0 + WAIT, text=1.0 + WAIT, last=1.0 + WAIT + STREAMING)
    app.usage = Usage(10, TOKENS)
    assert measured(first=WAIT, streaming=STREAMING).tokens_per_second == pytest.approx(app.tokens_per_second)


def test_the_plot_of_a_reply_ends_full() -> None:
    streamed, whole = measured(first=0.384, streaming=1.816), measured(first=2.173, streaming=0.001)
    assert [line[-1] for line in plot(streamed, whole)[:2]] == ["█", "█"]


def test_a_reply_that_arrived_in_one_piece_has_no_speed() -> None:
    streamed, whole = measured(first=WAIT, streaming=STREAMING), measured(first=WAIT + STREAMING, streaming=0.001)
    assert table(streamed, whole)[-1].split() == ["tokens", "per", "second", "50.0", "-"]
