"""StatusBar: which server and model, what it is doing, how fast, what it costs, how much of the context is used."""

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
"""Seconds without data after which the bar says so."""
FULL = 0.8
"""Part of the window from which the bar warns."""

Part = tuple[str, str]
_SIGNS = {
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
    """One line at the bottom. When it gets narrow, the least needed parts go first."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._styles = StyleTable(self)

    endpoint: reactive[str] = reactive("")
    model: reactive[str] = reactive("")
    progress: reactive[Progress] = reactive(Progress, always_update=True)
    context: reactive[Count] = reactive(Count(0, True))
    window: reactive[int | None] = reactive(None)
    """Tokens that the model takes in; None: nobody says."""
    cost: reactive["Cost | None"] = reactive(None)
    """What the session cost until now; None: nobody knows."""
    may_cost: reactive[bool] = reactive(True)
    """Whether a reply whose price is unknown may cost something."""
    warning: reactive[str] = reactive("")
    """Why sessions can't be saved at the moment; empty: they are."""

    external_changes: reactive[str] = reactive("")
    """What other windows have added to the session shown."""
    needs_key: reactive[bool] = reactive(False)
    """Whether the server wants a key and there is none."""
    search_status: reactive[str] = reactive("")
    """How a search goes."""
    mode: reactive[str] = reactive("")
    """Where letters are commands, and how to leave; "" while they are written."""
    link: reactive[str] = reactive("")
    """Something to read in place of all but a reply under way, such as where a link leads."""

    def render_line(self, y: int) -> Strip:
        """Paints the bar."""
        width = self.size.width
        mode = [(f" {self.mode} ", "mode"), (" ", "")] if self.mode else []
        left, right = [*mode, *self._left()], self._right()
        while right and _length(left) + _length(right) + 2 > width:
            right.pop(0)
        room = max(1, width - _length(left) - _length(right) - 2)
        parts = [(" ", ""), *left, (" " * room, ""), *right, (" ", "")]
        segments = [Segment(text, self._styles[name]) for text, name in parts]
        return Strip(segments).adjust_cell_length(width, self._styles[""])

    def notify_style_update(self) -> None:
        """Makes the styles again."""
        super().notify_style_update()
        self._styles.clear()

    def _left(self) -> list[Part]:
        state = _state(self.progress)
        if said := self.link or self.search_status:
            return [state, ("  ", ""), (said, "name")] if self.progress.running else [(said, "name")]
        parts = [state, ("  ", ""), (self.model or "no model yet", "name")]
        parts.append((f"  {self.endpoint}", ""))
        troubles = filter(None, [self.warning, "no key" if self.needs_key else ""])
        news = [(f"  {self.external_changes}", "name")] if self.external_changes else []
        return [*parts, *news, *((f"  {trouble}", "trouble") for trouble in troubles)]

    def _right(self) -> list[Part]:
        """Least needed first: elapsed, first token, speed, size, cost, context."""
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
        return [*parts, *self._costs(), self._used()]

    def _costs(self) -> list[Part]:
        """Of the session, then of the reply. Where nothing is paid, nothing is said."""
        usage, parts = self.progress.reply_usage, []
        if self.cost is not None and self.cost.dollars:
            parts.append((f"  session {self.cost}", ""))
        if usage is not None and usage.cost is None and self.may_cost:
            parts.append(("  reply $?", ""))
        elif usage is not None and usage.cost:
            from streamtui.core.pricing import Cost

            parts.append((f"  reply {Cost(usage.cost, estimated=usage.cost_estimated)}", ""))
        return parts

    def _used(self) -> Part:
        if not self.window:
            return f"  {self.context} tokens", ""
        used = self.context.tokens / self.window
        return f"  {self.context.short} / {rounded(self.window)} ({used:.0%})", "full" if used > FULL else ""


def _state(progress: Progress) -> Part:
    """Returns what a conversation is doing: the first part of the bar, and the last to be cut."""
    if progress.silence >= SILENCE:
        return f"{_SIGNS[State.WAITING]} no data for {progress.silence:.0f} s", str(State.WAITING)
    return f"{_SIGNS[progress.state]} {_words(progress)}", str(progress.state)


def _words(progress: Progress) -> str:
    """Returns what a conversation is doing, and how long it has been, or will be."""
    times = f" ({progress.attempt} of {progress.retries})" if progress.attempt else ""
    match progress.state:
        case State.CONNECTING | State.WAITING | State.SUMMARIZING:
            return f"{progress.state} {progress.waiting:.0f} s{times}"
        case State.RETRYING:
            return f"{progress.reason}, again in {ceil(progress.retry_in)} s{times}"
        case state:
            return str(state)


def _length(parts: list[Part]) -> int:
    return sum(cell_len(text) for text, _ in parts)
