"""Comparison of a streamed and a non-streamed reply, as a table and a plot."""

from collections.abc import Sequence
from math import ceil

from streamtui.ask.stream_timing import StreamTiming, figures

_EIGHTHS = " ▁▂▃▄▅▆▇█"
PLOT_WIDTH = 60
"""Default width in cells."""


def table(streamed: StreamTiming, unstreamed: StreamTiming) -> list[str]:
    """Return the lines of a table with the figures of both replies."""
    rows = [("", "streamed", "at once")]
    rows += [
        (name, left, right) for (name, left), (_, right) in zip(figures(streamed), figures(unstreamed), strict=True)
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return [f"{name:<{widths[0]}}  {left:>{widths[1]}}  {right:>{widths[2]}}".rstrip() for name, left, right in rows]


def plot(streamed: StreamTiming, unstreamed: StreamTiming, width: int = PLOT_WIDTH) -> list[str]:
    """Return the lines of a plot of received text over time, both replies at the same scale."""
    longest = max(streamed.total, unstreamed.total) or 1.0
    lines = [
        f"{name:<10}{_line(timing, longest, width)}"
        for name, timing in (("streamed", streamed), ("at once", unstreamed))
    ]
    scale = f"{'':<10}0 s{longest:>{max(1, width - 5)}.1f} s"
    return [*lines, scale]


def _line(timing: StreamTiming, longest: float, width: int) -> str:
    size = sum(length for _, length in timing.deltas) or 1
    cells = [
        _EIGHTHS[round(8 * _received(timing.deltas, longest * (cell + 1) / width) / size)] for cell in range(width)
    ]
    end = min(width, max(1, ceil(width * timing.total / longest)))  # the last cell shows the complete reply
    return "".join(cells[:end])


def _received(deltas: Sequence[tuple[float, int]], moment: float) -> int:
    return sum(size for at, size in deltas if at <= moment)
