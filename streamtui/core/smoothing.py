"""Show a reply that arrives in bursts at an even pace, without making it take longer."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from streamtui.core.message import Delta

DELAY = 0.05
"""Longest delay, as a fraction of the time since the request was sent."""
TICK = 1 / 30
"""Longest interval between updates, in seconds."""


class Smoother:
    """Delays text to smooth bursts. Has no clock of its own: times are seconds since the request was sent.

    A delta that arrived after `t` seconds is due after ``t * (1 + DELAY)`` at the latest, whatever the pace: the end
    of a reply that took a minute may be delayed by three seconds, its beginning hardly at all.
    """

    def __init__(self, pace: float) -> None:
        """`pace`: characters a second, above 0."""
        self._pace = pace
        self._held: deque[tuple[float, Delta]] = deque()
        self._allowed = 0.0
        self._looked = 0.0

    def add(self, delta: Delta, now: float) -> None:
        """Add a delta that arrived `now`."""
        if not self._held:
            self._allowed, self._looked = 1.0, now  # no credit for time without text
        self._held.append((now * (1 + DELAY), delta))

    def due(self, now: float) -> list[Delta]:
        """Return the deltas to show `now`, in order; one may be split."""
        self._allowed += max(0.0, now - self._looked) * self._pace
        self._looked = max(self._looked, now)
        shown: list[Delta] = []
        while self._held:
            latest, delta = self._held[0]
            size = len(delta.text) + len(delta.reasoning)
            if latest > now and size > self._allowed:
                break
            self._held.popleft()
            self._allowed = max(0.0, self._allowed - size)
            shown.append(delta)
        if self._held and self._allowed >= 1:
            shown.append(self._begin_next(int(self._allowed)))
        return shown

    def _begin_next(self, size: int) -> Delta:
        """Remove and return `size` characters of the first delta."""
        latest, delta = self._held[0]
        self._allowed -= size
        thought, text = delta.reasoning[:size], delta.text[: max(0, size - len(delta.reasoning))]
        rest = replace(delta, text=delta.text[len(text) :], reasoning=delta.reasoning[len(thought) :])
        self._held[0] = latest, replace(rest, text_was_reasoning=False)
        return Delta(text, thought, text_was_reasoning=delta.text_was_reasoning)

    def wait(self, now: float) -> float | None:
        """Return the seconds until something is due; None if nothing is held back."""
        if not self._held:
            return None
        next_one = max(TICK, (1 - self._allowed) / self._pace)
        return max(0.0, min(self._held[0][0] - now, next_one))

    def rest(self) -> list[Delta]:
        """Return everything held back, at the end of the reply."""
        rest = [delta for _, delta in self._held]
        self._held.clear()
        return rest


class SmoothedStream:
    """Passes the deltas of a reply to `show` at an even pace, on the running event loop."""

    def __init__(self, show: Callable[[Delta], None], pace: float | None, sent: Callable[[], float]) -> None:
        """`pace`: characters per second; None: as they arrive. `sent`: when the request was sent (monotonic)."""
        self._show = show
        self._pacer = Smoother(pace) if pace else None
        self._sent = sent
        self._timer: asyncio.TimerHandle | None = None

    def add(self, delta: Delta) -> None:
        """Add a delta and show what is due."""
        if self._pacer is None:
            self._show(delta)
        else:
            self._pacer.add(delta, self._now())
            self._tick()

    def finish(self) -> None:
        """Show the rest at once, as the reply has ended."""
        if self._timer is not None:
            self._timer.cancel()
        for delta in self._pacer.rest() if self._pacer is not None else ():
            self._show(delta)

    def _now(self) -> float:
        return time.monotonic() - self._sent()

    def _tick(self) -> None:
        assert self._pacer is not None
        if self._timer is not None:
            self._timer.cancel()
        for delta in self._pacer.due(self._now()):
            self._show(delta)
        wait = self._pacer.wait(self._now())
        self._timer = None if wait is None else asyncio.get_running_loop().call_later(wait, self._tick)
