"""What the access log and the metrics know about a request: no prompt, no reply and no key."""

from dataclasses import dataclass, field
from enum import StrEnum
from time import monotonic
from typing import cast

from starlette.types import Scope


class End(StrEnum):
    """How a response ended."""

    DONE = "done"
    LEFT = "left"
    """The client disconnected."""
    BROKEN = "broken"
    """The endpoint broke off, or the relay was stopped."""


@dataclass(slots=True)
class RequestLogEntry:
    """One request and its response."""

    method: str
    path: str
    started: float = field(default_factory=monotonic)
    first_byte: float | None = None
    """Seconds until the first byte of the response body."""
    status: int = 0
    """0 until the response starts."""
    sent_bytes: int = 0
    """Bytes of the response body."""
    token: str = ""
    """Name of the client's token."""
    endpoint: str = ""
    end: End = End.DONE
    complete: bool = False
    """Whether the whole response was sent."""


def log_entry(scope: Scope) -> RequestLogEntry:
    """Return the log entry of the request."""
    return cast(RequestLogEntry, scope["state"]["log_entry"])
