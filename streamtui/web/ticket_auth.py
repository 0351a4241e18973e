"""Door: lets in whom the user sent: a ticket in the address, good once, then a cookie."""

import secrets
from collections import deque
from hmac import compare_digest

TICKETS = 16
"""Tickets that are good at the same time; the oldest goes when there are more."""
PASSES = 64
"""Browsers that are let in at the same time."""


class Door:
    """Knows the tickets that were given out and the browsers that came in with one.

    Tickets and passes are 256 random bits and live in memory only: they end with the program.
    """

    def __init__(self) -> None:
        self._tickets: deque[str] = deque(maxlen=TICKETS)
        self._passes: deque[str] = deque(maxlen=PASSES)

    def ticket(self) -> str:
        """Returns a new ticket, good for one browser."""
        ticket = secrets.token_urlsafe(32)
        self._tickets.append(ticket)
        return ticket

    def enter(self, ticket: str) -> str | None:
        """Takes a ticket and returns the pass to come back with; None for a ticket that is not good (any more)."""
        found = _found(ticket, self._tickets)
        if found is None:
            return None
        self._tickets.remove(found)
        self._passes.append(secrets.token_urlsafe(32))
        return self._passes[-1]

    def knows(self, pass_: str) -> bool:
        """Whether `pass_` was given out here."""
        return _found(pass_, self._passes) is not None


def _found(text: str, among: deque[str]) -> str | None:
    # Every entry is compared, in constant time: how long it takes tells nothing.
    equal = [known for known in among if compare_digest(known.encode(), text.encode("utf-8", "replace"))]
    return equal[0] if equal else None
