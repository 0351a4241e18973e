"""Painter: styled runs into strips of the terminal's width, each made once."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from streamtui.core.sanitize import clean
from streamtui.core.styled_text import Run
from streamtui.ui.styles import StyleTable
from streamtui.ui.transcript.compact_strip import LeanStrip

if TYPE_CHECKING:
    from textual.widget import Widget

MOST_STRIPS = 1_500
"""A strip takes about 1.25 KB, so this is under 2 MB; a screen shows some 40."""

CODE_PADDING = " "
"""Between the edge of a code block and its code."""


class Look(NamedTuple):
    """What else a line looks like."""

    base: str
    """The style under its text; where it is a code block's, also under the rest of the line."""
    width: int
    """Cells, the edge included."""
    edge: Run
    """The last cell: the scrollbar."""
    shift: int = 0
    """Cells that the text is moved to the left."""
    tag: str = ""
    """A word at the right, where there is room: the language of code."""


class Painter:
    """Makes strips for a widget from runs whose styles are names."""

    def __init__(self, widget: "Widget") -> None:
        self._widget = widget
        self._styles = StyleTable(widget)
        self._strips: OrderedDict[tuple[object, ...], tuple[object, Strip]] = OrderedDict()

    def clear(self) -> None:
        """Forgets all that depends on theme or width."""
        self._styles.clear()
        self._strips.clear()

    def strip(self, key: tuple[object, ...], runs: list[Run], prefix: Sequence[Run], look: Look) -> Strip:
        """Returns a line as `build` does, from the cache if it can.

        `key` says where the line stands; while its `runs` are the same list, it looks the same.
        """
        found = self._strips.get(key)
        if found is not None and found[0] is runs:
            return found[1]
        strip = self.build(prefix, runs, look)
        self._strips[key] = (runs, strip)
        if len(self._strips) > MOST_STRIPS:
            self._strips.popitem(last=False)
        return strip

    def build(self, prefix: Sequence[Run], runs: Sequence[Run], look: Look) -> Strip:
        """Returns `prefix` and `runs` as a strip, cut or filled to its width."""
        before = [(text, self._styles[names]) for text, names in prefix]
        is_code = "codebg" in look.base
        filler = self._styles["codebg" if is_code else ""]
        if is_code:
            before.append((CODE_PADDING, filler))
        after = _merged((_safe(text), self._styles[f"{look.base} {names}"]) for text, names in runs)
        if look.shift:
            after = list(Strip(after).crop(look.shift))
        room = look.width - 1
        line = _fitted(_merged([*before, *after]), room, filler, self._styles["codebg faint"])
        if look.tag and _blank_end(line) > len(look.tag) + 2:
            line = [
                *Strip(line, room).crop(0, room - len(look.tag) - 1),
                Segment(look.tag + " ", self._styles["codebg faint"]),
            ]
        edge, names = look.edge
        return self._filtered(LeanStrip(_merged([*line, (edge, self._styles[names])]), look.width))

    def _filtered(self, strip: Strip) -> Strip:
        for line_filter in self._widget.get_line_filters():
            strip = LeanStrip(strip.apply_filter(line_filter, self._widget.background_colors[1]), strip.cell_length)
        return strip


def cells(text: str) -> int:
    """Returns how many cells `text` takes."""
    return len(text) if text.isascii() else cell_len(text)


def _safe(text: str) -> str:
    """Returns `text` without what could drive a terminal: text is clean, but Markdown's ``&#x202e;`` is not."""
    return text if text.isascii() and text.isprintable() else clean(text).replace("\n", " ")


def _fitted(segments: list[Segment], width: int, filler: Style, mark: Style) -> list[Segment]:
    """Returns `segments` filled to `width` cells, or cut, with a mark that they go on."""
    used = sum(cells(text) for text, *_ in segments)
    if used > width:
        return [*Strip(segments, used).crop(0, width - 1), Segment("›", mark)]
    return [*segments, Segment(" " * (width - used), filler)]


def _blank_end(segments: list[Segment]) -> int:
    """How many spaces the line ends with."""
    return len(segments[-1].text) if segments and segments[-1].text.isspace() else 0


def _merged(parts: Iterable[tuple[str, Style | None] | Segment]) -> list[Segment]:
    """Returns `parts` as segments, neighbours of one style joined: each costs a dozen bytes of colours."""
    joined: list[tuple[str, Style | None]] = []
    for text, style, *_ in parts:
        if not text:
            continue
        if joined and joined[-1][1] == style:
            joined[-1] = (joined[-1][0] + text, style)
        else:
            joined.append((text, style))
    return [Segment(text, style) for text, style in joined]
