"""The cells of characters as the program measures them, for the page's terminal."""

import json
from functools import cache

# The same table that rich.cells reads; a page can't ask Rich character by character.
from rich._unicode_data import load


@cache
def script() -> str:
    """Return the script that hands the table to page.js."""
    table = load("auto")
    widths = {"ranges": table.widths, "grow": sorted(map(ord, table.narrow_to_wide))}
    return f"window.cellWidths = {json.dumps(widths, separators=(',', ':'))};\n"
