"""Lines in the pane that are no Markdown: who said it, that there was reasoning, how a reply ended."""

from typing import Protocol

from streamtui.markdown.runs import Line, Run


class LineBlock(Protocol):
    """What the pane asks of a block; `streamtui.markdown.blocks.Block` says more of each."""

    kind: str
    base: str
    fresh: int

    @property
    def margin(self) -> int:
        """Blank lines above it."""

    @property
    def height(self) -> int:
        """Lines with the margin, once laid out."""

    def layout(self, width: int) -> None:
        """Wraps for `width` cells."""

    def line(self, index: int) -> tuple[int, list[Run]]:
        """The offset of a line in `plain()`, and its runs."""

    def prefix(self, index: int) -> list[Run]:
        """The runs before a line."""

    def plain(self) -> str:
        """The text."""


class Label:
    """A single line that is cut, never wrapped."""

    kind = "label"
    margin = 0
    height = 1
    base = ""

    def __init__(self, *runs: Run) -> None:
        self._runs = list(runs)
        self.fresh = -1

    def layout(self, width: int) -> None:
        """Makes one line, at any width; it is new the first time only."""
        self.fresh = min(1, self.fresh + 1)

    def line(self, index: int) -> tuple[int, list[Run]]:
        """The label."""
        return 0, self._runs

    def prefix(self, index: int) -> list[Run]:
        """Nothing."""
        return []

    def plain(self) -> str:
        """The words of the label."""
        return "".join(text for text, _ in self._runs)


class Note:
    """A sentence of the program, wrapped."""

    kind = "note"
    fresh = 0

    def __init__(self, text: str, style: str, *, margin: int) -> None:
        self.base = style
        self.margin = margin
        self._text = text
        self._lines: list[Line] = []

    @property
    def height(self) -> int:
        """Lines with the margin, once laid out."""
        return self.margin + len(self._lines)

    def layout(self, width: int) -> None:
        """Wraps for `width` cells."""
        from streamtui.markdown.wrap import wrap  # late: its patterns take 4 ms to compile

        self._lines = wrap([(self._text, "")], width)

    def line(self, index: int) -> tuple[int, list[Run]]:
        """The offset of a line in `plain()`, and its runs."""
        return self._lines[index]

    def prefix(self, index: int) -> list[Run]:
        """Nothing."""
        return []

    def plain(self) -> str:
        """The sentence."""
        return self._text
