"""Values from files of other programs: whatever stands there, something clean of the right kind comes out."""

import math
import re
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from streamtui.core.sanitize import clean, clean_line

LATEST = 253_370_764_800.0
"""The year 9999: the last that Python's calendar can show, whatever the time zone."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def text(value: object) -> str:
    """Returns a text, cleaned; "" for anything else."""
    return clean(value) if isinstance(value, str) else ""


def line(value: object) -> str:
    """Returns a text, cleaned and on one line; "" for anything else."""
    return clean_line(value) if isinstance(value, str) else ""


def number(value: object) -> float | None:
    """Returns a finite number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def timestamp(value: object) -> float:
    """Returns a time in seconds since the epoch, one that a calendar has; 0 for anything else."""
    found = number(value)
    return found if found is not None and 0 <= found <= LATEST else 0.0


def iso_timestamp(value: object) -> float:
    """Returns an ISO date and time (of UTC where it names no zone) in seconds since the epoch; 0 for anything else."""
    try:
        when = datetime.fromisoformat(line(value))
        return timestamp((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return 0.0


def count(value: object) -> int:
    """Returns a whole number from 0 that SQLite can hold; 0 for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else 0


def mapping(value: object) -> dict[str, Any]:
    """Returns an object of JSON; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    """Returns an array of JSON; an empty one for anything else."""
    return value if isinstance(value, list) else []


def json_value(value: object) -> Any:
    """Returns a JSON value with every text in it cleaned and no number that JSON does not have."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean_line(str(name)): json_value(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(item) for item in value]
    return value if isinstance(value, bool | int) or number(value) is not None else None


def stable_id(*parts: object) -> str:
    """Returns an id like those of `new_id`, always the same for the same `parts`."""
    joined = "\x00".join(map(str, parts))
    return sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def valid_id(value: object) -> str:
    """Returns an id of streamtui's as it is, any other text as an id made of it, "" for no text."""
    if not isinstance(value, str) or not value:
        return ""
    return value if _ID.fullmatch(value) else stable_id(value)
