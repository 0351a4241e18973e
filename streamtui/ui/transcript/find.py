"""Finder: where words stand in the conversation, and the way from hit to hit."""

from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

from streamtui.ui.transcript.entry import Section
from streamtui.ui.transcript.flow import Flow
from streamtui.ui.transcript.notes import LineBlock
from streamtui.ui.transcript.overlay import Span
from streamtui.ui.transcript.selection import address

if TYPE_CHECKING:
    from streamtui.core.search_query import Query


class Hit(NamedTuple):
    """A place where the words stand."""

    entry: int
    address: int
    start: int
    end: int


class Finder:
    """Finds `query`, whatever the case, in the text of all messages.

    Messages are searched as they were written, which takes 10 ms for 5,000 of them; only one that is gone to is
    parsed. So the count can be a little off where a word is part of the markup.
    """

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self.query = ""
        """What is looked for as it is written; empty where nothing is, or words are."""
        self.words: Query | None = None
        """Words that are looked for, wherever each of them stands."""
        self.current: Hit | None = None
        self._counts: dict[int, int] = {}
        self._hits: dict[int, tuple[LineBlock, int, list[Span]]] = {}

    def search(self, query: str, words: "Query | None" = None) -> None:
        """Looks for `query` from now on, or for `words`; "" for nothing."""
        self.query, self.words = query.lower(), words
        self.again()

    def again(self) -> None:
        """Looks for the same in other messages."""
        self.current = None
        self._hits.clear()
        self._counts = {}
        if self.is_searching:
            texts = (f"{entry.text}\n{entry.message.error}" for entry in self._flow.entries)
            counts = enumerate(self._count(text) for text in texts)
            self._counts = {index: count for index, count in counts if count}

    @property
    def is_searching(self) -> bool:
        """Whether something is looked for."""
        return bool(self.query or self.words)

    def _count(self, text: str) -> int:
        return len(self.words.spans(text)) if self.words else text.lower().count(self.query)

    def _spans(self, text: str) -> list[Span]:
        return self.words.spans(text) if self.words else _spans(text, self.query)

    @property
    def total(self) -> int:
        """About how many hits there are."""
        return sum(self._counts.values())

    @property
    def position(self) -> int:
        """Which of them is the current one, counted from 1; 0 for none."""
        if self.current is None:
            return 0
        before = sum(count for index, count in self._counts.items() if index < self.current.entry)
        return min(self.total, before + bisect_left(self._in_entry(self.current.entry), self.current) + 1)

    def spans(self, block: LineBlock, growth: int) -> list[Span]:
        """Where the query stands in `block`; looked for again only where `growth`, the state of its entry, is new."""
        found = self._hits.get(id(block))
        if found is not None and found[0] is block and found[1] == growth:
            return found[2]
        spans = self._spans(block.plain())
        self._hits[id(block)] = (block, growth, spans)
        return spans

    def step(self, by: int, entry: int) -> Hit | None:
        """Goes to the next hit (`by` 1) or the one before (-1), round at the ends; the first one from `entry` on."""
        indexes = sorted(self._counts)
        if not indexes:
            return None
        if self.current is not None:
            hits = self._in_entry(self.current.entry)
            at = bisect_left(hits, self.current) + by
            if 0 <= at < len(hits):
                self.current = hits[at]
                return self.current
            entry = self.current.entry + by
        self.current = self._first_from(indexes, entry, by)
        return self.current

    def step_to(self, entry: int) -> Hit | None:
        """Goes to the first hit in `entry`."""
        hits = self._in_entry(entry) if self.is_searching else []
        self.current = hits[0] if hits else None
        return self.current

    def _first_from(self, indexes: list[int], entry: int, by: int) -> Hit | None:
        order = [index for index in indexes if (index >= entry if by > 0 else index <= entry)]
        rest = [index for index in indexes if index not in order]
        for index in (*order, *rest) if by > 0 else (*reversed(order), *reversed(rest)):
            if hits := self._in_entry(index):
                return hits[0 if by > 0 else -1]
        return None

    def _in_entry(self, index: int) -> list[Hit]:
        return [
            Hit(index, address(index, section, number), start, end)
            for section, number, block in self._flow.entries[index].blocks()
            if section in (Section.BODY, Section.FOOT)
            for start, end in self._spans(block.plain())
        ]


def _spans(text: str, query: str) -> list[Span]:
    text, spans = text.lower(), []
    at = text.find(query)
    while at >= 0:
        spans.append((at, at + len(query)))
        at = text.find(query, at + len(query))
    return spans
