"""Read the error in the body and headers of a response."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from math import isfinite
from time import time

from streamtui.core.sanitize import clean_line

MAX_MESSAGE = 10_000
"""Characters of a server's error message that are read; a body can have megabytes."""
_EVENT_DATA = re.compile(r"^data: *(\{.*\})[ \t\r]*$", re.MULTILINE)
_HTML_TITLE = re.compile(r"<title[^<>]*>([^<]*)</title", re.IGNORECASE)
_HTML = re.compile(r"^\s*<(!doctype|html|head|body|\?xml)", re.IGNORECASE)


def server_message(body: object, depth: int = 5) -> str:
    """Return the error message of a parsed (or unparsed) body, on one clean line; empty if there is none.

    Understands ``{"error": {"message"}}``, ``{"error": str}``, ``{"message"}``, FastAPI's ``{"detail"}``, a
    server-sent event with one of them, plain text and the title of an HTML page.
    """
    if isinstance(body, str):
        event = _EVENT_DATA.search(body)
        if depth and event is not None:
            with suppress(ValueError, RecursionError):
                return server_message(json.loads(event[1]), depth - 1)
        title = _HTML_TITLE.search(body)
        if title:
            return clean_line(title[1][:MAX_MESSAGE])
        return "" if _HTML.match(body) else clean_line(body[:MAX_MESSAGE])
    if depth and isinstance(body, list):
        return "; ".join(filter(None, (server_message(item, depth - 1) for item in body[:3])))
    if depth and isinstance(body, dict):
        for name in ("error", "message", "detail", "msg", "error_description", "code"):
            words = server_message(body.get(name), depth - 1)
            if words:
                return words
    return ""


def error_in(data: object) -> object | None:
    """Return the error in a parsed body or event; None if it is not an error."""
    if not isinstance(data, dict):
        return None
    if data.get("error"):
        error: object = data["error"]
        return error
    if data.get("object") == "error" or data.get("type") == "error":
        return data
    return None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait by ``Retry-After`` (or ``retry-after-ms``); None without either."""
    for name, factor in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        text = headers.get(name, "").strip()
        if not text:
            continue
        seconds = _number(text)
        if seconds is not None:
            return max(0.0, seconds * factor)
        try:
            return max(0.0, parsedate_to_datetime(text).timestamp() - time())
        except ValueError:
            continue
    return None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None


def error_code(body: object) -> str:
    """Return the code and type of the error in a parsed body; empty if it has neither."""
    if not isinstance(body, dict):
        return ""
    error = body.get("error")
    inner = error if isinstance(error, dict) else body
    return " ".join(inner[name][:MAX_MESSAGE] for name in ("code", "type") if isinstance(inner.get(name), str))
