"""Caches for rendered lines."""

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
    """A mixin, placed before a widget class, that caches the rendered lines until the widget is refreshed.

    Textual 8.2.8 asks every widget of the screen for all of its lines when a line of any of them has changed. Without
    the cache, rendering the prompt again would add 0.3 ms to each frame of the conversation.
    """

    _cached: tuple[Region, list[Strip]] | None = None

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Clear the cache and refresh."""
        self._cached = None
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the cached lines of `crop`, rendering them if needed."""
        if self._cached is None or self._cached[0] != crop:
            self._cached = crop, super().render_lines(crop)
        return self._cached[1]


class CachedRows:
    """Rendered rows, and from which one on they must be rendered again."""

    def __init__(self) -> None:
        self._rows: list[Strip] = []
        self._stale = 0

    def invalidate(self, regions: Iterable[Region]) -> None:
        """Mark the rows from the topmost of `regions` on as stale; all rows if there are no regions."""
        self._stale = min([self._stale, *(region.y for region in regions)]) if regions else 0

    def stale_rows(self, height: int) -> range:
        """Return the indexes of the rows to render for a view of `height` rows."""
        return range(self._stale if len(self._rows) == height else 0, height)

    def update(self, first: int, rows: list[Strip]) -> list[Strip]:
        """Store the `rows` rendered from index `first` on and return all rows."""
        self._rows[first:] = rows
        self._stale = len(self._rows)
        return list(self._rows)
