"""The dialog that searches the prompts of all sessions."""

import asyncio

from textual import work
from textual.content import Content
from textual.widgets.option_list import Option

from streamtui.core.search_query import Query
from streamtui.storage import Store, StoreError
from streamtui.ui.dialogs.dialog import ListDialog

LIMIT = 100
"""Maximum number of prompts listed."""


class HistoryDialog(ListDialog):
    """Return the text of a prompt."""

    BINDINGS = [("ctrl+r", "move(1)")]
    PLACEHOLDER = "Search prompt history"

    def __init__(self, store: Store) -> None:
        super().__init__(classes="tall")
        self._store = store
        self._prompts: list[str] = []

    def on_mount(self) -> None:
        """Fill the list."""
        self.set_title("Prompt history", "enter insert", "ctrl+r older", "esc close")
        self.update_options()

    def update_options(self) -> None:
        """List the newest prompts that match the filter."""
        self.load(self.filter_text)

    @work(exclusive=True)
    async def load(self, words: str) -> None:
        """List the newest prompts with `words`."""
        try:
            self._prompts = await asyncio.wrap_future(self._store.prompts(words, LIMIT))
        except StoreError as error:
            self.show_hint(str(error))
            return
        self.show_hint("" if self._prompts else f"No prompts match “{words}”." if words else "No prompts yet.")
        query = Query(words)
        rows = (Option(_row(text, query), id=str(at)) for at, text in enumerate(self._prompts))
        self.options.clear_options().add_options(rows)
        if self._prompts:
            self.options.highlighted = 0

    def pick(self, option_id: str) -> None:
        """Close with the picked prompt."""
        self.dismiss(self._prompts[int(option_id)])


def _row(text: str, query: Query) -> Content:
    """Return a prompt as one line with the matches highlighted."""
    line = query.excerpt(text)
    content = Content(line)
    for start, end in query.spans(line):
        content = content.stylize("bold $warning", start, end)
    return content
