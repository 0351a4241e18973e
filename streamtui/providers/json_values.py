"""Read values of the expected type from parsed JSON that may contain anything."""

from typing import Any


def text(value: object) -> str:
    """Return `value` if it is a string, else ""."""
    return value if isinstance(value, str) else ""


def table(value: object) -> dict[str, Any]:
    """Return `value` if it is an object, else an empty dict."""
    return value if isinstance(value, dict) else {}


def tables(value: object) -> list[dict[str, Any]]:
    """Return the objects in `value` if it is a list, else an empty list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def count(value: object) -> int:
    """Return `value` if it is a positive integer, else 0."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def number(value: object) -> int | None:
    """Return `value` if it is an integer, else None."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def dollars(value: object) -> float | None:
    """Return `value` if it is a plausible amount of US dollars, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1_000_000:
        return None
    return float(value)
