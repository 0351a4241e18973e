"""Fitting: texts made to fit into so many cells."""

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

DOT = " · "
BORDER_CELLS = 6
"""Cells of a box's bottom line that are no keys: corners, spaces and a bit of line."""


def fit_text(text: str, width: int) -> str:
    """Returns `text` filled with spaces to `width` cells, or cut between two characters, with a mark."""
    if width < 1 or cell_len(text) <= width:
        return set_cell_size(text, max(0, width))
    return set_cell_size(f"{set_cell_size(text, width - 1).rstrip()}…", width)


def fit_hints(entries: Sequence[str], width: int) -> str:
    """Returns as many `entries` in a line as `width` cells have room for, none of them cut.

    They stand by importance, the last one apart, which is the way out: it stays.
    """
    entries = list(entries)
    while len(entries) > 1 and cell_len(DOT.join(entries)) > width:
        del entries[-2]
    return DOT.join(entries)
