"""FindBar: the line in which the user says what to find in the conversation."""

from dataclasses import dataclass

from textual import message
from textual.widgets import Input

from streamtui.ui.widgets.clean_input import CleanInput


class FindBar(CleanInput):
    """A line above the prompt. Enter goes to the next hit, up and down from hit to hit, esc ends the search."""

    BINDINGS = [("down", "step(1)"), ("up", "step(-1)")]
    DEFAULT_CSS = """
    FindBar { border: none; height: 1; background: $panel; padding: 0 2; &:focus { border: none; } }
    """

    @dataclass
    class QueryChanged(message.Message):
        """The user wants to see where `query` stands."""

        query: str

    @dataclass
    class Stepped(message.Message):
        """The user wants the next hit (1) or the one before (-1)."""

        by: int

    def __init__(self) -> None:
        super().__init__(placeholder="Find in the conversation: enter next, up and down, esc leave", id="find")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Looks for what is written so far."""
        event.stop()
        self.post_message(self.QueryChanged(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Goes to the next hit."""
        event.stop()
        self.post_message(self.Stepped(1))

    def action_step(self, by: int) -> None:
        """Goes from hit to hit."""
        self.post_message(self.Stepped(by))
