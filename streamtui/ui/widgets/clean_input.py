"""CleanInput: a line to write in that nothing pasted into can drive the terminal."""

from textual import events
from textual.widgets import Input

from streamtui.core.sanitize import clean_line


class CleanInput(Input):
    """An input whose pastes are cleaned."""

    def _on_paste(self, event: events.Paste) -> None:
        event.text = clean_line(event.text)
