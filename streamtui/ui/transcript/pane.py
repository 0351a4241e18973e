"""Transcript: the conversation pane as the user reads it: selecting, copying, unfolding, links."""

from textual import events
from textual.selection import Selection

from streamtui.ui.transcript.entry import Section
from streamtui.ui.transcript.selecting import Bounds, text_between
from streamtui.ui.transcript.view import TranscriptView


class Transcript(TranscriptView):
    """The conversation pane."""

    ALLOW_SELECT = True
    # Selecting

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Returns the selected text as it was written."""
        text = text_between(self.flow, _bounds(selection))
        return (text, "\n") if text else None

    def selection_updated(self, selection: Selection | None) -> None:
        """Paints what is selected."""
        self.lines.selection = None if selection is None else _bounds(selection)
        self.refresh()

    # The mouse

    async def _on_click(self, event: events.Click) -> None:
        """Unfolds reasoning."""
        event.stop()
        event.prevent_default()  # Widget's own handler would select everything at a double click.
        place = self.flow.at(int(self.scroll_y) + event.y)
        if place is not None and place.spot is not None:
            spot = place.spot
            if spot.section is Section.THOUGHT and spot.index == 0:
                self.toggle(place.entry)

    def toggle(self, index: int) -> None:
        """Folds or unfolds the reasoning of entry `index`."""
        self.flow.entries[index].toggle()
        self.flow.exact(index)
        self.settle()


def _bounds(selection: Selection) -> Bounds:
    start, end = selection
    return (None if start is None else (start.y, start.x)), (None if end is None else (end.y, end.x))
