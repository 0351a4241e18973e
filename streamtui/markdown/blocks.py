"""Leaf blocks of a message: styled text that is wrapped for a width and read line by line."""

from __future__ import annotations

from dataclasses import dataclass, field

from streamtui.core.styled_text import Run
from streamtui.markdown.inline import Inline
from streamtui.markdown.wrap import SEPARATOR, cells

MIN_WIDTH = 8  # cells left for text however deep the nesting


@dataclass(slots=True)
class Frame:
    """What stands around a block: blank lines above, and what goes before its lines."""

    margin: int = 0
    first: list[Run] = field(default_factory=list)
    rest: list[Run] = field(default_factory=list)
    gap: list[Run] = field(default_factory=list)
    quoted: bool = False


class Block:
    """A leaf block. Call `layout` before anything that speaks of lines."""

    kind = "text"

    def __init__(self, frame: Frame, base: str = "", level: int = 0) -> None:
        self.frame = frame
        self.base = base
        self.level = level
        self.fresh = 0
        self._width = 0
        self._indent = cells("".join(text for text, _ in frame.rest))

    @property
    def margin(self) -> int:
        """Blank lines above the block."""
        return self.frame.margin

    @property
    def height(self) -> int:
        """Lines of the block with its margin."""
        return self.frame.margin + self.lines_count

    @property
    def lines_count(self) -> int:
        """Lines below the margin."""
        raise NotImplementedError

    def line(self, index: int) -> tuple[int, list[Run]]:
        """(offset of the start in `plain()`, its runs without prefix); one list until the line changes."""
        raise NotImplementedError

    def prefix(self, index: int) -> list[Run]:
        """Runs before line `index`: markers on the first, then bars and spaces; below 0: its margin's."""
        if index > 0:
            return self.frame.rest
        return self.frame.first if index == 0 else self.frame.gap

    def plain(self) -> str:
        """The block's text, what a copy of it gives."""
        raise NotImplementedError

    def layout(self, width: int) -> None:
        """Wrap for `width` cells, prefix included; afterwards `fresh` is the first line that changed."""
        raise NotImplementedError

    def _inner(self, width: int) -> int:
        return max(MIN_WIDTH, width - self._indent)


class TextBlock(Block):
    """A paragraph or heading."""

    def __init__(self, frame: Frame, inline: Inline, base: str = "", level: int = 0) -> None:
        super().__init__(frame, base or ("quoted" if frame.quoted else ""), level)
        self.kind = "heading" if level else "text"
        self.inline = inline
        self.preview = ""  # a line that is most likely a table's header, shown as such
        self._seen = (-1, "")

    @property
    def lines_count(self) -> int:
        return len(self.inline.flow.lines)

    def line(self, index: int) -> tuple[int, list[Run]]:
        return self.inline.flow.lines[index]

    def layout(self, width: int) -> None:
        flow = self.inline.flow
        seen = self.inline.version, self.preview
        if width == self._width and seen == self._seen:
            self.fresh = len(flow.lines)
            return
        flow.layout(self._inner(width), self._tail())
        # A paragraph that turns out to be a heading hands its lines on: they are the same and look different.
        self.fresh = flow.fresh if width == self._width else 0
        self._width, self._seen = width, seen

    def _tail(self) -> list[Run]:
        if not self.preview:
            return self.inline.tail()
        cells = [cell.strip() for cell in self.preview.strip().strip("|").split("|")]
        return [run for cell in cells for run in (SEPARATOR, (cell, "strong"))][1:]

    def plain(self) -> str:
        return self.inline.flow.plain() + "".join([text for text, _ in self._tail()])


class RuleBlock(Block):
    """A thematic break."""

    kind = "rule"

    def __init__(self, frame: Frame) -> None:
        super().__init__(frame)
        self._line: list[Run] = []

    @property
    def lines_count(self) -> int:
        return 1

    def line(self, index: int) -> tuple[int, list[Run]]:
        return 0, self._line

    def layout(self, width: int) -> None:
        self.fresh = 1 if width == self._width else 0
        if width != self._width:
            self._width = width
            self._line = [("─" * self._inner(width), "rule")]

    def plain(self) -> str:
        return "---"
