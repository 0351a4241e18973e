"""CachedLines: a widget that paints its lines once, until it is refreshed."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Self

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

if TYPE_CHECKING:
    _Base = Widget
else:
    _Base = object  # Textual takes CSS and component classes from the first base that is a widget


class CachedLines(_Base):
    """To be mixed into a widget, before it.

    The compositor asks every widget of the screen for all of its lines, whenever a single line of any of them has
    changed (textual 8.2.8): a frame of the conversation would pay 0.3 ms for painting the prompt again.
    """

    _kept: tuple[Region, list[Strip]] | None = None

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Paints again what has changed."""
        self._kept = None
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Paints the lines of `crop`, or gives those painted before."""
        if self._kept is None or self._kept[0] != crop:
            self._kept = crop, super().render_lines(crop)
        return self._kept[1]


class CachedRows:
    """Rows that were painted, and which of them have to be painted again."""

    def __init__(self) -> None:
        self._rows: list[Strip] = []
        self._stale = 0

    def invalidate(self, regions: Iterable[Region]) -> None:
        """Notes that rows from the topmost of `regions` on, or all where there are none, look different now."""
        self._stale = min([self._stale, *(region.y for region in regions)]) if regions else 0

    def stale_rows(self, height: int) -> range:
        """Which rows of `height` have to be painted."""
        return range(self._stale if len(self._rows) == height else 0, height)

    def update(self, first: int, rows: list[Strip]) -> list[Strip]:
        """Keeps `rows`, painted from row `first` on, and returns all."""
        self._rows[first:] = rows
        self._stale = len(self._rows)
        return list(self._rows)
