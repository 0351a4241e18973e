"""Theme colors for exports, read from theme files without Textual."""

import re
import tomllib
from collections.abc import Mapping

from streamtui import paths
from streamtui.core.sanitize import clean_line
from streamtui.core.transfer_error import TransferError

DEFAULT = "midnight"
PRINTED = "paper"
"""The theme for printing."""
NAMES = (
    "primary", "secondary", "accent", "success", "warning", "error", "foreground", "background", "surface", "panel",
)  # fmt: skip
"""The names of the colors that exports use."""

Colors = Mapping[str, str]
"""Colors by name, as ``#rrggbb``."""

_HEX = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})(?:[0-9a-fA-F]{2})?")


def theme_colors(name: str = DEFAULT) -> Colors:
    """Return the colors of the theme `name`. Raises TransferError if it does not exist or is invalid."""
    files = paths.theme_files()
    if name not in files:
        raise TransferError(f"Unknown theme “{clean_line(name)}”. Choose from: {', '.join(sorted(files))}.")
    try:
        values = tomllib.loads(files[name].read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TransferError(f"Can't read the theme {name}: {clean_line(str(error))}.") from error
    return complete(values)


def complete(values: Mapping[str, object]) -> Colors:
    """Return all colors: the valid ones of `values`, and defaults derived from them."""
    known = {name: _rgb(values[name]) for name in NAMES if _is_color(values.get(name))}
    background = known.get("background", "#16161e")
    foreground = known.get("foreground", "#c8d3f5" if is_dark(background) else "#2b2a27")
    primary = known.get("primary", foreground)
    usual = dict.fromkeys(NAMES, primary) | {
        "foreground": foreground,
        "background": background,
        "surface": mix(foreground, background, 0.05),
        "panel": mix(foreground, background, 0.1),
    }
    return {**usual, **known}


def _is_color(value: object) -> bool:
    return isinstance(value, str) and _HEX.fullmatch(value) is not None


def _rgb(value: object) -> str:
    """Normalize ``#abc`` and ``#aabbcc80`` to ``#aabbcc``."""
    digits = str(value).lstrip("#").lower()
    return "#" + ("".join(digit * 2 for digit in digits[:3]) if len(digits) in (3, 5) else digits[:6])


def is_dark(color: str) -> bool:
    """Return whether `color` is dark."""
    red, green, blue = _parts(color)
    return 0.299 * red + 0.587 * green + 0.114 * blue < 128


def mix(color: str, other: str, share: float) -> str:
    """Mix `share` (0 to 1) of `color` with `other`."""
    pairs = zip(_parts(color), _parts(other), strict=True)
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in pairs)


def _parts(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
