"""The contents of the list: sessions by day or search results, loaded page by page."""

import asyncio
from concurrent.futures import Future
from dataclasses import replace
from datetime import date
from typing import TypeVar

from streamtui.core.search_query import Query
from streamtui.core.session import USUAL, SessionFilter, SessionSummary
from streamtui.storage import SearchHit, Store
from streamtui.ui.screens.sessions.filter_dialog import describe_filter
from streamtui.ui.screens.sessions.rows import (
    Heading,
    Row,
    counted,
    group_by_day,
    group_by_session,
    title_matches,
)

PAGE = 100
"""Sessions per page."""
HITS = 50
"""Search hits per page."""
MAX_TITLES = 200
"""Maximum number of sessions whose titles match a search."""

_TRASHED = SessionFilter(archived=None, trashed=True)
_ARCHIVED = SessionFilter(archived=True)
_Answer = TypeVar("_Answer")


class Listing:
    """The rows for a filter and a query. Methods that read raise StoreError and can be canceled."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.where: SessionFilter = USUAL
        self.query = Query("")
        self.show_all_titles = False
        """True to show all title matches."""
        self.rows: list[Row] = []
        self.complete = True
        """True once everything has been read."""
        self.total = 0
        """Number of sessions that match the filter."""
        self._trashed, self._archived = 0, 0  # counted only if the default list is empty
        self._titled: list[SessionSummary] = []
        self._sessions: list[SessionSummary] = []
        self._hits: list[SearchHit] = []

    @property
    def size(self) -> str:
        """The number of sessions or search results, such as ``12 sessions``; a plus means there are more."""
        if not self.query:
            return counted(self.total, "session")
        titles = counted(len(self._titled), "title", more=len(self._titled) == MAX_TITLES)
        return f"{titles}, {counted(len(self._hits), 'message', more=not self.complete)}"

    def empty_message(self, filter_key: str, undo_key: str) -> str:
        """Return why there are no rows; `undo_key` is "" if there is nothing to undo."""
        place = describe_filter(self.where)
        suffix = f" (filter: {place})" if place else ""
        if self.query:
            return f"No titles or messages match “{self.query}”{suffix}."
        if place:
            return "The trash is empty." if self.where.trashed else f"No sessions{suffix}."
        counts = (self._archived, "archived"), (self._trashed, "in the trash")
        elsewhere = ", ".join(f"{number:,} {where}" for number, where in counts if number)
        if not elsewhere:
            return "No saved sessions yet. Send a prompt to start one."
        undo = f" {undo_key} undoes the last change." if undo_key else ""
        return f"No active sessions ({elsewhere}). Press {filter_key} to show others.{undo}"

    async def read(self, *, again: bool = False) -> None:
        """Read the first page, or with `again` as many rows as before."""
        if self.query:
            await self._search(max(HITS, len(self._hits) * again))
        else:
            await self._list(max(PAGE, len(self._sessions) * again))

    async def read_more(self, *, all: bool = False) -> None:
        """Read the next page, or with `all` all remaining sessions."""
        if self.complete:
            return
        if self.query:
            await self._search_more()
        else:
            await self._list_more(self.total if all else PAGE)

    async def _search_more(self) -> None:
        before = self._hits[-1]
        hits = await _answer(self._store.search(str(self.query), HITS, self.where, before.place))
        self._hits += hits
        self.rows += group_by_session(hits, last=before.session_id)
        self.complete = len(hits) < HITS

    async def _list_more(self, page: int) -> None:
        found = await _answer(self._store.sessions(page, len(self._sessions), self.where))
        last = next((row.text for row in reversed(self.rows) if isinstance(row, Heading)), "")
        self._sessions += found
        self.rows += group_by_day(found, date.today(), last)
        self.complete = len(found) < page

    def expand_titles(self) -> None:
        """Show all title matches."""
        self.show_all_titles = True
        self._arrange_results()

    async def _list(self, page: int) -> None:
        count, sessions = self._store.count(self.where), self._store.sessions(page, 0, self.where)
        self.total, self._sessions = await asyncio.gather(_answer(count), _answer(sessions))
        self._titled, self._hits = [], []
        self.complete = len(self._sessions) < page
        self.rows = group_by_day(self._sessions, date.today())
        if not self.total and self.where == USUAL:
            counts = [self._store.count(_TRASHED), self._store.count(_ARCHIVED)]
            self._trashed, self._archived = await asyncio.gather(*map(_answer, counts))

    async def _search(self, page: int) -> None:
        words = str(self.query)
        titles = self._store.sessions(MAX_TITLES, 0, replace(self.where, words=words))
        hits = self._store.search(words, page, self.where)
        self._titled, self._hits = await asyncio.gather(_answer(titles), _answer(hits))
        self._sessions = []
        self.complete = len(self._hits) < page
        self._arrange_results()

    def _arrange_results(self) -> None:
        messages = group_by_session(self._hits)
        self.rows = [*title_matches(self._titled, show_all=self.show_all_titles or not messages), *messages]


async def _answer(future: Future[_Answer]) -> _Answer:
    return await asyncio.wrap_future(future)
