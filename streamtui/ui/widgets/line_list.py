"""A list of single-line rows that renders only the visible ones."""

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
    """A list that never has the focus: the screen binds its keys, so that an input can keep the focus.

    Adding 10,000 rows to Textual's OptionList takes 0.5 s; here it takes no time.
    """

    can_focus = False
    DEFAULT_CSS = """
    LineList { overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 0; }
    """

    class Highlighted(message.Message):
        """The highlight has moved to another row, or there is none."""

    class Opened(message.Message):
        """The highlighted row was double-clicked."""

    class NearEnd(message.Message):
        """The view is close to the last row."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.rows: Sequence[Any] = []
        self.highlighted = -1
        """Index of the highlighted row, or -1."""
        self._styles = StyleTable(self)
        self._posted: object = None

    def runs(self, row: Any, width: int) -> Sequence[Run]:
        """Return the styled text of `row` in `width` cells."""
        raise NotImplementedError

    def is_selectable(self, at: int) -> bool:
        """Return whether row `at` can be highlighted."""
        return True

    def index_of(self, row: Any) -> int:
        """Return the index of a row from before an update, or -1."""
        return next((at for at, other in enumerate(self.rows) if other == row), -1)

    @property
    def row(self) -> Any:
        """The highlighted row, or None."""
        return self.rows[self.highlighted] if 0 <= self.highlighted < len(self.rows) else None

    def show(self, rows: Sequence[Any], at: int | None = None) -> None:
        """Show `rows` and highlight the row nearest to `at`; None keeps the same row highlighted."""
        before = self.row
        self._set_rows(rows)
        if at is None:
            same = -1 if before is None else self.index_of(before)
            at = max(0, self.highlighted) if same < 0 else same
        self._highlight(self._nearest(at), scroll=True)

    def add(self, rows: Sequence[Any]) -> None:
        """Show `rows`, which only has new rows at the end."""
        self._set_rows(rows)
        self.refresh()

    def _set_rows(self, rows: Sequence[Any]) -> None:
        self.rows = rows
        # Bypasses the watcher, which would lay out the whole screen: 7 ms for every letter typed.
        self.set_reactive(Widget.virtual_size, Size(self.size.width, len(rows)))

    def _nearest(self, at: int) -> int:
        """Return the first selectable row from `at` on, else the last one before it, else -1."""
        after = (i for i in range(at, len(self.rows)) if self.is_selectable(i))
        before = (i for i in range(min(at, len(self.rows)) - 1, -1, -1) if self.is_selectable(i))
        return next(after, next(before, -1))

    # Navigation

    def move(self, by: int) -> None:
        """Move the highlight by `by` selectable rows."""
        at = self.highlighted
        for _ in range(abs(by)):
            ahead = range(at + 1, len(self.rows)) if by > 0 else range(at - 1, -1, -1)
            at = next((i for i in ahead if self.is_selectable(i)), at)
        self._highlight(at, scroll=True)

    def page(self, by: int) -> None:
        """Move the highlight by `by` pages."""
        self.move(by * max(1, self.size.height - 1))

    def to_top(self) -> None:
        """Highlight the first row."""
        self._highlight(self._nearest(0), scroll=True)

    def to_end(self) -> None:
        """Highlight the last row."""
        self._highlight(self._nearest(len(self.rows)), scroll=True)

    def _highlight(self, at: int, *, scroll: bool) -> None:
        self.highlighted = at
        if scroll and at >= 0:
            self._scroll_into_view(at)
        self.refresh()
        if self.row != self._posted:
            self._posted = self.row
            self.post_message(self.Highlighted())
        self._check_end()

    def _scroll_into_view(self, at: int) -> None:
        """Scroll to row `at` and a heading above it."""
        top = at if not at or self.is_selectable(at - 1) else at - 1
        height, y = self.size.height, int(self.scroll_y)
        if top < y:
            self.scroll_to(y=top, animate=False)
        elif height and at >= y + height:
            self.scroll_to(y=at - height + 1, animate=False)

    def _check_end(self) -> None:
        height = self.size.height
        if len(self.rows) - max(self.highlighted, int(self.scroll_y) + height) < 2 * height:
            self.post_message(self.NearEnd())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Request more rows near the end."""
        super().watch_scroll_y(old_value, new_value)
        self._check_end()

    def on_resize(self, event: events.Resize) -> None:
        """Keep the highlighted row in view."""
        self._set_rows(self.rows)
        if self.highlighted >= 0:
            self._scroll_into_view(self.highlighted)
        self.refresh()

    async def _on_click(self, event: events.Click) -> None:
        """Highlight a clicked row, or scroll to a clicked position of the scrollbar."""
        event.stop()
        at = int(self.scroll_y) + event.y
        if event.x >= self.size.width - 1:
            self.scroll_to(y=event.y / max(1, self.size.height - 1) * self.max_scroll_y, animate=False)
        elif at < len(self.rows) and self.is_selectable(at):
            self._highlight(at, scroll=False)
            self.handle_click(event)

    def handle_click(self, event: events.Click) -> None:
        """Open the highlighted row on a double click."""
        if event.chain == 2:
            self.post_message(self.Opened())

    # Rendering

    def render_line(self, y: int) -> Strip:
        """Render a row."""
        at, width = int(self.scroll_y) + y, self.size.width - 1
        if at >= len(self.rows):
            return Strip.blank(width + 1, self._styles[""])
        base = "chosen " if at == self.highlighted else ""
        segments = [Segment(text, self._styles[f"{base}{names}"]) for text, names in self.runs(self.rows[at], width)]
        edge = Segment("█" if self._is_thumb(y) else " ", self._styles["thumb"])
        return Strip([*Strip(segments).adjust_cell_length(width, self._styles[base]), edge])

    def _is_thumb(self, y: int) -> bool:
        """Return whether the scrollbar's thumb covers row `y` of the view."""
        height, total = self.size.height, len(self.rows)
        if total <= height:
            return False
        length = max(1, height * height // total)
        top = round((height - length) * self.scroll_y / (total - height))
        return top <= y < top + length

    def notify_style_update(self) -> None:
        """Clear the cached styles."""
        super().notify_style_update()
        self._styles.clear()
