"""Text fields that remove control characters from pasted text, so that no paste can drive the terminal."""

from textual import events
from textual.widgets import Input, TextArea

from streamtui.core.sanitize import clean, clean_line


class CleanInput(Input):
    """A single-line input with sanitized pastes."""

    def _on_paste(self, event: events.Paste) -> None:
        event.text = clean_line(event.text)


class CleanTextArea(TextArea):
    """A text area with sanitized pastes."""

    BINDINGS = [("ctrl+underscore", "undo", "Undo typing")]  # ctrl+z suspends the program

    async def _on_paste(self, event: events.Paste) -> None:
        event.text = clean(event.text.replace("\r\n", "\n").replace("\r", "\n"))
