"""Dialog: a box over the chat; its layout is read only when the first one opens."""

from collections.abc import Sequence
from typing import TypeVar

from textual import events, on
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static

from streamtui.ui.bindings import bindings_of
from streamtui.ui.widgets.text_fit import BORDER_CELLS, fit_hints
from streamtui.ui.working_screen import WorkingScreen

Result = TypeVar("Result")

NARROW = 60
"""Cells of the terminal below which panels say less."""


class Dialog(WorkingScreen[Result], ModalScreen[Result]):
    """What every panel looks like: a titled box named ``panel``, perhaps with a filter, a list and a hint in it."""

    BINDINGS = [*bindings_of("chat", "suspend", priority=True), ("f1", "app.show_keys")]
    DEFAULT_CSS = """
    Dialog {
        align: center middle;
        background: $background 60%;

        #dialog {
            width: 90%;
            max-width: 104;
            height: auto;
            max-height: 85%;
            border: round $border;
            border-title-color: $primary;
            border-title-style: bold;
            border-subtitle-color: $foreground 60%;
            background: $surface;
            padding: 0 1;
            scrollbar-size-vertical: 1;
            scrollbar-color: $foreground 30%;
            scrollbar-background: $surface;
        }
        &.tall #dialog { height: 85%; }
        Input { border: none; height: 1; margin: 0 0 1 0; background: $panel; &:focus { border: none; } }
        OptionList {
            border: none;
            height: auto;
            max-height: 100%;
            background: $surface;
            padding: 0;
            scrollbar-size-vertical: 1;
            scrollbar-color: $foreground 30%;
            scrollbar-background: $surface;
            &:focus { border: none; }
        }
        &.tall OptionList { height: 1fr; }
        #hint { height: auto; color: $warning; margin: 0 2 1 2; }
    }
    .low Dialog #dialog { width: 100%; height: 100%; max-height: 100%; overflow-y: auto; }
    .low Dialog #hint { margin: 0 2; }
    .low Dialog OptionList { height: 1fr; }
    """
    SCOPED_CSS = False  # else the rules for low terminals, which begin at the app, never hold

    _key_hints: Sequence[str] = ()

    def set_title(self, title: str, *keys: str) -> None:
        """Write the title above the box and its keys below: the most important first, the way out last."""
        self._key_hints = keys
        self.query_one("#dialog").border_title = Content(title)  # text of models is no markup
        self.call_after_refresh(self._show_keys)

    @on(events.Resize)
    def fit_keys(self) -> None:
        """Show the keys that there is room for."""
        self.call_after_refresh(self._show_keys)

    def _show_keys(self) -> None:
        for panel in self.query("#dialog"):  # none, once the screen is closed
            panel.border_subtitle = Content(fit_hints(self._key_hints, panel.outer_size.width - BORDER_CELLS))

    def hint(self, text: str) -> None:
        """Says something above the list; "" says nothing."""
        hint = self.query_one("#hint", Static)
        hint.display = bool(text)
        hint.update(Content(text))
        if text:
            hint.scroll_visible(animate=False)


class ListDialog(Dialog[str]):
    """A filter above a list. Ends with the id of the line picked, or with "" when left."""

    BINDINGS = [("escape", "dismiss('')", "leave"), ("up", "move(-1)"), ("down", "move(1)")]

    @property
    def options(self) -> OptionList:
        """The list."""
        return self.query_one(OptionList)

    @property
    def highlighted_id(self) -> str:
        """The id of the line highlighted, or ""."""
        at = self.options.highlighted
        return "" if at is None else self.options.get_option_at_index(at).id or ""

    def action_move(self, by: int) -> None:
        """Moves the highlight while the filter keeps the focus."""
        if by < 0:
            self.options.action_cursor_up()
        else:
            self.options.action_cursor_down()

    def on_input_submitted(self) -> None:
        """Picks what is highlighted."""
        if self.highlighted_id:
            self.pick(self.highlighted_id)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Picks what was clicked."""
        self.pick(event.option_id or "")

    def pick(self, option_id: str) -> None:
        """Ends with the line picked."""
        self.dismiss(option_id)
