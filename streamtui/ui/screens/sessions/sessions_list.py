"""SessionsList: sessions, hits and headings as a list, some of them marked."""

from collections.abc import Sequence
from typing import Any

from textual import events

from streamtui.core.session import SessionSummary
from streamtui.core.styled_text import Run
from streamtui.ui.screens.sessions.row_layout import Look, runs_of
from streamtui.ui.screens.sessions.rows import Heading, session_of
from streamtui.ui.widgets.line_list import LineList


class SessionsList(LineList):
    """The rows of a listing."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.look = Look()
        self.marked: dict[str, SessionSummary] = {}
        """The sessions that are marked, by id."""

    def runs(self, row: Any, width: int) -> Sequence[Run]:
        """Returns what a row looks like."""
        self.look.width, self.look.marked = width, frozenset(self.marked)
        return runs_of(row, self.look)

    def is_selectable(self, at: int) -> bool:
        """Whether row `at` is no heading."""
        return not isinstance(self.rows[at], Heading)

    def index_of(self, row: Any) -> int:
        """Where `row` stands now, or else its session; -1 where neither is there."""
        same, session = super().index_of(row), session_of(row)
        if same >= 0 or session is None:
            return same
        ids = (found.id if (found := session_of(other)) else "" for other in self.rows)
        return next((at for at, id_ in enumerate(ids) if id_ == session.id), -1)

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

    def handle_click(self, event: events.Click) -> None:
        """Marks what is clicked with ctrl."""
        if event.ctrl:
            self.toggle_mark()
        else:
            super().handle_click(event)
