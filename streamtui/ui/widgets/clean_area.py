"""CleanArea: lines to write in that nothing pasted into can drive the terminal."""

from textual import events
from textual.widgets import TextArea

from streamtui.core.sanitize import clean


class CleanArea(TextArea):
    """A text area whose pastes are cleaned."""

    BINDINGS = [("ctrl+underscore", "undo", "undo typing")]  # ctrl+z suspends the program

    async def _on_paste(self, event: events.Paste) -> None:
        event.text = clean(event.text.replace("\r\n", "\n").replace("\r", "\n"))
