"""Checks of streaming replies with the server's moderation API."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from streamtui.core.message import Delta
from streamtui.providers.base import ErrorKind, Provider, ProviderError

FIRST_WINDOW = 200
"""Characters of a reply before the first check."""
GROWTH = 1.5
"""Growth of the reply between two checks. Each check sends the reply from its start, so all checks together send at
most three times its length."""


async def moderated(deltas: AsyncGenerator[Delta], provider: Provider) -> AsyncGenerator[Delta]:
    """Yield `deltas` without delay while checks run in the background; only the end waits for the last check.

    The notice of the last delta has the number of checks and the delay. Raise ProviderError if the reply is flagged or
    a check fails.
    """
    checks = _Checks(provider)
    try:
        async with aclosing(deltas):
            async for delta in deltas:
                checks.add(delta)
                yield delta
        yield Delta(notice=await checks.finish())
    finally:
        checks.cancel()


class _Checks:
    """The checks of one reply, one at a time."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._texts: list[str] = []
        self._size = self._checked = self._count = 0
        self._task: asyncio.Task[tuple[str, ...]] | None = None

    def add(self, delta: Delta) -> None:
        """Add a delta and start a check if one is due. Raise ProviderError if the previous check flagged the reply."""
        self._texts.append(delta.text)
        self._size += len(delta.text)
        if self._task is not None and self._task.done():
            self._raise_if_flagged(self._task.result())
            self._task = None
        if self._task is None and self._size >= max(FIRST_WINDOW, self._checked * GROWTH):
            self._begin()

    def _begin(self) -> None:
        self._texts = ["".join(self._texts)]
        self._checked, self._count = self._size, self._count + 1
        self._task = asyncio.create_task(self._provider.moderate(self._texts[0]))

    async def finish(self) -> str:
        """Check the whole reply and return a notice for the user. Raise ProviderError."""
        began = time.monotonic()
        if self._task is not None:
            self._raise_if_flagged(await self._task)
        if self._size > self._checked:
            self._begin()
            assert self._task is not None
            self._raise_if_flagged(await self._task)
        times = "once" if self._count == 1 else f"{self._count} times"
        delay = time.monotonic() - began
        return f"Moderation checked the reply {times}, which delayed its end by {delay:.2f} s."

    def _raise_if_flagged(self, flags: tuple[str, ...]) -> None:
        if flags:
            raise ProviderError(
                f"Stopped: the moderation of {self._provider.endpoint.name} flagged the reply for {', '.join(flags)}.",
                ErrorKind.REFUSED,
            )

    def cancel(self) -> None:
        """Cancel a running check."""
        if self._task is not None and not self._task.cancel() and not self._task.cancelled():
            self._task.exception()  # retrieved, or asyncio would warn about it
