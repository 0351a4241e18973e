"""Listing: what the list shows: the sessions day by day, or what holds the words typed, read page by page."""

import asyncio
from concurrent.futures import Future
from dataclasses import replace
from datetime import date
from typing import TypeVar

from streamtui.core.search_query import Query
from streamtui.core.session import USUAL, SessionFilter, SessionSummary
from streamtui.storage import SearchHit, Store
from streamtui.ui.screens.sessions.rows import Heading, Row, by_day, by_session, titled

PAGE = 100
"""Sessions read at a time."""
HITS = 50
"""Hits read at a time."""
MOST_TITLES = 200
"""Sessions listed by their titles at most, while words are looked for."""

_TRASHED = SessionFilter(archived=None, trashed=True)
_ARCHIVED = SessionFilter(archived=True)
_Answer = TypeVar("_Answer")


class Listing:
    """The rows for a filter and words. Every method that reads raises StoreError and can be cancelled."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.where: SessionFilter = USUAL
        self.query = Query("")
        self.unfolded = False
        """Whether all sessions with the words in their titles are shown."""
        self.rows: list[Row] = []
        self.complete = True
        """Whether there is nothing more to read."""
        self.total = 0
        """Sessions that pass the filter."""
        self.trashed, self.archived = 0, 0
        """Sessions in the trash and in the archive, counted where the usual list is empty."""
        self._titled: list[SessionSummary] = []
        self._sessions: list[SessionSummary] = []
        self._hits: list[SearchHit] = []

    @property
    def size(self) -> str:
        """How much there is, in words; a plus says that there is more."""
        if not self.query:
            return counted(self.total, "session")
        titles = counted(len(self._titled), "title", more=len(self._titled) == MOST_TITLES)
        return f"{titles}, {counted(len(self._hits), 'message', more=not self.complete)}"

    async def read(self, *, again: bool = False) -> None:
        """Reads the first page in place of what there was; or `again` as much as before, as something has changed."""
        if self.query:
            await self._search(max(HITS, len(self._hits) * again))
        else:
            await self._list(max(PAGE, len(self._sessions) * again))

    async def read_more(self, *, all: bool = False) -> None:
        """Reads what comes next."""
        if self.complete:
            return
        if self.query:
            await self._search_on()
        else:
            await self._list_on(self.total if all else PAGE)

    async def _search_on(self) -> None:
        before = self._hits[-1]
        hits = await _answer(self._store.search(str(self.query), HITS, self.where, before.place))
        self._hits += hits
        self.rows += by_session(hits, last=before.session_id)
        self.complete = len(hits) < HITS

    async def _list_on(self, page: int) -> None:
        found = await _answer(self._store.sessions(page, len(self._sessions), self.where))
        last = next((row.text for row in reversed(self.rows) if isinstance(row, Heading)), "")
        self._sessions += found
        self.rows += by_day(found, date.today(), last)
        self.complete = len(found) < page

    def unfold(self) -> None:
        """Shows all sessions with the words in their titles."""
        self.unfolded = True
        self._arrange()

    async def _list(self, page: int) -> None:
        count, sessions = self._store.count(self.where), self._store.sessions(page, 0, self.where)
        self.total, self._sessions = await asyncio.gather(_answer(count), _answer(sessions))
        self._titled, self._hits = [], []
        self.complete = len(self._sessions) < page
        self.rows = by_day(self._sessions, date.today())
        if not self.total and self.where == USUAL:
            counts = [self._store.count(_TRASHED), self._store.count(_ARCHIVED)]
            self.trashed, self.archived = await asyncio.gather(*map(_answer, counts))

    async def _search(self, page: int) -> None:
        words = str(self.query)
        titles = self._store.sessions(MOST_TITLES, 0, replace(self.where, words=words))
        hits = self._store.search(words, page, self.where)
        self._titled, self._hits = await asyncio.gather(_answer(titles), _answer(hits))
        self._sessions = []
        self.complete = len(self._hits) < page
        self._arrange()

    def _arrange(self) -> None:
        messages = by_session(self._hits)
        self.rows = [*titled(self._titled, unfolded=self.unfolded or not messages), *messages]


def counted(number: int, what: str, *, more: bool = False) -> str:
    """Returns the number with its noun, and a plus where there is more."""
    return f"{number:,}{'+' * more} {what}{'' if number == 1 else 's'}"


async def _answer(future: Future[_Answer]) -> _Answer:
    return await asyncio.wrap_future(future)
