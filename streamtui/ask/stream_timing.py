"""Timing of a streamed reply: first text, gaps between deltas, total and tokens per second."""

import time
from dataclasses import dataclass, field

from streamtui.core.message import Delta, Message
from streamtui.tokens import Count, size_of, tokens_in


@dataclass(slots=True)
class StreamTiming:
    """Times of a reply in seconds since its request."""

    sent: float
    """Time of the request on the monotonic clock."""
    deltas: list[tuple[float, int]] = field(default_factory=list)
    """Time and size in bytes of each delta with text or reasoning."""
    text: float | None = None
    """Time of the first text; None: no text."""
    total: float = 0.0
    tokens: Count = field(default_factory=lambda: Count(0, True))
    """Tokens of the reply."""
    tokens_per_second: float | None = None
    """Rate after the first token; None if unknown, as for a reply that wasn't streamed."""

    def record(self, delta: Delta) -> float:
        """Record a delta and return its time."""
        now = time.monotonic() - self.sent
        size = size_of(delta.text) + size_of(delta.reasoning)
        if size:
            self.deltas.append((now, size))
        if delta.text_was_reasoning:
            self.text = None
        if delta.text and self.text is None:
            self.text = now
        return now

    def finish(self, reply: Message) -> None:
        """Record the end of the reply."""
        self.total = time.monotonic() - self.sent
        if reply.usage is not None and reply.usage.completion_tokens:
            self.tokens = Count(reply.usage.completion_tokens, not reply.usage.estimated)
        else:
            self.tokens = Count(tokens_in(sum(size for _, size in self.deltas)), False)
        if reply.timing is not None:
            self.tokens_per_second = reply.timing.tokens_per_second(self.tokens.tokens)

    @property
    def mean_gap(self) -> float | None:
        """Mean seconds between deltas; None for fewer than two."""
        if len(self.deltas) < 2:
            return None
        return (self.deltas[-1][0] - self.deltas[0][0]) / (len(self.deltas) - 1)


def summary(timing: StreamTiming) -> list[str]:
    """Return the lines of a summary."""
    return [f"{name:<21}{value}" for name, value in figures(timing)]


def figures(timing: StreamTiming) -> list[tuple[str, str]]:
    """Return the name and value of each figure."""
    rate = timing.tokens_per_second
    mark = "" if timing.tokens.exact else "~"
    return [
        ("time to first text", _seconds(timing.text)),
        ("mean gap", _seconds(timing.mean_gap)),
        ("total", _seconds(timing.total)),
        ("deltas", f"{len(timing.deltas):,}"),
        ("tokens", str(timing.tokens)),
        ("tokens per second", "-" if rate is None else f"{mark}{rate:.1f}"),
    ]


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f} s" if value >= 0.0995 else f"{value * 1000:.1f} ms"
