"""Fitting of text into a number of terminal cells."""

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

DOT = " · "
BORDER_CELLS = 6
"""Cells of a box's bottom border that key hints can't use: corners, spaces and a bit of line."""


def fit_text(text: str, width: int) -> str:
    """Return `text` padded with spaces to `width` cells, or cut between two characters with an ellipsis."""
    if width < 1 or cell_len(text) <= width:
        return set_cell_size(text, max(0, width))
    return set_cell_size(f"{set_cell_size(text, width - 1).rstrip()}…", width)


def fit_hints(entries: Sequence[str], width: int) -> str:
    """Return as many whole `entries` as fit into `width` cells.

    They are ordered by importance, except for the last one, which says how to close and is always kept.
    """
    entries = list(entries)
    while len(entries) > 1 and cell_len(DOT.join(entries)) > width:
        del entries[-2]
    return DOT.join(entries)
