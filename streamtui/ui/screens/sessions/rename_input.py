"""The input that edits a session's title in place."""

from dataclasses import dataclass

from textual import message
from textual.geometry import Offset
from textual.widgets import Input

from streamtui.core.session import SessionSummary
from streamtui.ui.widgets.clean_input import CleanInput


class RenameInput(CleanInput):
    """An input above a row of the list. Enter renames the session; keys that move away cancel."""

    BINDINGS = [("escape,up,down,tab,pageup,pagedown", "leave")]
    DEFAULT_CSS = """
    RenameInput {
        position: absolute;
        border: none;
        height: 1;
        padding: 0 1;
        background: $panel;
        &:focus { border: none; }
    }
    """

    @dataclass
    class Ended(message.Message):
        """Editing has ended with a new `title`, or "" if canceled."""

        session: SessionSummary
        title: str

    def __init__(self, session: SessionSummary, place: Offset, width: int) -> None:
        super().__init__(session.title, select_on_focus=False)
        self._session = session
        self.styles.offset = place
        self.styles.width = width

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Rename the session."""
        event.stop()
        self.post_message(self.Ended(self._session, event.value))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Keep the screen from treating the title as a search."""
        event.stop()

    def action_leave(self) -> None:
        """Cancel."""
        self.post_message(self.Ended(self._session, ""))
