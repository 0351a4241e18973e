"""Moderation: a reply is shown to the server's moderation model while it arrives, and stopped if that objects."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from streamtui.core.message import Delta
from streamtui.providers.base import ErrorKind, Provider, ProviderError

FIRST_WINDOW = 200
"""Characters of a reply before the first check."""
GROWTH = 1.5
"""Each check sees the reply from its beginning, and comes when it is so much longer than at the one before: all
checks together send at most three times the reply."""


async def moderated(pieces: AsyncGenerator[Delta], provider: Provider) -> AsyncGenerator[Delta]:
    """Yields `pieces` as they come; checks run beside them, and only the last one is waited for.

    The last delta's notice says how many checks there were and how long the last one took. Raises ProviderError
    where the moderation objects, or could not be asked.
    """
    checks = _Checks(provider)
    try:
        async with aclosing(pieces):
            async for piece in pieces:
                checks.add(piece)
                yield piece
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

    def add(self, piece: Delta) -> None:
        """Takes a piece, and begins a check where one is due. Raises ProviderError if the one before objected."""
        self._texts.append(piece.text)
        self._size += len(piece.text)
        if self._task is not None and self._task.done():
            self._judge(self._task.result())
            self._task = None
        if self._task is None and self._size >= max(FIRST_WINDOW, self._checked * GROWTH):
            self._begin()

    def _begin(self) -> None:
        self._texts = ["".join(self._texts)]
        self._checked, self._count = self._size, self._count + 1
        self._task = asyncio.create_task(self._provider.moderate(self._texts[0]))

    async def finish(self) -> str:
        """Checks the whole, and says what it took. Raises ProviderError."""
        began = time.monotonic()
        if self._task is not None:
            self._judge(await self._task)
        if self._size > self._checked:
            self._begin()
            assert self._task is not None
            self._judge(await self._task)
        times = "once" if self._count == 1 else f"{self._count} times"
        waited = time.monotonic() - began
        return f"{self._provider.endpoint.name} has checked the reply {times}; its end waited {waited:.2f} s for that."

    def _judge(self, flags: tuple[str, ...]) -> None:
        if flags:
            raise ProviderError(
                f"The reply was stopped: the moderation of {self._provider.endpoint.name} flagged it for "
                f"{', '.join(flags)}.",
                ErrorKind.REFUSED,
            )

    def cancel(self) -> None:
        """Ends a check that nobody waits for any more."""
        if self._task is not None and not self._task.cancel() and not self._task.cancelled():
            self._task.exception()  # looked at: nobody else will, and asyncio would complain
