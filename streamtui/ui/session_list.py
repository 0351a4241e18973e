"""SessionList: the saved sessions, newest first, to open one."""

import asyncio
import time

from rich.cells import cell_len, set_cell_size
from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from streamtui.session import SessionSummary
from streamtui.store import Store, StoreError
from streamtui.ui.clean_input import CleanInput
from streamtui.ui.panel import ListPanel

MOST = 1_000
"""Sessions listed at most."""


class SessionList(ListPanel):
    """Ends with the id of the session picked, or with "" when left."""

    def __init__(self, store: Store, current: str) -> None:
        super().__init__(classes="tall")
        self._store = store
        self._current = current
        self._summaries: list[SessionSummary] = []

    def compose(self) -> ComposeResult:
        """A filter above the list."""
        with Vertical(id="panel"):
            yield CleanInput(placeholder="Filter by title or model", id="filter")
            yield Static(id="hint", markup=False)
            yield OptionList(id="sessions", markup=False)

    def on_mount(self) -> None:
        """Fills the list."""
        self.name_panel("Sessions", "enter open · esc leave")
        self.hint("")
        self.load()

    @work(exclusive=True)
    async def load(self) -> None:
        """Reads the list from the disk."""
        try:
            self._summaries = await asyncio.wrap_future(self._store.sessions(MOST))
        except StoreError as error:
            self.hint(str(error))
            return
        if not self._summaries:
            self.hint("Nothing is saved yet: sessions appear here with their first prompt.")
        self.show(self.query_one("#filter", Input).value)

    @on(Input.Changed, "#filter")
    def filter(self, event: Input.Changed) -> None:
        """Shows the sessions whose title or model has every word of the filter."""
        self.show(event.value)

    def on_resize(self) -> None:
        """Fits the lines to the width."""
        self.call_after_refresh(lambda: self.show(self.query_one("#filter", Input).value))

    def show(self, text: str) -> None:
        """Fills the list."""
        words = text.casefold().split()
        fitting = [
            summary
            for summary in self._summaries
            if all(word in f"{summary.title} {summary.model}".casefold() for word in words)
        ]
        self.options.clear_options()
        width = max(20, self.options.scrollable_content_region.width)
        self.options.add_options(Option(self._line(summary, width), id=summary.id) for summary in fitting)
        if fitting:
            self.options.highlighted = 0

    def _line(self, summary: SessionSummary, width: int) -> Content:
        facts = f"{age(summary.updated):>10}"
        if width >= 50:
            facts = f"{summary.messages:>5} message{' ' if summary.messages == 1 else 's'}{facts}"
        if width >= 76:
            facts = f"{set_cell_size(summary.model, 20)}{facts}"
        mark = "● " if summary.id == self._current else "  "
        title = set_cell_size(mark + (summary.title or "untitled"), max(8, width - cell_len(facts) - 2))
        return Content.assemble(title, "  ", (facts, "dim"))


def age(moment: float, now: float | None = None) -> str:
    """Returns how long ago `moment` (seconds since the epoch) was, in a word or two."""
    seconds = max(0.0, (time.time() if now is None else now) - moment)
    if seconds < 60:
        return "now"
    for size, unit, most in ((60, "min", 60), (3600, "h", 24), (86_400, "d", 14)):
        if seconds < size * most:
            return f"{int(seconds // size)} {unit} ago"
    return time.strftime("%Y-%m-%d", time.localtime(moment))
