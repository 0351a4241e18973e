"""LinePainter: a line of the flow as a strip: its bar, its text, what is selected or found in it, the scrollbar."""

from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Offset
from textual.selection import Selection
from textual.strip import Strip

from streamtui.core.message import Role
from streamtui.core.sanitize import clean_line
from streamtui.core.styled_text import Run
from streamtui.ui.transcript.entry import Section, Spot
from streamtui.ui.transcript.find import Finder
from streamtui.ui.transcript.flow import Flow, Place
from streamtui.ui.transcript.overlay import Span, overlay
from streamtui.ui.transcript.paint import CODE_PADDING, Look, Painter
from streamtui.ui.transcript.selection import Bounds, Point, address, span_in
from streamtui.ui.transcript.targets import Target, with_letters

if TYPE_CHECKING:
    from textual.widget import Widget

_NOTHING: list[Run] = []
_BLANK: Run = ("  ", "")


class LinePainter:
    """Paints lines for a widget; everything that can look different from line to line is an attribute."""

    def __init__(self, widget: "Widget", flow: Flow) -> None:
        self._flow = flow
        self._painter = Painter(widget)
        self.width = 0
        """Cells of a line, the scrollbar included."""
        self.thumb = range(0)
        """Rows of the view where the scrollbar's thumb stands."""
        self.selection: Bounds | None = None
        self.finder: Finder | None = None
        """What is searched for; every place it stands in is marked."""
        self.letters: dict[str, Target] = {}
        """What the letters on the screen stand for."""
        self.greeting: list[list[Run]] = []
        """What an empty conversation shows."""
        self.shift = 0
        """Cells that cut code is moved to the left."""
        self.cursor: int | None = None
        """The entry the user walked to."""

    def reset(self) -> None:
        """Forgets everything, for another conversation."""
        self.cursor, self.shift, self.letters = None, 0, {}
        self.clear()

    def clear(self) -> None:
        """Forgets all that depends on theme, width or content."""
        self._painter.clear()

    def paint(self, line: int, y: int) -> Strip:
        """Returns `line` of the flow for row `y` of the view."""
        edge = self._edge(y)
        width = self.width
        place = self._flow.at(line)
        if place is None and not self._flow.entries and 0 < line <= len(self.greeting):
            return self._painter.build([_BLANK], self.greeting[line - 1], Look("", width, edge))
        if place is None:
            return self._painter.strip(("blank", edge), _NOTHING, (), Look("", width, edge))
        bar = self._bar(place)
        if place.spot is None:
            return self._painter.strip(("gap", bar, edge), _NOTHING, [bar], Look("", width, edge))
        return self._line(place, place.spot, bar, edge)

    def _line(self, place: Place, spot: Spot, bar: Run, edge: Run) -> Strip:
        block = spot.block
        start, runs = block.line(spot.line)
        prefix = [self._letter(place) or bar, *block.prefix(spot.line)]
        base = f"thought {block.base}" if spot.section is Section.THOUGHT else block.base
        shift = self.shift if block.kind == "code" else 0
        marked = self._marked(place, spot, start, runs)
        tag = clean_line(str(getattr(block, "language", ""))) if spot.line == 0 else ""
        look = Look(base, self.width, edge, shift, tag)
        if marked is runs:
            return self._painter.strip((id(block), spot.line, bar, edge), runs, prefix, look)
        return self._painter.build(prefix, marked, look)

    def _marked(self, place: Place, spot: Spot, start: int, runs: list[Run]) -> list[Run]:
        length = sum(len(text) for text, _ in runs)
        if self.finder is not None and self.finder.is_searching:
            entry = self._flow.entries[place.entry]
            hits = self.finder.spans(spot.block, self._flow.growth if entry.growing or entry.is_parsing else 0)
            if inside := _within(hits, start, length):
                runs = overlay(runs, inside, "match")
        if self.selection is not None:
            span = span_in(self.selection, address(place.entry, spot.section, spot.number))
            if span is not None and (part := _within([span], start, length)):
                runs = overlay(runs, part, "selected")
        if self.letters:
            line = self._flow.top(place.entry) + place.line
            labels = [
                (target.at, letter) for letter, target in self.letters.items() if target.line == line and target.url
            ]
            runs = with_letters(runs, labels) if labels else runs
        return runs

    def _letter(self, place: Place) -> Run | None:
        """The letter of a code block, which stands left of it."""
        if not self.letters:
            return None
        line = self._flow.top(place.entry) + place.line
        letter = next((key for key, target in self.letters.items() if target.line == line and target.code), "")
        return (f"{letter:<2}", "hint") if letter else None

    def whole_block(self, place: Place) -> Selection:
        """Returns the selection of the block at `place`."""
        assert place.spot is not None
        y = address(place.entry, place.spot.section, place.spot.number)
        return Selection(Offset(0, y), Offset(len(place.spot.block.plain()), y))

    def located(self, line: int) -> Strip:
        """Returns `line` with its address and characters in the segments' meta."""
        width = self.width
        place = self._flow.at(line)
        if place is None or place.spot is None:
            return self._located_gap(line)
        spot = place.spot
        start, runs = spot.block.line(spot.line)
        prefix = "".join(text for text, _ in [_BLANK, *spot.block.prefix(spot.line)])
        if spot.block.kind == "code":
            prefix += CODE_PADDING
        meta = Style.from_meta({"offset": (start, address(place.entry, spot.section, spot.number))})
        text = "".join(text for text, _ in runs)
        # A segment even where there is no text, so that dragging over an empty line finds a place.
        return Strip([Segment(prefix), Segment(text or " ", meta)]).adjust_cell_length(width)

    def _located_gap(self, line: int) -> Strip:
        """Return a line without text: a selection that ends there ends with the text above."""
        end = self.end_of(line)
        if end is None:
            return Strip.blank(self.width)
        meta = Style.from_meta({"offset": (end[1], end[0])})
        return Strip([Segment(" ", meta)]).adjust_cell_length(self.width)

    def start_of(self, line: int) -> Point | None:
        """Return where the text of `line` starts; for a line without text, where the text above ends."""
        place = self._flow.at(line)
        if place is None or place.spot is None:
            return self.end_of(line)
        spot = place.spot
        return address(place.entry, spot.section, spot.number), spot.block.line(spot.line)[0]

    def end_of(self, line: int) -> Point | None:
        """Return where the last text at or above `line` ends; None where there is none."""
        for above in range(min(line, self._flow.total - 1), -1, -1):
            place = self._flow.at(above)
            if place is not None and place.spot is not None:
                spot = place.spot
                start = spot.block.line(spot.line)[0]
                return address(place.entry, spot.section, spot.number), start + len(spot.text)
        return None

    def badge(self, y: int, lines: int, new: bool) -> Strip:
        """Returns the line that says how much is below the view."""
        text = f" ▼ {lines:,} {'new ' if new else ''}{'line' if lines == 1 else 'lines'} below · ctrl+end "
        width = self.width
        room = max(0, (width - 1 - len(text)) // 2)
        return self._painter.build([(" " * room, ""), (text, "badge")], (), Look("", width, self._edge(y)))

    def _edge(self, y: int) -> Run:
        return ("█", "thumb") if y in self.thumb else (" ", "")

    def _bar(self, place: Place) -> Run:
        entry = self._flow.entries[place.entry]
        if place.line == entry.height - 1 or place.line < entry.begin:
            return _BLANK
        if place.entry == self.cursor:
            return ("▌ ", "cursor-bar")
        if place.entry < self._flow.first_sent:
            return ("┊ ", "faint")
        return ("▎ ", "user-bar") if entry.message.role is Role.USER else _BLANK


def _within(spans: list[Span], start: int, length: int) -> list[Span]:
    """Returns the parts of `spans` (in characters of the block) that lie in a line, in characters of the line."""
    inside = []
    for first, end in spans:
        a, b = max(0, first - start), length if end == -1 else min(length, end - start)
        if a < b:
            inside.append((a, b))
    return inside
