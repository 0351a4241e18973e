"""Comparison: what streaming buys: one request asked both ways, as a table and as a small plot."""

from collections.abc import Sequence
from math import ceil

from streamtui.ask.stream_timing import StreamTiming, figures

_EIGHTHS = " ▁▂▃▄▅▆▇█"
PLOT_WIDTH = 60
"""Cells of the longer reply."""


def table(streamed: StreamTiming, whole: StreamTiming) -> list[str]:
    """Returns the figures of both side by side."""
    rows = [("", "streamed", "whole")]
    rows += [(name, left, right) for (name, left), (_, right) in zip(figures(streamed), figures(whole), strict=True)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return [f"{name:<{widths[0]}}  {left:>{widths[1]}}  {right:>{widths[2]}}".rstrip() for name, left, right in rows]


def plot(streamed: StreamTiming, whole: StreamTiming, width: int = PLOT_WIDTH) -> list[str]:
    """Returns how much of the reply was there at every moment, one line each, both at the same scale of time."""
    longest = max(streamed.total, whole.total) or 1.0
    lines = [f"{name:<10}{_line(speed, longest, width)}" for name, speed in (("streamed", streamed), ("whole", whole))]
    scale = f"{'':<10}0 s{longest:>{max(1, width - 5)}.1f} s"
    return [*lines, scale]


def _line(speed: StreamTiming, longest: float, width: int) -> str:
    size = sum(piece for _, piece in speed.pieces) or 1
    cells = [_EIGHTHS[round(8 * _arrived(speed.pieces, longest * (cell + 1) / width) / size)] for cell in range(width)]
    end = min(width, max(1, ceil(width * speed.total / longest)))  # the last cell has all of it
    return "".join(cells[:end])


def _arrived(pieces: Sequence[tuple[float, int]], moment: float) -> int:
    return sum(size for at, size in pieces if at <= moment)
