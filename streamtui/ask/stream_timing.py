"""StreamTiming: when the pieces of one reply came, and what that makes: first text, gaps, total, tokens a second."""

import time
from dataclasses import dataclass, field

from streamtui.core.message import Delta, Message
from streamtui.tokens import Count, size_of, tokens_in


@dataclass(slots=True)
class StreamTiming:
    """The times of a reply, in seconds since its request."""

    sent: float
    """When the request was made, on the monotonic clock."""
    pieces: list[tuple[float, int]] = field(default_factory=list)
    """When each piece with text or reasoning came, and how many bytes it has."""
    text: float | None = None
    """When the first text came; None: none did."""
    total: float = 0.0
    tokens: Count = field(default_factory=lambda: Count(0, True))
    """Of the reply."""
    tokens_per_second: float | None = None
    """After the first token, as in the app; None where that can't be measured, as for a reply that came whole."""

    def note(self, delta: Delta) -> float:
        """Notes a piece, and returns when it came."""
        now = time.monotonic() - self.sent
        size = size_of(delta.text) + size_of(delta.reasoning)
        if size:
            self.pieces.append((now, size))
        if delta.text_was_reasoning:
            self.text = None
        if delta.text and self.text is None:
            self.text = now
        return now

    def end(self, reply: Message) -> None:
        """Notes the end."""
        self.total = time.monotonic() - self.sent
        if reply.usage is not None and reply.usage.completion_tokens:
            self.tokens = Count(reply.usage.completion_tokens, not reply.usage.estimated)
        else:
            self.tokens = Count(tokens_in(sum(size for _, size in self.pieces)), False)
        if reply.timing is not None:
            self.tokens_per_second = reply.timing.tokens_per_second(self.tokens.tokens)

    @property
    def mean_gap(self) -> float | None:
        """Seconds between two pieces; None for fewer than two."""
        if len(self.pieces) < 2:
            return None
        return (self.pieces[-1][0] - self.pieces[0][0]) / (len(self.pieces) - 1)


def summary(speed: StreamTiming) -> list[str]:
    """Returns the figures of one reply, a line each."""
    return [f"{name:<21}{value}" for name, value in figures(speed)]


def figures(speed: StreamTiming) -> list[tuple[str, str]]:
    """Returns the name and the value of every figure."""
    rate = speed.tokens_per_second
    mark = "" if speed.tokens.exact else "~"
    return [
        ("time to first text", _seconds(speed.text)),
        ("mean gap", _seconds(speed.mean_gap)),
        ("total", _seconds(speed.total)),
        ("pieces", f"{len(speed.pieces):,}"),
        ("tokens", str(speed.tokens)),
        ("tokens per second", "-" if rate is None else f"{mark}{rate:.1f}"),
    ]


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f} s" if value >= 0.0995 else f"{value * 1000:.1f} ms"
