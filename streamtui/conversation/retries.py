"""Retries: a request that failed before its first piece is sent again, after a wait."""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from streamtui.core.message import Delta
from streamtui.providers.base import ErrorKind, Provider, ProviderError, Request

_Answer = TypeVar("_Answer")

_REASONS = {
    ErrorKind.UNREACHABLE: "no connection",
    ErrorKind.TIMEOUT: "no answer",
    ErrorKind.BROKEN: "broken off",
    ErrorKind.SERVER: "server error",
    ErrorKind.BUSY: "too many requests",
}


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before a request is sent again."""

    first: float = 0.5
    """Seconds after the first failure; each further one doubles them."""
    longest: float = 8.0
    patience: float = 120.0
    """Seconds that a server may ask for; where it asks for more, the user is told and decides."""
    jitter: Callable[[], float] = random.random
    """A number from 0 to 1: a wait is up to a quarter shorter, lest all clients of a server come back at once."""
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep

    def after(self, failures: int, asked: float | None = None) -> float:
        """Returns the seconds to wait after so many failures, or what the server `asked` for."""
        return asked or min(self.longest, self.first * 2 ** (failures - 1)) * (1 - self.jitter() / 4)


@dataclass(frozen=True, slots=True)
class Retry:
    """A wait before a request is sent again."""

    number: int
    """Counted from 1."""
    most: int
    """How many there may be."""
    wait: float
    """Seconds."""
    reason: str
    """In a word or two."""
    sentence: str
    """The same for whom it has to be explained."""


async def stream_with_retries(
    provider: Provider, request: Request, backoff: Backoff, tell: Callable[[Retry | None], None]
) -> AsyncGenerator[Delta]:
    """Yields what `provider` replies to `request`; see `Provider.stream`.

    A failure that may pass (`ProviderError.retryable`) is not raised but followed by another try, as often as
    the endpoint allows, as long as neither text nor reasoning has come. `tell` is called with every wait, and
    with None when it is over.
    """
    failures, begun = 0, False
    while True:
        try:
            async with aclosing(provider.stream(request)) as pieces:
                async for piece in pieces:
                    begun = begun or bool(piece.text or piece.reasoning)
                    if piece.adapted:
                        request = replace(request, adaptations={**request.adaptations, **piece.adapted})
                    yield piece
            return
        except ProviderError as error:
            failures += 1
            if begun or not error.retryable:
                raise
            retry = _retry(error, failures, provider.endpoint.retries, backoff)
        tell(retry)
        await backoff.sleep(retry.wait)
        tell(None)


async def call_with_retries(
    ask: Callable[[], Awaitable[_Answer]], most: int, backoff: Backoff, tell: Callable[[Retry | None], None]
) -> _Answer:
    """Return the result of `ask`, retried up to `most` times after transient failures."""
    failures = 0
    while True:
        try:
            return await ask()
        except ProviderError as error:
            failures += 1
            if not error.retryable:
                raise
            retry = _retry(error, failures, most, backoff)
        tell(retry)
        await backoff.sleep(retry.wait)
        tell(None)


def _retry(error: ProviderError, failures: int, most: int, backoff: Backoff) -> Retry:
    """Returns the wait before the next try. Raises ProviderError where there is none."""
    if (error.retry_after or 0) > backoff.patience:
        raise _explained(error, f"It can be asked again at {_clock(error.retry_after or 0)}.")
    if failures > most:
        raise _explained(error, f"It was asked {failures} times.") if most else error
    wait = backoff.after(failures, error.retry_after)
    return Retry(failures, most, wait, reason_of(error), error.message)


def reason_of(error: ProviderError) -> str:
    """Returns why a request failed, in a word or two."""
    return str(error.status) if error.status else _REASONS.get(error.kind, "failed")


def _explained(error: ProviderError, more: str) -> ProviderError:
    sentence = f"{error.message} {more}"
    return ProviderError(sentence, error.kind, status=error.status, retry_after=error.retry_after)


def _clock(wait: float) -> str:
    """Returns the time of day in `wait` seconds, with the date where that is not today."""
    now = datetime.now()
    try:
        then = now + timedelta(seconds=wait)
    except OverflowError:
        return "the end of days"
    return then.strftime("%H:%M" if then.date() == now.date() else "%Y-%m-%d %H:%M")
