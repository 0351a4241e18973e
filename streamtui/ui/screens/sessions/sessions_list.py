"""The list of saved sessions, search hits and headings."""

from collections.abc import Sequence
from typing import Any

from textual import events

from streamtui.core.session import SessionSummary
from streamtui.core.styled_text import Run
from streamtui.ui.screens.sessions.row_layout import RowContext, runs_of
from streamtui.ui.screens.sessions.rows import Heading, session_of
from streamtui.ui.widgets.line_list import LineList


class SessionsList(LineList):
    """Rows of a listing whose sessions can be marked."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.context = RowContext()
        self.marked: dict[str, SessionSummary] = {}
        """The marked sessions by id."""

    def runs(self, row: Any, width: int) -> Sequence[Run]:
        """Return the styled text of `row`."""
        self.context.width, self.context.marked = width, frozenset(self.marked)
        return runs_of(row, self.context)

    def is_selectable(self, at: int) -> bool:
        """Return whether row `at` is not a heading."""
        return not isinstance(self.rows[at], Heading)

    def index_of(self, row: Any) -> int:
        """Return the index of `row`, else that of its session, else -1."""
        same, session = super().index_of(row), session_of(row)
        if same >= 0 or session is None:
            return same
        ids = (found.id if (found := session_of(other)) else "" for other in self.rows)
        return next((at for at, id_ in enumerate(ids) if id_ == session.id), -1)

    def toggle_mark(self) -> None:
        """Mark or unmark the highlighted session."""
        session = session_of(self.row)
        if session is not None and self.marked.pop(session.id, None) is None:
            self.marked[session.id] = session
        self.refresh()

    def clear_marks(self) -> bool:
        """Unmark all sessions. Return False if none were marked."""
        had = bool(self.marked)
        self.marked.clear()
        self.refresh()
        return had

    @property
    def selected(self) -> list[SessionSummary]:
        """The marked sessions, or the highlighted one if none are marked."""
        session = session_of(self.row)
        return list(self.marked.values()) or ([session] if session is not None else [])

    def handle_click(self, event: events.Click) -> None:
        """Mark or unmark the row on ctrl+click."""
        if event.ctrl:
            self.toggle_mark()
        else:
            super().handle_click(event)
