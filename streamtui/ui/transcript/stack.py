"""Stack: blocks one below another, laid out for a width, found again by line."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from streamtui.ui.transcript.notes import LineBlock

if TYPE_CHECKING:
    from streamtui.markdown.code_block import CodeBlock


class Stack:
    """A growing list of blocks. Laying out again costs only what is not stable yet."""

    __slots__ = ("_renewed", "_settled", "_width", "_wrap", "blocks", "height", "tops")

    def __init__(self, blocks: Sequence[LineBlock] = ()) -> None:
        self.blocks = blocks
        self.tops: list[int] = []
        """First line of every block, its margin included."""
        self.height = 0
        self._width, self._wrap = 0, True
        self._settled = 0
        self._renewed = False

    def replace(self, blocks: Sequence[LineBlock]) -> None:
        """Takes other blocks, all of them new."""
        self.blocks, self._settled, self._renewed = blocks, 0, True

    def layout(self, width: int, stable: int, *, wrap: bool = True) -> int:
        """Lays out for `width` cells and returns the first line that may look different now.

        `stable` is how many of the blocks will not change any more; `wrap` whether wide code is wrapped.
        """
        if (width, wrap) != (self._width, self._wrap):
            self._width, self._wrap, self._settled = width, wrap, 0
        start = min(self._settled, len(self.blocks))
        tops, y = self.tops, self._bottom(start)
        del tops[start:]
        renewed, self._renewed = self._renewed, False
        first = 0 if renewed else y
        for index in range(start, len(self.blocks)):
            block = self.blocks[index]
            if block.kind == "code":
                cast("CodeBlock", block).layout(width, wrap)
            else:
                block.layout(width)
            if index == start and not renewed:
                first = y + (block.margin + block.fresh if block.fresh else 0)
            tops.append(y)
            y += block.height
        self.height, self._settled = y, min(stable, len(tops))
        return first

    def _bottom(self, count: int) -> int:
        return self.tops[count - 1] + self.blocks[count - 1].height if count else 0

    def locate(self, line: int) -> tuple[int, int]:
        """Returns the block at `line` and the line within it; a negative one is in its margin."""
        index = bisect_right(self.tops, line) - 1
        return index, line - self.tops[index] - self.blocks[index].margin
