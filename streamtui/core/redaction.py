"""Redact API keys and passwords in settings that are shown."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

MASK = "…"
_SECRET = re.compile(r"key|token|secret|passw|auth|cookie|credential|session|signature", re.IGNORECASE)
_HARMLESS = frozenset({"http-referer", "referer", "x-title", "user-agent", "accept", "accept-language"})


def masked(key: str) -> str:
    """Return `key` masked; a long one keeps its last characters, so that its owner recognizes it."""
    return "" if not key else MASK + key[-4:] if len(key) >= 20 else MASK


def without_password(url: str) -> str:
    """Return `url` without user name, password and query, which may contain keys."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment=""))


def masked_url(url: str) -> str:
    """Return `url` with its user name, password and query masked."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return MASK
    _, at, host = parts.netloc.rpartition("@")
    return urlunsplit(
        parts._replace(netloc=f"{MASK}@{host}" if at else host, query=MASK if parts.query else "", fragment="")
    )


def masked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return `headers` with all values masked except those known to be harmless."""
    return {name: value if name.lower() in _HARMLESS else masked(value) or MASK for name, value in headers.items()}


def masked_command(command: str) -> str:
    """Return the program that `command` runs, with its arguments masked: they may contain a key."""
    program, *rest = command.split(maxsplit=1)
    return f"{program} {MASK}" if rest else program


def masked_fields(value: Any, name: str = "") -> Any:
    """Return JSON `value` with strings masked whose name, or an enclosing name, suggests a secret."""
    if isinstance(value, Mapping):
        return {key: masked_fields(inner, f"{name} {key}") for key, inner in value.items()}
    if isinstance(value, list):
        return [masked_fields(inner, name) for inner in value]
    return MASK if isinstance(value, str) and _SECRET.search(name) else value
