"""HelpScreen: the keys, grouped by the place where they work."""

from rich.console import Group
from rich.table import Table
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from streamtui.keys import KEYS, keys_of
from streamtui.ui.panel import Panel

_PLACES = {
    "prompt": "In the prompt",
    "chat": "Anywhere",
    "models": "In the list of models",
}


class HelpScreen(Panel[None]):
    """Lists every key with what it does."""

    BINDINGS = [("escape,f1,q,enter", "dismiss", "leave")]

    def compose(self) -> ComposeResult:
        """One scrolling text."""
        with VerticalScroll(id="panel"):
            yield Static(self._tables(), id="keys")

    def on_mount(self) -> None:
        """Names the panel."""
        self.name_panel("Keys", "esc leave")
        self.query_one("#panel").focus()

    def _tables(self) -> Group:
        places = dict.fromkeys(key.place for key in KEYS)
        return Group(*(self._table(place) for place in places), "Moving and editing in the prompt: as in any editor.")

    def _table(self, place: str) -> Table:
        variables = self.app.theme_variables
        table = Table(box=None, show_edge=False, pad_edge=False, expand=True, title_justify="left")
        table.add_column(
            _PLACES.get(place, place), style=variables["accent"], header_style=f"bold {variables['primary']}"
        )
        table.add_column("", ratio=2)
        for key in keys_of(place):
            table.add_row(key.shown, key.does)
        table.add_row("", "")
        return table
