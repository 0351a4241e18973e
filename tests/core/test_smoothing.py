"""A pace smooths bursts: everything is shown, in order, and never more than 5 % later than it came."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from streamtui.core.message import Delta
from streamtui.core.smoothing import DELAY, SmoothedStream, Smoother

TEXTS = st.builds(Delta, st.text("abc", max_size=40), st.text("xyz", max_size=40))
GAPS = st.floats(0, 20)
PACES = st.floats(0.5, 5000)


def written(deltas: list[Delta]) -> tuple[str, str]:
    """The text and the reasoning of all of `deltas`."""
    return "".join(delta.text for delta in deltas), "".join(delta.reasoning for delta in deltas)


def length(deltas: list[Delta]) -> int:
    """Characters of text and reasoning."""
    return sum(map(len, written(deltas)))


@given(PACES, st.lists(st.tuples(GAPS, TEXTS), max_size=30))
def test_all_of_it_is_shown_in_order_and_in_time(pace: float, pieces: list[tuple[float, Delta]]) -> None:
    pacer, shown, now = Smoother(pace), list[Delta](), 0.0
    came: list[tuple[float, int]] = []
    for gap, delta in pieces:
        then = now + gap
        while (wait := pacer.wait(now)) is not None and now + wait <= then:
            now = max(now + wait, now + 1e-6)
            shown += pacer.due(now)
            in_time(came, shown, now)
        now = then
        pacer.add(delta, now)
        came.append((now, length([delta])))
        shown += pacer.due(now)
        in_time(came, shown, now)
    shown += pacer.rest()
    assert written(shown) == written([delta for _, delta in pieces])
    assert pacer.wait(now) is None


def in_time(came: list[tuple[float, int]], shown: list[Delta], now: float) -> None:
    """Fails if something is not shown that should have been."""
    due = [size for at, size in came if at * (1 + DELAY) <= now]
    assert length(shown) >= sum(due)


@given(PACES, st.lists(TEXTS, min_size=1, max_size=10), st.floats(1, 100))
def test_it_is_no_faster_than_the_pace_unless_it_would_be_late(pace: float, burst: list[Delta], at: float) -> None:
    pacer = Smoother(pace)
    for delta in burst:
        pacer.add(delta, at)
    assert length(pacer.due(at)) <= 1
    later = at * (1 + DELAY / 2)
    assert length(pacer.due(later)) <= 1 + (later - at) * pace


def test_a_burst_is_spread_over_what_may_be_held_back() -> None:
    pacer = Smoother(100)
    pacer.add(Delta("x" * 1000), 100.0)
    sizes = [length(pacer.due(100 + tick / 10)) for tick in range(51)]
    assert all(9 <= size <= 11 for size in sizes[1:50])
    assert sizes[50] > 490, "and the rest is due"
    assert sum(sizes) == 1000


def test_a_notice_goes_with_its_piece() -> None:
    pacer = Smoother(10)
    pacer.add(Delta("abcdefghij", notice="Mind."), 10.0)
    shown = [*pacer.due(10.0), *pacer.due(10.2), *pacer.rest()]
    assert [delta.notice for delta in shown if delta.notice] == ["Mind."]


async def test_a_view_without_a_pace_shows_at_once() -> None:
    shown: list[Delta] = []
    view = SmoothedStream(shown.append, None, lambda: 0.0)
    view.add(Delta("abc"))
    assert shown == [Delta("abc")]
    view.finish()
    assert shown == [Delta("abc")]


async def test_a_view_shows_bit_by_bit_and_the_rest_at_the_end() -> None:
    sent = asyncio.get_running_loop().time() - 1000
    changed = asyncio.Event()
    shown: list[Delta] = []

    def show(delta: Delta) -> None:
        shown.append(delta)
        changed.set()

    view = SmoothedStream(show, 200, lambda: sent)
    view.add(Delta("x" * 500))
    while len(shown) < 4:
        await changed.wait()
        changed.clear()
    assert 0 < length(shown) < 500
    view.finish()
    assert length(shown) == 500
    assert len(asyncio.all_tasks()) == 1
