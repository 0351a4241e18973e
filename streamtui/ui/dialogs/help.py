"""The keys, grouped by the place where they work."""

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from streamtui.commands import PLACES, Command
from streamtui.ui.dialogs.dialog import Dialog

NARROW = 70
"""Width in cells below which descriptions go below their keys."""


class HelpScreen(Dialog[None]):
    """Lists all keys with what they do."""

    BINDINGS = [("escape,f1,q,enter", "dismiss", "close")]

    def __init__(self, table: tuple[Command, ...]) -> None:
        super().__init__()
        self._keys = table

    def compose(self) -> ComposeResult:
        """Lay out one scrolling text."""
        with VerticalScroll(id="dialog"):
            yield Static(self._tables(), id="keys")

    def on_mount(self) -> None:
        """Set the title."""
        self.set_title("Keys", "esc close")
        self.query_one("#dialog").focus()

    def _tables(self) -> Group:
        places = dict.fromkeys(key.where for key in self._keys)
        return Group(*(self._table(place) for place in places), "Moving and editing in the prompt: as in any editor.")

    def _of(self, place: str) -> list[Command]:
        return [key for key in self._keys if key.where == place]

    def _stacked(self, place: str) -> Text:
        """Return the keys of a place one below another, for narrow terminals."""
        variables = self.app.theme_variables
        text = Text(f"{PLACES.get(place, place)}\n", style=f"bold {variables['primary']}")
        for key in self._of(place):
            text.append(f"{key.shown_keys}\n", f"not bold {variables['accent']}")
            text.append(f"  {key.description}\n", f"not bold {variables['foreground']}")
        return text

    def _table(self, place: str) -> Table | Text:
        variables = self.app.theme_variables
        if self.app.size.width < NARROW:
            return self._stacked(place)
        table = Table(box=None, show_edge=False, pad_edge=False, expand=True, title_justify="left")
        table.add_column(
            PLACES.get(place, place), style=variables["accent"], header_style=f"bold {variables['primary']}"
        )
        table.add_column("", ratio=2)
        for key in self._of(place):
            table.add_row(key.shown_keys, key.description)
        table.add_row("", "")
        return table
