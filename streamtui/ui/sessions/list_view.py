"""SessionsList: the rows as a list to walk through, which paints only what is in view."""

from dataclasses import dataclass

from rich.segment import Segment
from textual import events, message
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from streamtui.session import SessionSummary
from streamtui.ui.kept import KeptLines
from streamtui.ui.sessions.row_lines import Look, runs_of
from streamtui.ui.sessions.rows import Heading, Row, session_of
from streamtui.ui.styles import StyleTable


class SessionsList(KeptLines, ScrollView):
    """Sessions, hits and headings. It never has the focus: the keys come from the screen, while words are typed."""

    can_focus = False
    DEFAULT_CSS = """
    SessionsList {
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 0;
    }
    """

    @dataclass
    class Highlighted(message.Message):
        """Another row is highlighted, or none."""

        row: Row | None

    class Opened(message.Message):
        """The user wants the highlighted row."""

    class Wanting(message.Message):
        """The end of the rows is near."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.rows: list[Row] = []
        self.highlighted = -1
        """Which row is highlighted; -1 where there is none."""
        self.look = Look()
        self.marked: dict[str, SessionSummary] = {}
        """The sessions that are marked, by id."""
        self._styles = StyleTable(self)
        self._told: Row | None = None

    @property
    def row(self) -> Row | None:
        """The row that is highlighted."""
        return self.rows[self.highlighted] if 0 <= self.highlighted < len(self.rows) else None

    def show(self, rows: list[Row], at: int | None = None) -> None:
        """Shows `rows`, with row `at` highlighted, or the one nearest to it; None: the same one as before."""
        before = self.row
        self._take(rows)
        if at is None:
            same = -1 if before is None else self._where(before)
            at = max(0, self.highlighted) if same < 0 else same
        self._highlight(self._nearest(at), scroll=True)

    def add(self, rows: list[Row]) -> None:
        """Shows `rows`, which are those from before and more at the end."""
        self._take(rows)
        self.refresh()

    def _take(self, rows: list[Row]) -> None:
        self.rows = rows
        # Past the watcher: it would lay the whole screen out again, 7 ms for every letter typed.
        self.set_reactive(Widget.virtual_size, Size(self.size.width, len(rows)))

    def _where(self, row: Row) -> int:
        """Where `row` stands now, or else its session; -1 where neither is there."""
        session = session_of(row)
        same = (i for i, other in enumerate(self.rows) if other == row)
        ids = (found.id if (found := session_of(other)) else "" for other in self.rows)
        kin = (i for i, id_ in enumerate(ids) if session is not None and id_ == session.id)
        return next(same, next(kin, -1))

    def _nearest(self, at: int) -> int:
        """The row at or behind `at` that can be highlighted, else the last one before it; -1 for none."""
        after = (i for i in range(at, len(self.rows)) if not isinstance(self.rows[i], Heading))
        before = (i for i in range(min(at, len(self.rows)) - 1, -1, -1) if not isinstance(self.rows[i], Heading))
        return next(after, next(before, -1))

    # Walking

    def move(self, by: int) -> None:
        """Moves the highlight by so many rows that can have it."""
        step, at = (1 if by > 0 else -1), self.highlighted
        for _ in range(abs(by)):
            at = next((i for i in self._way(at, step) if not isinstance(self.rows[i], Heading)), at)
        self._highlight(at, scroll=True)

    def _way(self, at: int, step: int) -> range:
        return range(at + 1, len(self.rows)) if step > 0 else range(at - 1, -1, -1)

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
            self.post_message(self.Highlighted(self.row))
        self._ask_for_more()

    def _bring_into_view(self, at: int) -> None:
        """Brings row `at` into view, with the heading above it."""
        top = at - 1 if at and isinstance(self.rows[at - 1], Heading) else at
        height, y = self.size.height, int(self.scroll_y)
        if top < y:
            self.scroll_to(y=top, animate=False)
        elif height and at >= y + height:
            self.scroll_to(y=at - height + 1, animate=False)

    def _ask_for_more(self) -> None:
        height = self.size.height
        if len(self.rows) - max(self.highlighted, int(self.scroll_y) + height) < 2 * height:
            self.post_message(self.Wanting())

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

    # Marks

    def toggle_mark(self) -> None:
        """Marks the session of the highlighted row, or no longer."""
        session = session_of(self.row)
        if session is not None and self.marked.pop(session.id, None) is None:
            self.marked[session.id] = session
        self.refresh()

    def clear_marks(self) -> bool:
        """Takes all marks away; False where there were none."""
        had = bool(self.marked)
        self.marked.clear()
        self.refresh()
        return had

    @property
    def chosen(self) -> list[SessionSummary]:
        """The sessions that are marked; where none is, the highlighted one."""
        session = session_of(self.row)
        return list(self.marked.values()) or ([session] if session is not None else [])

    # The mouse

    async def _on_click(self, event: events.Click) -> None:
        """Highlights what is clicked; opens it by two clicks, marks it with ctrl."""
        event.stop()
        at = int(self.scroll_y) + event.y
        if event.x >= self.size.width - 1:
            self.scroll_to(y=event.y / max(1, self.size.height - 1) * self.max_scroll_y, animate=False)
            return
        if not 0 <= at < len(self.rows) or isinstance(self.rows[at], Heading):
            return
        self._highlight(at, scroll=False)
        if event.ctrl:
            self.toggle_mark()
        elif event.chain == 2:
            self.post_message(self.Opened())

    # Painting

    def render_line(self, y: int) -> Strip:
        """Paints a row."""
        at, width = int(self.scroll_y) + y, self.size.width - 1
        if at >= len(self.rows):
            return Strip.blank(width + 1, self._styles[""])
        self.look.width, self.look.marked = width, frozenset(self.marked)
        base = "chosen " if at == self.highlighted else ""
        runs = runs_of(self.rows[at], self.look)
        segments = [Segment(text, self._styles[f"{base}{names}"]) for text, names in runs]
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
