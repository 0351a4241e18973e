"""Code blocks: rows highlighted once as they are finished, wrapped or kept whole."""

from __future__ import annotations

from bisect import bisect_left

from streamtui.core.styled_text import Line, Run
from streamtui.highlighting.highlighter import Highlighter
from streamtui.markdown.blocks import MIN_WIDTH, Block, Frame
from streamtui.markdown.wrap import Flow, cells, wrap

TAB = 4
LONG_ROW = 500  # characters from which an unfinished row is shown uncoloured
PADDING = 2  # cells of a line's width that the painter's padding takes, one on either side


class CodeBlock(Block):
    """A fenced or indented code block. Its lines leave one cell of padding free on either side."""

    kind = "code"

    def __init__(self, frame: Frame, language: str) -> None:
        super().__init__(frame, "codebg")
        self.language = language
        self.max_width = 0  # cells of the widest row
        self._source: list[str] = []  # finished rows as written, tabs and all
        self._rows: list[list[Run]] = []  # those of them that are highlighted
        self._sizes: list[int] = []  # their cells
        self._starts: list[int] = [0]  # their offsets, and that of the row after them
        self._lines: list[Line] = []
        self._last: list[Line] = []  # those of the unfinished row
        self._partial: list[str] = []
        self._length = 0  # characters of _partial
        self._flow: Flow | None = None  # a long unfinished row
        self._highlighter: Highlighter | None = None
        self._closed = self._changed = False
        self._wrapped = True

    # What the parser does

    def push(self, row: str) -> None:
        """Add a finished row."""
        self._source.append(row)
        self._changed = True

    def grow(self, text: str) -> None:
        """Add to the unfinished last row."""
        self._changed = True
        self._partial.append(text)
        self._length += len(text)
        if self._flow:
            self._flow.push(text.replace("\t", " " * TAB), "")
        elif self._length > LONG_ROW:
            self._flow = Flow(self._starts[-1])
            self._flow.push("".join(self._partial).expandtabs(TAB), "")

    def end_row(self) -> None:
        """The unfinished row is finished."""
        row = "".join(self._partial)
        self._partial.clear()
        self._flow, self._length = None, 0
        self.push(row)

    def close(self) -> None:
        """No more rows will come."""
        self._closed = self._changed = True

    # What the painter asks

    @property
    def lines_count(self) -> int:
        return len(self._lines) + len(self._last)

    @property
    def settled(self) -> int:
        """How many lines hold finished rows: their text, if not their colors, stays as it is."""
        return len(self._lines)

    def line(self, index: int) -> tuple[int, list[Run]]:
        finished = len(self._lines)
        return self._lines[index] if index < finished else self._last[index - finished]

    def code(self) -> str:
        """The code as written."""
        rows = [*self._source, "".join(self._partial)] if self._partial else self._source
        return "\n".join(rows)

    def plain(self) -> str:
        return "\n".join([row.expandtabs(TAB) for row in self.code().split("\n")])

    def layout(self, width: int, wrap: bool = True) -> None:
        """Wrap rows for `width` cells, or keep them whole (`max_width` cells at most)."""
        resized = width != self._width or wrap != self._wrapped
        self.fresh = self.lines_count
        if not resized and not self._changed:
            return
        start, before = len(self._lines), self._last
        if resized:
            self._width, self._wrapped = width, wrap
            self._rewrap()
        if self._changed:
            self._add_finished()
            self._changed = False
        self._show_partial()
        if self._flow and self._last is before:
            self.fresh = min(self.fresh, start + self._flow.fresh)
        elif not resized:
            self._keep(start, before)

    # How

    @property
    def _room(self) -> int:
        return max(MIN_WIDTH, self._inner(self._width) - PADDING)

    def _rewrap(self) -> None:
        self.fresh = 0
        if not self._wrapped or self.max_width <= self._room:
            self._lines = list(zip(self._starts, self._rows, strict=False))
            return
        self._lines = []
        for row, size, start in zip(self._rows, self._sizes, self._starts, strict=False):
            self._lines += self._wrap_row(row, size, start)

    def _wrap_row(self, row: list[Run], size: int, start: int) -> list[Line]:
        return [(start, row)] if not self._wrapped or size <= self._room else wrap(row, self._room, start)

    def _add_finished(self) -> None:
        """Highlight and wrap the rows finished since the last layout; all of them at the block's end."""
        if self._highlighter is None:
            self._highlighter = Highlighter(self.language)
        if not self._closed:
            for source in self._source[len(self._rows) :]:
                text = source.expandtabs(TAB)
                self._add_row(self._highlighter.line(text, True), text)
            return
        texts = [source.expandtabs(TAB) for source in self._source]
        rows = self._highlighter.whole(texts)
        same = 0
        while same < len(self._rows) and self._rows[same] is rows[same]:
            same += 1
        self._forget(same)
        for row, text in zip(rows[same:], texts[same:], strict=True):
            self._add_row(row, text)

    def _forget(self, index: int) -> None:
        """Drop the rows from `index` on."""
        if index < len(self._rows):
            del self._lines[bisect_left(self._lines, self._starts[index], key=lambda line: line[0]) :]
            self.fresh = min(self.fresh, len(self._lines))
            del self._rows[index:], self._sizes[index:], self._starts[index + 1 :]

    def _add_row(self, row: list[Run], text: str) -> None:
        size = cells(text)
        self._rows.append(row)
        self._sizes.append(size)
        self.max_width = max(self.max_width, size)
        self._lines += self._wrap_row(row, size, self._starts[-1])
        self._starts.append(self._starts[-1] + len(text) + 1)

    def _show_partial(self) -> None:
        if self._flow and self._wrapped:
            self._flow.layout(self._room, [])
            self._last = self._flow.lines
        else:
            self._last = self._partial_lines()

    def _keep(self, start: int, before: list[Line]) -> None:
        """Lines of what was the unfinished row stay the same objects if they came out as they were."""
        same = start
        for old in before:
            if same >= self.lines_count or self.line(same) != old:
                break
            if same < len(self._lines):
                self._lines[same] = old
            else:
                self._last[same - len(self._lines)] = old
            same += 1
        self.fresh = min(self.fresh, same)

    def _partial_lines(self) -> list[Line]:
        text = "".join(self._partial).expandtabs(TAB)
        if not text:
            return []
        row: list[Run] = [(text, "")]
        if self._highlighter and len(text) <= LONG_ROW:
            row = self._highlighter.line(text, False)
        return self._wrap_row(row, cells(text), self._starts[-1])
