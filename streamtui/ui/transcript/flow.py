"""Flow: entries one below another, their heights exact around the view and estimated elsewhere."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from time import thread_time
from typing import NamedTuple

from streamtui.core.message import Delta, Message
from streamtui.core.session import first_sent
from streamtui.ui.transcript.entry import Entry, Spot
from streamtui.ui.transcript.heights import Heights
from streamtui.ui.transcript.notes import Hints

FRAME_SECONDS = 0.012
"""Seconds of CPU for which text is parsed and laid out in a frame."""
FIRST_LOOK = 0.02
"""Seconds for a message that was not laid out before: what is left follows in later frames."""
KEEP_BLOCKS = 400
"""Entries whose blocks are kept; the others keep their text and height."""


class Place(NamedTuple):
    """A line of the flow: which entry it belongs to, and the block there if it is not an empty line."""

    entry: int
    line: int
    """Which line of the entry."""
    spot: Spot | None


class Flow:
    """The messages of a conversation as lines of one width."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.width = 0
        """Cells for the text; 0 until known."""
        self.wraps_code = True
        self.hints = Hints.of({})
        """What the keys are called that the last reply may need."""
        self.first_sent = 0
        """The first entry that a request still holds."""
        self.keeps_room = False
        """Whether a saved message takes its estimated height until it is parsed: the user reads what is around it."""
        self.growth = 0
        """How often something was added to the growing entry."""
        self._heights = Heights()
        self._recent: OrderedDict[int, None] = OrderedDict()
        self._parsing: dict[int, None] = {}
        """Entries that were looked at and have text that is not shown yet."""

    @property
    def is_parsing(self) -> bool:
        """Whether `parse` has something to do."""
        return bool(self._parsing)

    @property
    def total(self) -> int:
        """Lines of all entries."""
        return self._heights.total

    def load(self, messages: Iterable[Message], variants: Mapping[str, tuple[int, int]]) -> None:
        """Takes `messages` in place of what was there; `variants` says by id which have siblings."""
        self.entries = [
            Entry(message, variant=variants.get(message.id), above=index) for index, message in enumerate(messages)
        ]
        self.first_sent = first_sent([entry.message for entry in self.entries])
        if self.entries:
            self.entries[-1].is_last(self.hints)
        self._recent.clear()
        self._parsing.clear()
        self.resize(self.width)

    def resize(self, width: int) -> None:
        """Takes a new width: all heights are estimates again."""
        self.width = width
        self._heights.rebuild(entry.estimate(width) for entry in self.entries)

    def wrap_code(self, wraps: bool) -> None:
        """Wraps wide code from now on, or leaves its lines as long as they are."""
        self.wraps_code = wraps
        for entry in self.entries:
            entry.width = 0

    def add(self, message: Message, *, growing: bool, variant: tuple[int, int] | None) -> Entry:
        """Adds `message` at the end."""
        if self.entries:
            self.entries[-1].is_last(None)
            self._again(len(self.entries) - 1)
        entry = Entry(message, growing=growing, variant=variant, above=len(self.entries))
        entry.is_last(self.hints)
        if message.recap is not None:
            self.first_sent = entry.above
        self.entries.append(entry)
        self._heights.append(entry.estimate(self.width))
        if self.width:
            self.exact(entry.above)
        return entry

    def resume(self) -> None:
        """Lets the last entry grow again."""
        self.entries[-1].resume()
        self._again(len(self.entries) - 1)

    def _again(self, index: int) -> None:
        if self.width and self.entries[index].height:
            self.exact(index)

    def grow(self, delta: Delta) -> None:
        """Adds a piece to the last entry, which `parse` then shows."""
        last = len(self.entries) - 1
        self.entries[last].feed(delta)
        self._parsing[last] = None

    def parse(self) -> int:
        """Parses for a frame's time what is not shown yet, the newest first; returns the first line that may look
        different."""
        until, first = thread_time() + FRAME_SECONDS, self.total
        self.growth += 1
        while self._parsing:
            index = max(self._parsing)
            del self._parsing[index]
            if self.entries[index].is_laid_out:
                self.entries[index].parse()
                first = min(first, self.top(index) + self.exact(index, again=True))
            if thread_time() >= until:
                break
        return first

    def take_text_as_reasoning(self) -> None:
        """Makes the text that the last entry grew by reasoning."""
        self.entries[-1].take_text_as_reasoning()
        self._again(len(self.entries) - 1)

    def top(self, index: int) -> int:
        """The first line of entry `index`."""
        return self._heights.top(index)

    def height(self, index: int) -> int:
        """Lines of entry `index`, exact or estimated."""
        return self._heights[index]

    def exact(self, index: int, *, again: bool = False) -> int:
        """Lays entry `index` out if it must be, or `again`; returns the first of its lines that may have changed."""
        entry, first = self.entries[index], 0
        if again or entry.width != self.width or not entry.is_laid_out:
            until = 0.0 if entry.is_laid_out else thread_time() + FIRST_LOOK
            first = entry.layout(self.width, wrap=self.wraps_code)
            while entry.is_parsing and thread_time() < until:
                entry.parse()
                entry.layout(self.width, wrap=self.wraps_code)
            self._heights[index] = entry.height
            if entry.is_parsing:
                self._parsing[index] = None
                if self.keeps_room and not entry.growing:
                    self._heights[index] = max(entry.height, entry.estimate(self.width))
        self._recent[index] = None
        self._recent.move_to_end(index)
        if len(self._recent) > KEEP_BLOCKS:
            self.entries[self._recent.popitem(last=False)[0]].forget()
        return first

    def index_at(self, line: int) -> tuple[int, int]:
        """Returns the entry at `line`, the last one past the end, and the line within it."""
        index, within = self._heights.find(max(0, line))
        if index >= len(self.entries):
            index = max(0, len(self.entries) - 1)
            within = self._heights[index] - 1 if self.entries else 0
        return index, within

    def at(self, line: int) -> Place | None:
        """What stands at `line`; None past the end."""
        if not 0 <= line < self.total:
            return None
        index, within = self._heights.find(line)
        entry = self.entries[index]
        if entry.width != self.width or not entry.is_laid_out:
            self.exact(index)
        return Place(index, within, entry.locate(within))

    def measure_end(self, lines: int) -> None:
        """Makes the heights of the last `lines` lines exact."""
        index = len(self.entries) - 1
        while index >= 0 and lines > 0:
            self.exact(index)
            lines -= self._heights[index]
            index -= 1

    def measure_around(self, line: int, lines: int) -> int:
        """Makes heights exact from `lines` above `line` to twice as many below.

        Returns by how many lines that moved what stands at `line` down.
        """
        if not self.entries:
            return 0
        index, within = self.index_at(line)
        shift = self._measure_above(index, lines - within)
        room = 2 * lines + within
        while index < len(self.entries) and room > 0:
            self.exact(index)
            room -= self._heights[index]
            index += 1
        return shift

    def _measure_above(self, index: int, lines: int) -> int:
        shift = 0
        while index > 0 and lines > 0:
            index -= 1
            before = self._heights[index]
            self.exact(index)
            shift += self._heights[index] - before
            lines -= self._heights[index]
        return shift
