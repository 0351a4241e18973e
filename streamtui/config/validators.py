"""Validators for single values of config.toml: each returns the normalized value or raises ValueError.

The message of the error begins with "should".
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from streamtui.core.endpoint import Api
from streamtui.core.sanitize import clean, clean_line

Check = Callable[[object], Any]

# Compiled on first use, as a start without config.toml needs none of them.
_VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"
_HEADER = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_NAME = r"[A-Za-z0-9][A-Za-z0-9._:-]{0,59}"


def text(value: object) -> str:
    """Validate a string of any number of lines, such as a system prompt."""
    if not isinstance(value, str):
        raise ValueError("should be a string in quotes")
    return clean(value)


def line(value: object) -> str:
    """Validate a string of one line, such as the name of a model."""
    return clean_line(text(value))


def secret(value: object) -> str:
    """Validate an API key."""
    if not isinstance(value, str) or not value.isascii() or not value.strip().isprintable():
        raise ValueError("should be an API key in quotes, of printable ASCII characters")
    return value.strip()


def command(value: object) -> str:
    """Validate a shell command."""
    if not isinstance(value, str) or "\0" in value:
        raise ValueError('should be a command in quotes, as in "pass show openai"')
    return value.strip()


def switch(value: object) -> bool:
    """Validate a boolean."""
    if not isinstance(value, bool):
        raise ValueError("should be true or false")
    return value


def number(low: float, high: float = math.inf, *, above: bool = False) -> Check:
    """Return a validator for numbers from `low` to `high`; `above` excludes `low` itself."""

    def check(value: object) -> float:
        # bool is a subclass of int; NaN, which TOML allows, fails the comparison.
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(_expected("a number", low, high, above))
        if not low <= value <= high or math.isinf(value) or (above and value == low):
            raise ValueError(_expected("a number", low, high, above))
        return float(value)

    return check


def integer(low: int, high: int) -> Check:
    """Return a validator for integers from `low` to `high`."""

    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(_expected("an integer", low, high, False))
        return value

    return check


def _expected(kind: str, low: float, high: float, above: bool) -> str:
    if math.isinf(high):
        return f"should be {kind} above {low:g}" if above else f"should be {kind}, {low:g} or more"
    return f"should be {kind} {f'above {low:g} and up' if above else f'from {low:g}'} to {high:,.0f}"


def string_list(value: object) -> tuple[str, ...]:
    """Validate a list of one-line strings."""
    if not isinstance(value, list) or not all(isinstance(item, str) and clean_line(item) for item in value):
        raise ValueError('should be a list of strings, as in ["one", "two"]')
    return tuple(map(clean_line, value))


def url(value: object) -> str:
    """Validate the base URL of a server and strip trailing slashes."""
    address = value.strip().rstrip("/") if isinstance(value, str) else ""
    if not _is_address(address, ("http", "https")):
        raise ValueError("should be a URL, as in http://localhost:11434/v1")
    return address


def proxy(value: object) -> str:
    """Validate the URL of a proxy, or "none"."""
    address = value.strip() if isinstance(value, str) else ""
    if address != "none" and not _is_address(address, ("http", "https", "socks5", "socks5h")):
        raise ValueError('should be the URL of a proxy, as in http://proxy.example:3128, or "none"')
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
    """Validate the name of an environment variable, or ""."""
    if not isinstance(value, str) or not (value == "" or re.fullmatch(_VARIABLE, value)):
        # The value may be the key itself, so it is not quoted.
        raise ValueError("should be the name of an environment variable, not the key itself")
    return value


def api(value: object) -> Api:
    """Validate the name of an API."""
    try:
        return Api(str(value))
    except ValueError:
        raise ValueError(f"should be {', '.join(Api)}".replace(", responses", " or responses")) from None


def headers(value: object) -> dict[str, str]:
    """Validate a table of HTTP headers."""
    if not isinstance(value, Mapping) or not all(map(_is_header, value, value.values())):
        raise ValueError('should be a table of headers, as in { "X-Title" = "streamtui" }')
    return dict(value)


def _is_header(name: str, value: object) -> bool:
    return bool(re.fullmatch(_HEADER, name)) and isinstance(value, str) and value.isascii() and value.isprintable()


def fields(value: object) -> dict[str, Any]:
    """Validate a table of arbitrary JSON values."""
    if not isinstance(value, Mapping):
        raise ValueError("should be a table of fields, as in { top_k = 40 }")
    import json

    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        raise ValueError("should contain no dates, infinities or NaN, which JSON doesn't support") from None
    return dict(value)


def is_name(name: str) -> bool:
    """Return whether `name` is a valid name for an endpoint, easy to type after -e."""
    return bool(re.fullmatch(_NAME, name))
