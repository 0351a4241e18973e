"""Checks of single values of the file: each returns the value as it is used, or raises ValueError.

The text of the error says what the value should be, beginning with "should".
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from streamtui.core.endpoint import Api
from streamtui.core.sanitize import clean, clean_line

Check = Callable[[object], Any]

# Not compiled here: a start that reads no file has no use for them.
_VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"
_HEADER = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_NAME = r"[A-Za-z0-9][A-Za-z0-9._:-]{0,59}"


def text(value: object) -> str:
    """A text of any number of lines, such as a system prompt."""
    if not isinstance(value, str):
        raise ValueError("should be a text in quotes")
    return clean(value)


def line(value: object) -> str:
    """A text of one line, such as the name of a model."""
    return clean_line(text(value))


def secret(value: object) -> str:
    """A key."""
    if not isinstance(value, str) or not value.isascii() or not value.strip().isprintable():
        raise ValueError("should be a key in quotes, as the server gave it")
    return value.strip()


def command(value: object) -> str:
    """A command line."""
    if not isinstance(value, str) or "\0" in value:
        raise ValueError('should be a command in quotes, as in "pass show openai"')
    return value.strip()


def switch(value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError("should be true or false")
    return value


def number(low: float, high: float = math.inf, *, above: bool = False) -> Check:
    """A number from `low` (with `above`: greater than it) to `high`."""

    def check(value: object) -> float:
        # A bool is an int to Python; NaN, which TOML knows, is in no range.
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError(_expected("a number", low, high, above))
        if math.isinf(value) or (above and value == low):
            raise ValueError(_expected("a number", low, high, above))
        return float(value)

    return check


def whole(low: int, high: int) -> Check:
    """A whole number from `low` to `high`."""

    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(_expected("a whole number", low, high, False))
        return value

    return check


def _expected(kind: str, low: float, high: float, above: bool) -> str:
    if math.isinf(high):
        return f"should be {kind} above {low:g}" if above else f"should be {kind}, {low:g} or more"
    return (
        f"should be {kind} above {low:g} and up to {high:,.0f}"
        if above
        else f"should be {kind} from {low:g} to {high:,.0f}"
    )


def lines(value: object) -> tuple[str, ...]:
    """A list of texts of one line."""
    if not isinstance(value, list) or not all(isinstance(item, str) and clean_line(item) for item in value):
        raise ValueError('should be a list of texts, as in ["one", "two"]')
    return tuple(map(clean_line, value))


def url(value: object) -> str:
    """The address of a server, without a slash at its end."""
    address = value.strip().rstrip("/") if isinstance(value, str) else ""
    if not _is_address(address, ("http", "https")):
        raise ValueError("should be an address, as in http://localhost:11434/v1")
    return address


def proxy(value: object) -> str:
    """The address of a proxy, or "none"."""
    address = value.strip() if isinstance(value, str) else ""
    if address != "none" and not _is_address(address, ("http", "https", "socks5", "socks5h")):
        raise ValueError('should be the address of a proxy, as in http://proxy.example:3128, or "none"')
    return address


def _is_address(address: str, schemes: tuple[str, ...]) -> bool:
    if address != clean_line(address) or " " in address:
        return False
    try:
        parts = urlsplit(address)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def variable(value: object) -> str:
    """The name of an environment variable; "" for none."""
    if not isinstance(value, str) or not (value == "" or re.fullmatch(_VARIABLE, value)):
        # What stands there may be the key itself: it is not repeated.
        raise ValueError("should be the name of an environment variable, not the key itself")
    return value


def api(value: object) -> Api:
    """The API of a server or model."""
    try:
        return Api(str(value))
    except ValueError:
        raise ValueError(f"should be {', '.join(Api)}".replace(", responses", " or responses")) from None


def headers(value: object) -> dict[str, str]:
    """A table of HTTP headers."""
    if not isinstance(value, Mapping) or not all(map(_is_header, value, value.values())):
        raise ValueError('should be a table of headers, as in { "X-Title" = "streamtui" }')
    return dict(value)


def _is_header(name: str, value: object) -> bool:
    return bool(re.fullmatch(_HEADER, name)) and isinstance(value, str) and value.isascii() and value.isprintable()


def fields(value: object) -> dict[str, Any]:
    """A table of any fields, as JSON values."""
    if not isinstance(value, Mapping):
        raise ValueError("should be a table of fields, as in { top_k = 40 }")
    import json

    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        raise ValueError("should hold no dates, infinities or NaN, which JSON does not know") from None
    return dict(value)


def is_name(name: str) -> bool:
    """Whether `name` can be that of an endpoint: it is typed behind -e and stands in one line with others."""
    return bool(re.fullmatch(_NAME, name))
