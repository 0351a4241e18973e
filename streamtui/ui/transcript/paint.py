"""Painter: styled runs into strips of the terminal's width, each made once."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from streamtui.markdown import Run
from streamtui.ui.styles import StyleTable

if TYPE_CHECKING:
    from textual.widget import Widget

MOST_STRIPS = 1_500
"""A strip takes about 1.25 KB, so this is under 2 MB; a screen shows some 40."""


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

    def strip(
        self, key: tuple[object, ...], runs: list[Run], prefix: Sequence[Run], base: str, width: int, edge: Run
    ) -> Strip:
        """Returns `prefix` and `runs` as a strip of `width` cells that ends in `edge`, from the cache if it can.

        `key` says where the line stands; while its `runs` are the same list, it looks the same.
        """
        found = self._strips.get(key)
        if found is not None and found[0] is runs:
            return found[1]
        strip = self.build([*prefix, *runs], base, width, edge)
        self._strips[key] = (runs, strip)
        if len(self._strips) > MOST_STRIPS:
            self._strips.popitem(last=False)
        return strip

    def build(self, runs: Sequence[Run], base: str, width: int, edge: Run) -> Strip:
        """Returns `runs` as a strip of `width` cells, cut or filled, the last cell being `edge`."""
        segments, used, room = [], 0, width - 1
        for text, names in runs:
            segments.append(Segment(text, self._styles[f"{base} {names}"]))
            used += len(text) if text.isascii() else cell_len(text)
        if used > room:
            segments, used = list(Strip(segments, used).crop(0, room)), room
        if used < room:
            segments.append(Segment(" " * (room - used), self._styles["codebg" if base == "codebg" else ""]))
        segments.append(Segment(edge[0], self._styles[edge[1]]))
        return self._filtered(Strip(segments, width))

    def _filtered(self, strip: Strip) -> Strip:
        background = self._widget.background_colors[1]
        for line_filter in self._widget.get_line_filters():
            strip = strip.apply_filter(line_filter, background)
        return strip
