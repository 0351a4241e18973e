"""Limits for clients of the relay."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one relay process."""

    body: int = 32 * 1024 * 1024
    """Bytes of a request body, which may contain images."""
    concurrent: int = 1000
    """Concurrent requests."""
    rate: float = 0
    """Requests per minute for each token, or for all clients together without tokens. 0: unlimited."""
    body_timeout: float = 60
    """Seconds in which a request body has to arrive."""


@dataclass
class RateLimit:
    """A rate limit per name, as a token bucket of `rate` requests that refills in a minute."""

    rate: float
    clock: Callable[[], float] = monotonic
    _full_at: dict[str, float] = field(default_factory=dict)
    """When the bucket of each name is full again."""

    def acquire(self, name: str) -> float:
        """Count a request of `name` and return 0, or return the seconds to wait without counting it."""
        if not self.rate:
            return 0
        interval, now = 60 / self.rate, self.clock()
        full_at = max(self._full_at.get(name, 0.0), now) + interval
        wait = full_at - now - max(60.0, interval)
        # Rounding must not reject a client that waited exactly as long as it was told.
        if wait > 1e-6:
            return wait
        self._full_at[name] = full_at
        return 0
