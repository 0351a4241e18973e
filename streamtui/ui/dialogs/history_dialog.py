"""HistoryDialog: the prompts of all sessions, to search and ask again."""

import asyncio

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from streamtui.core.search_query import Query
from streamtui.storage import Store, StoreError
from streamtui.ui.dialogs.dialog import ListDialog
from streamtui.ui.widgets.clean_input import CleanInput

MOST = 100
"""Prompts listed at most."""


class HistoryDialog(ListDialog):
    """Ends with the text of the prompt picked, or with "" when left."""

    BINDINGS = [("ctrl+r", "move(1)")]

    def __init__(self, store: Store) -> None:
        super().__init__(classes="tall")
        self._store = store
        self._prompts: list[str] = []

    def compose(self) -> ComposeResult:
        """A filter above the list."""
        with Vertical(id="dialog"):
            yield CleanInput(placeholder="Search what you have asked before", id="filter")
            yield Static(id="hint", markup=False)
            yield OptionList(id="prompts", markup=False)

    def on_mount(self) -> None:
        """Fills the list."""
        self.set_title("Earlier prompts", "enter insert", "ctrl+r older", "esc leave")
        self.load("")

    @on(Input.Changed, "#filter")
    def filter(self, event: Input.Changed) -> None:
        """Looks for what is written so far."""
        self.load(event.value)

    @work(exclusive=True)
    async def load(self, words: str) -> None:
        """Lists the newest prompts with the words."""
        try:
            self._prompts = await asyncio.wrap_future(self._store.prompts(words, MOST))
        except StoreError as error:
            self.hint(str(error))
            return
        self.hint("" if self._prompts else f"No prompt has “{words}”." if words else "Nothing was asked yet.")
        self.options.clear_options()
        query = Query(words)
        self.options.add_options(Option(line_of(text, query), id=str(at)) for at, text in enumerate(self._prompts))
        if self._prompts:
            self.options.highlighted = 0

    def pick(self, option_id: str) -> None:
        """Ends with the prompt of the line picked."""
        self.dismiss(self._prompts[int(option_id)])


def line_of(text: str, query: Query) -> Content:
    """Returns a prompt as one line, with the words marked."""
    line = query.excerpt(text)
    content = Content(line)
    for start, end in query.spans(line):
        content = content.stylize("bold $warning", start, end)
    return content
