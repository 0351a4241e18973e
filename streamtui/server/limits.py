"""Limits: how much a client may ask of the relay, and how fast."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic


@dataclass(frozen=True, slots=True)
class Limits:
    """What one process of the relay lets in."""

    body: int = 32 * 1024 * 1024
    """Bytes of a request; images are sent inside."""
    streams: int = 1000
    """Requests being answered at once."""
    rate: float = 0
    """Requests a minute of each token (of all clients together, where none is asked for); 0: any number."""
    body_seconds: float = 60
    """In which a request should have come whole."""


@dataclass
class RateLimit:
    """Lets `rate` requests a minute through for each name, and as many at once after a pause."""

    rate: float
    clock: Callable[[], float] = monotonic
    _due: dict[str, float] = field(default_factory=dict)
    """When each name would be back at nothing spent."""

    def wait(self, name: str) -> float:
        """Counts a request of `name`. Returns 0, or, uncounted, the seconds after which it would be let through."""
        if not self.rate:
            return 0
        each, now = 60 / self.rate, self.clock()
        due = max(self._due.get(name, 0.0), now)
        wait = due + each - now - max(60.0, each)
        # A hair's breadth, so that who waits as long as told gets in.
        if wait > 1e-6:
            return wait
        self._due[name] = due + each
        return 0
