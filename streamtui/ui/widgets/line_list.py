"""LineList: rows of one line each to walk through, however many there are; painted only where they are in view."""

from collections.abc import Sequence
from typing import Any

from rich.segment import Segment
from textual import events, message
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from streamtui.core.styled_text import Run
from streamtui.ui.styles import StyleTable
from streamtui.ui.widgets.line_cache import CachedLines


class LineList(CachedLines, ScrollView):
    """A list without the focus: its keys come from the screen, so that words can be typed meanwhile.

    10,000 rows in Textual's OptionList take 0.5 s to put in; here they take none.
    """

    can_focus = False
    DEFAULT_CSS = """
    LineList { overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 0; }
    """

    class Highlighted(message.Message):
        """Another row is highlighted, or none."""

    class Opened(message.Message):
        """The user wants the highlighted row."""

    class NearEnd(message.Message):
        """The end of the rows is near."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.rows: Sequence[Any] = []
        self.highlighted = -1
        """Which row is highlighted; -1 where there is none."""
        self._styles = StyleTable(self)
        self._told: object = None

    def runs(self, row: Any, width: int) -> Sequence[Run]:
        """Returns what `row` looks like in `width` cells."""
        raise NotImplementedError

    def is_selectable(self, at: int) -> bool:
        """Whether row `at` is more than a heading."""
        return True

    def index_of(self, row: Any) -> int:
        """Where `row` of earlier rows stands now; -1 where it does not."""
        return next((at for at, other in enumerate(self.rows) if other == row), -1)

    @property
    def row(self) -> Any:
        """The row that is highlighted; None where there is none."""
        return self.rows[self.highlighted] if 0 <= self.highlighted < len(self.rows) else None

    def show(self, rows: Sequence[Any], at: int | None = None) -> None:
        """Shows `rows`, with row `at` highlighted, or the one nearest to it; None: the same one as before."""
        before = self.row
        self._take(rows)
        if at is None:
            same = -1 if before is None else self.index_of(before)
            at = max(0, self.highlighted) if same < 0 else same
        self._highlight(self._nearest(at), scroll=True)

    def add(self, rows: Sequence[Any]) -> None:
        """Shows `rows`, which are those from before and more at the end."""
        self._take(rows)
        self.refresh()

    def _take(self, rows: Sequence[Any]) -> None:
        self.rows = rows
        # Past the watcher: it would lay the whole screen out again, 7 ms for every letter typed.
        self.set_reactive(Widget.virtual_size, Size(self.size.width, len(rows)))

    def _nearest(self, at: int) -> int:
        """The row at or behind `at` that can be highlighted, else the last one before it; -1 for none."""
        after = (i for i in range(at, len(self.rows)) if self.is_selectable(i))
        before = (i for i in range(min(at, len(self.rows)) - 1, -1, -1) if self.is_selectable(i))
        return next(after, next(before, -1))

    # Walking

    def move(self, by: int) -> None:
        """Moves the highlight by so many rows that can have it."""
        at = self.highlighted
        for _ in range(abs(by)):
            way = range(at + 1, len(self.rows)) if by > 0 else range(at - 1, -1, -1)
            at = next((i for i in way if self.is_selectable(i)), at)
        self._highlight(at, scroll=True)

    def page(self, by: int) -> None:
        """Moves the highlight by pages."""
        self.move(by * max(1, self.size.height - 1))

    def to_top(self) -> None:
        """Highlights the first row."""
        self._highlight(self._nearest(0), scroll=True)

    def to_end(self) -> None:
        """Highlights the last row."""
        self._highlight(self._nearest(len(self.rows)), scroll=True)

    def _highlight(self, at: int, *, scroll: bool) -> None:
        self.highlighted = at
        if scroll and at >= 0:
            self._bring_into_view(at)
        self.refresh()
        if self.row != self._told:
            self._told = self.row
            self.post_message(self.Highlighted())
        self._ask_for_more()

    def _bring_into_view(self, at: int) -> None:
        """Scrolls to row `at`, with the heading above it."""
        top = at if not at or self.is_selectable(at - 1) else at - 1
        height, y = self.size.height, int(self.scroll_y)
        if top < y:
            self.scroll_to(y=top, animate=False)
        elif height and at >= y + height:
            self.scroll_to(y=at - height + 1, animate=False)

    def _ask_for_more(self) -> None:
        height = self.size.height
        if len(self.rows) - max(self.highlighted, int(self.scroll_y) + height) < 2 * height:
            self.post_message(self.NearEnd())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Scrolls, and asks for more rows where the end comes near."""
        super().watch_scroll_y(old_value, new_value)
        self._ask_for_more()

    def on_resize(self, event: events.Resize) -> None:
        """Keeps the highlight in view."""
        self._take(self.rows)
        if self.highlighted >= 0:
            self._bring_into_view(self.highlighted)
        self.refresh()

    async def _on_click(self, event: events.Click) -> None:
        """Highlights what is clicked, opens it by two clicks; in the scrollbar, goes there."""
        event.stop()
        at = int(self.scroll_y) + event.y
        if event.x >= self.size.width - 1:
            self.scroll_to(y=event.y / max(1, self.size.height - 1) * self.max_scroll_y, animate=False)
        elif at < len(self.rows) and self.is_selectable(at):
            self._highlight(at, scroll=False)
            self.handle_click(event)

    def handle_click(self, event: events.Click) -> None:
        """Opens the highlighted row at the second click."""
        if event.chain == 2:
            self.post_message(self.Opened())

    # Painting

    def render_line(self, y: int) -> Strip:
        """Paints a row."""
        at, width = int(self.scroll_y) + y, self.size.width - 1
        if at >= len(self.rows):
            return Strip.blank(width + 1, self._styles[""])
        base = "chosen " if at == self.highlighted else ""
        segments = [Segment(text, self._styles[f"{base}{names}"]) for text, names in self.runs(self.rows[at], width)]
        edge = Segment("█" if self._is_thumb(y) else " ", self._styles["thumb"])
        return Strip([*Strip(segments).adjust_cell_length(width, self._styles[base]), edge])

    def _is_thumb(self, y: int) -> bool:
        """Whether the scrollbar's thumb stands in row `y` of the view."""
        height, total = self.size.height, len(self.rows)
        if total <= height:
            return False
        length = max(1, height * height // total)
        top = round((height - length) * self.scroll_y / (total - height))
        return top <= y < top + length

    def notify_style_update(self) -> None:
        """Makes the styles again."""
        super().notify_style_update()
        self._styles.clear()
