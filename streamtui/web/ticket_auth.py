"""Authentication for `streamtui web`: a one-time ticket in the URL, then a cookie."""

import secrets
from collections import deque
from hmac import compare_digest

MAX_TICKETS = 16
"""Valid tickets. A new one replaces the oldest."""
MAX_COOKIES = 64
"""Valid cookies, one per browser. A new one replaces the oldest."""


class TicketAuth:
    """The valid tickets and cookies: 256 random bits each, in memory only."""

    def __init__(self) -> None:
        self._tickets: deque[str] = deque(maxlen=MAX_TICKETS)
        self._cookies: deque[str] = deque(maxlen=MAX_COOKIES)

    def new_ticket(self) -> str:
        """Return a new ticket, valid for one browser."""
        self._tickets.append(secrets.token_urlsafe(32))
        return self._tickets[-1]

    def redeem(self, ticket: str) -> str | None:
        """Use up a ticket and return a cookie value; None if the ticket isn't valid."""
        found = _find(ticket, self._tickets)
        if found is None:
            return None
        self._tickets.remove(found)
        self._cookies.append(secrets.token_urlsafe(32))
        return self._cookies[-1]

    def is_valid(self, cookie: str) -> bool:
        """Return whether a cookie value is valid."""
        return _find(cookie, self._cookies) is not None


def _find(text: str, known: deque[str]) -> str | None:
    # No early exit and constant-time comparisons, so that the timing reveals nothing.
    equal = [each for each in known if compare_digest(each.encode(), text.encode("utf-8", "replace"))]
    return equal[0] if equal else None
