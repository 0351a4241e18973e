"""RenameInput: the title of a session, to be changed in its place in the list."""

from dataclasses import dataclass

from textual import message
from textual.geometry import Offset
from textual.widgets import Input

from streamtui.core.session import SessionSummary
from streamtui.ui.widgets.clean_input import CleanInput


class RenameInput(CleanInput):
    """A line over the list. Enter renames, everything that leads away leaves the title as it is."""

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
        """The session shall be called `title`; "" for what it is called now."""

        session: SessionSummary
        title: str

    def __init__(self, session: SessionSummary, place: Offset, width: int) -> None:
        super().__init__(session.title, select_on_focus=False)
        self._session = session
        self.styles.offset = place
        self.styles.width = width

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Ends with what is written."""
        event.stop()
        self.post_message(self.Ended(self._session, event.value))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Keeps it from the search."""
        event.stop()

    def action_leave(self) -> None:
        """Ends without a change."""
        self.post_message(self.Ended(self._session, ""))
