"""JSON values: takes what is of the kind expected out of parsed JSON that may hold anything."""

from typing import Any


def text(value: object) -> str:
    """Returns `value` if it is a text, else an empty one."""
    return value if isinstance(value, str) else ""


def table(value: object) -> dict[str, Any]:
    """Returns `value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def tables(value: object) -> list[dict[str, Any]]:
    """Returns the objects in `value` if it is a list, else none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def count(value: object) -> int:
    """Returns `value` if it is a whole number above 0, else 0."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def number(value: object) -> int | None:
    """Returns `value` if it is a whole number, else None."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def dollars(value: object) -> float | None:
    """Returns `value` if it can be an amount of money, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1_000_000:
        return None
    return float(value)
