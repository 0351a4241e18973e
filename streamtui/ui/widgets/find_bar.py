"""The find bar: a search field for the conversation."""

from dataclasses import dataclass

from textual import message
from textual.widgets import Input

from streamtui.ui.widgets.clean_input import CleanInput


class FindBar(CleanInput):
    """A search field above the prompt. Enter and down go to the next match, up to the previous one; esc closes it."""

    BINDINGS = [("down", "step(1)"), ("up", "step(-1)")]
    DEFAULT_CSS = """
    FindBar { border: none; height: 1; background: $panel; padding: 0 2; &:focus { border: none; } }
    """

    @dataclass
    class QueryChanged(message.Message):
        """The query has changed."""

        query: str

    @dataclass
    class Stepped(message.Message):
        """The user wants the next (1) or the previous (-1) match."""

        by: int

    def __init__(self) -> None:
        super().__init__(placeholder="Find in conversation (enter: next, up/down, esc: close)", id="find")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search for the text typed so far."""
        event.stop()
        self.post_message(self.QueryChanged(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go to the next match."""
        event.stop()
        self.post_message(self.Stepped(1))

    def action_step(self, by: int) -> None:
        """Go to another match."""
        self.post_message(self.Stepped(by))
