"""The status bar: state, model, endpoint, speed, cost and context usage."""

from math import ceil
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from streamtui.core.progress import Progress, State
from streamtui.tokens import Count, rounded
from streamtui.ui.styles import StyleTable
from streamtui.ui.widgets.line_cache import CachedLines

if TYPE_CHECKING:
    from streamtui.core.pricing import Cost

SILENCE = 2.0
"""Seconds without data after which the bar reports it."""
FULL = 0.8
"""Fraction of the context window above which the bar warns."""

Part = tuple[str, str]
_ICONS = {
    State.READY: "●",
    State.CONNECTING: "◌",
    State.WAITING: "◌",
    State.RETRYING: "↻",
    State.SUMMARIZING: "◌",
    State.STREAMING: "●",
    State.STOPPED: "■",
    State.FAILED: "✖",
}


class StatusBar(CachedLines, Widget):
    """One line at the bottom of the screen. On a narrow screen the least important parts are hidden first."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._styles = StyleTable(self)

    endpoint: reactive[str] = reactive("")
    model: reactive[str] = reactive("")
    progress: reactive[Progress] = reactive(Progress, always_update=True)
    context: reactive[Count] = reactive(Count(0, True))
    window: reactive[int | None] = reactive(None)
    """Size of the context window in tokens; None if unknown."""
    cost: reactive["Cost | None"] = reactive(None)
    """Cost of the session so far; None if unknown."""
    may_cost: reactive[bool] = reactive(True)
    """False if replies are certainly free even without a known price."""
    warning: reactive[str] = reactive("")
    """A warning such as ``not saved``."""

    external_changes: reactive[str] = reactive("")
    """What other windows have added to the session."""
    needs_key: reactive[bool] = reactive(False)
    """True if the endpoint needs an API key that is missing."""
    search_status: reactive[str] = reactive("")
    """The status of a search, such as ``3 of 12``."""
    mode: reactive[str] = reactive("")
    """The mode in which letters are commands, and how to leave it; "" while letters are typed."""
    link: reactive[str] = reactive("")
    """The address of the link under the mouse, shown in place of model and endpoint."""

    def render_line(self, y: int) -> Strip:
        """Render the bar."""
        width = self.size.width
        mode = [(f" {self.mode} ", "mode"), (" ", "")] if self.mode else []
        left, right = [*mode, *self._left()], self._right()
        while right and _length(left) + _length(right) + 2 > width:
            right.pop(0)
        gap = max(1, width - _length(left) - _length(right) - 2)
        parts = [(" ", ""), *left, (" " * gap, ""), *right, (" ", "")]
        segments = [Segment(text, self._styles[name]) for text, name in parts]
        return Strip(segments).adjust_cell_length(width, self._styles[""])

    def notify_style_update(self) -> None:
        """Clear the cached styles."""
        super().notify_style_update()
        self._styles.clear()

    def _left(self) -> list[Part]:
        state = _state(self.progress)
        if override := self.link or self.search_status:
            return [state, ("  ", ""), (override, "name")] if self.progress.running else [(override, "name")]
        extras = (
            (self.external_changes, "name"),
            (self.warning, "trouble"),
            ("no API key" if self.needs_key else "", "trouble"),
        )
        parts = [state, ("  ", ""), (self.model or "no model", "name"), (f"  {self.endpoint}", "")]
        return [*parts, *((f"  {text}", style) for text, style in extras if text)]

    def _right(self) -> list[Part]:
        """Return the least important part first: elapsed, first token, speed, size, cost, context."""
        progress, parts = self.progress, []
        first, count = progress.timing.first, progress.reply_count
        if first is not None:
            parts.append((f"  {progress.elapsed:.1f} s", ""))
            parts.append((f"  first token {first:.2f} s", ""))
            if (speed := progress.tokens_per_second) is not None and progress.silence < SILENCE:
                parts.append((f"  {'' if count.exact else '~'}{speed:.0f} tok/s", ""))
        if count.tokens:
            before = progress.usage_before
            times = f" in {before.requests + 1} requests" if before is not None else ""
            parts.append((f"  reply {count}{times}", ""))
        return [*parts, *self._costs(), self._context_usage()]

    def _costs(self) -> list[Part]:
        """Return the cost of the session, then of the reply; nothing if they are free."""
        usage, parts = self.progress.reply_usage, []
        if self.cost is not None and self.cost.dollars:
            parts.append((f"  session {self.cost}", ""))
        if usage is not None and usage.cost is None and self.may_cost:
            parts.append(("  reply $?", ""))
        elif usage is not None and usage.cost:
            from streamtui.core.pricing import Cost

            parts.append((f"  reply {Cost(usage.cost, estimated=usage.cost_estimated)}", ""))
        return parts

    def _context_usage(self) -> Part:
        if not self.window:
            return f"  {self.context} tokens", ""
        used = self.context.tokens / self.window
        return f"  {self.context.short} / {rounded(self.window)} ({used:.0%})", "full" if used > FULL else ""


def _state(progress: Progress) -> Part:
    """Return the state of the conversation, which is the first part of the bar and the last to be cut."""
    if progress.silence >= SILENCE:
        return f"{_ICONS[State.WAITING]} no data for {progress.silence:.0f} s", str(State.WAITING)
    return f"{_ICONS[progress.state]} {_describe(progress)}", str(progress.state)


def _describe(progress: Progress) -> str:
    """Return the state, how long it has lasted, and when the next retry is due."""
    times = f" ({progress.attempt} of {progress.retries})" if progress.attempt else ""
    match progress.state:
        case State.CONNECTING | State.WAITING | State.SUMMARIZING:
            return f"{progress.state} {progress.waiting:.0f} s{times}"
        case State.RETRYING:
            return f"{progress.reason}, retrying in {ceil(progress.retry_in)} s{times}"
        case state:
            return str(state)


def _length(parts: list[Part]) -> int:
    return sum(cell_len(text) for text, _ in parts)
