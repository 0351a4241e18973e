"""Retries of requests that failed before their first token."""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from streamtui.core.message import Delta
from streamtui.providers.base import ErrorKind, Provider, ProviderError, Request

_Result = TypeVar("_Result")

_REASONS = {
    ErrorKind.UNREACHABLE: "no connection",
    ErrorKind.TIMEOUT: "timed out",
    ErrorKind.BROKEN: "connection lost",
    ErrorKind.SERVER: "server error",
    ErrorKind.BUSY: "rate limit",
}


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential backoff with jitter."""

    first: float = 0.5
    """Seconds before the first retry; doubled for each further one."""
    longest: float = 8.0
    max_retry_after: float = 120.0
    """Longest Retry-After in seconds to wait for; beyond it the request fails."""
    jitter: Callable[[], float] = random.random
    """Return a number from 0 to 1, which shortens the wait by up to a quarter so that clients don't retry in step."""
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep

    def delay(self, failures: int, retry_after: float | None = None) -> float:
        """Return the seconds to wait after this number of failures; `retry_after` of the server takes precedence."""
        return retry_after or min(self.longest, self.first * 2 ** (failures - 1)) * (1 - self.jitter() / 4)


@dataclass(frozen=True, slots=True)
class Retry:
    """A retry that has been scheduled."""

    number: int
    """Counted from 1."""
    limit: int
    """Maximum number of retries."""
    wait: float
    """Seconds until the retry."""
    reason: str
    """The error in a word or two."""
    message: str
    """The error as a sentence."""


async def stream_with_retries(
    provider: Provider, request: Request, backoff: Backoff, on_retry: Callable[[Retry | None], None]
) -> AsyncGenerator[Delta]:
    """Stream the reply to `request`; see `Provider.stream`.

    Retry transient errors (`ProviderError.retryable`) up to the limit of the endpoint, unless text or reasoning has
    already arrived. Call `on_retry` before each wait, and with None after it.
    """
    failures, started = 0, False
    while True:
        try:
            async with aclosing(provider.stream(request)) as deltas:
                async for delta in deltas:
                    started = started or bool(delta.text or delta.reasoning)
                    if delta.adapted:
                        request = replace(request, adaptations={**request.adaptations, **delta.adapted})
                    yield delta
            return
        except ProviderError as error:
            failures += 1
            if started or not error.retryable:
                raise
            retry = _retry(error, failures, provider.endpoint.retries, backoff)
        on_retry(retry)
        await backoff.sleep(retry.wait)
        on_retry(None)


async def call_with_retries(
    call: Callable[[], Awaitable[_Result]], limit: int, backoff: Backoff, on_retry: Callable[[Retry | None], None]
) -> _Result:
    """Return the result of `call`, retried up to `limit` times after transient errors."""
    failures = 0
    while True:
        try:
            return await call()
        except ProviderError as error:
            failures += 1
            if not error.retryable:
                raise
            retry = _retry(error, failures, limit, backoff)
        on_retry(retry)
        await backoff.sleep(retry.wait)
        on_retry(None)


def _retry(error: ProviderError, failures: int, limit: int, backoff: Backoff) -> Retry:
    """Return the next retry. Raise `error` with an explanation if there is none."""
    if (error.retry_after or 0) > backoff.max_retry_after:
        raise _explained(error, f"Retry after {_clock(error.retry_after or 0)}.")
    if failures > limit:
        raise _explained(error, f"Gave up after {failures} attempts.") if limit else error
    wait = backoff.delay(failures, error.retry_after)
    return Retry(failures, limit, wait, reason_of(error), error.message)


def reason_of(error: ProviderError) -> str:
    """Return the cause of a failed request in a word or two."""
    return str(error.status) if error.status else _REASONS.get(error.kind, "failed")


def _explained(error: ProviderError, more: str) -> ProviderError:
    sentence = f"{error.message} {more}"
    return ProviderError(sentence, error.kind, status=error.status, retry_after=error.retry_after)


def _clock(wait: float) -> str:
    """Return the time in `wait` seconds, with the date if that is not today."""
    now = datetime.now()
    try:
        time = now + timedelta(seconds=wait)
    except OverflowError:
        return "the year 9999"
    return time.strftime("%H:%M" if time.date() == now.date() else "%Y-%m-%d %H:%M")
