"""Exchange: one request to the relay and how it went, as far as that may be written down."""

from dataclasses import dataclass, field
from enum import StrEnum
from time import monotonic
from typing import cast

from starlette.types import Scope


class End(StrEnum):
    """How an answer ended."""

    DONE = "done"
    LEFT = "left"
    """The client closed the connection."""
    BROKEN = "broken"
    """The endpoint broke off, or the relay was ended."""


@dataclass(slots=True)
class Exchange:
    """What the log and the figures get to see. No text of a prompt or reply, and no key, is ever in it."""

    method: str
    path: str
    started: float = field(default_factory=monotonic)
    first: float | None = None
    """Seconds until the first byte of the answer's body."""
    status: int = 0
    """0: no answer was begun."""
    sent: int = 0
    """Bytes of the answer's body."""
    token: str = ""
    """Name of the client's token."""
    endpoint: str = ""
    end: End = End.DONE
    complete: bool = False
    """Whether all of the answer was sent."""


def exchange_of(scope: Scope) -> Exchange:
    """Returns the exchange of the request that `scope` describes."""
    return cast(Exchange, scope["state"]["exchange"])
