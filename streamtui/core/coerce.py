"""Coerce untrusted JSON and database values to clean values of the expected type."""

import math
import re
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from streamtui.core.sanitize import clean, clean_line

LATEST = 253_370_764_800.0
"""A timestamp in the year 9999, valid in every time zone."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def text(value: object) -> str:
    """Return a string, cleaned; "" for any other type."""
    return clean(value) if isinstance(value, str) else ""


def line(value: object) -> str:
    """Return a string, cleaned and on one line; "" for any other type."""
    return clean_line(value) if isinstance(value, str) else ""


def number(value: object) -> float | None:
    """Return a finite number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def timestamp(value: object) -> float:
    """Return a valid Unix timestamp; 0 for anything else."""
    found = number(value)
    return found if found is not None and 0 <= found <= LATEST else 0.0


def iso_timestamp(value: object) -> float:
    """Return an ISO 8601 date (UTC if it has no time zone) as a Unix timestamp; 0 for anything else."""
    try:
        when = datetime.fromisoformat(line(value))
        return timestamp((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return 0.0


def count(value: object) -> int:
    """Return a non-negative integer that fits into SQLite; 0 for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else 0


def mapping(value: object) -> dict[str, Any]:
    """Return a JSON object; an empty one for any other type."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    """Return a JSON array; an empty one for any other type."""
    return value if isinstance(value, list) else []


def json_value(value: object) -> Any:
    """Return a JSON value with all strings cleaned and NaN and infinity replaced by None."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean_line(str(name)): json_value(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(item) for item in value]
    return value if isinstance(value, bool | int) or number(value) is not None else None


def stable_id(*parts: object) -> str:
    """Return an id like those of `new_id` that depends on `parts` only."""
    joined = "\x00".join(map(str, parts))
    return sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def valid_id(value: object) -> str:
    """Return a valid id unchanged, an id derived from any other string, or "" for no string."""
    if not isinstance(value, str) or not value:
        return ""
    return value if _ID.fullmatch(value) else stable_id(value)
