"""ReadTimeout: a limit on how long a reply may be waited for, kept by one timer."""

import asyncio
from collections.abc import AsyncGenerator
from types import TracebackType
from typing import Self

_GRAIN = 0.05
"""Seconds until it is looked again, where the wait was over and the next has not begun."""


class ReadTimeout:
    """Limits every wait for a piece of one body. An ``asyncio.timeout`` for each would cost 10 us of CPU a piece."""

    def __init__(self, until: float) -> None:
        """`until`: when the wait ends at the latest, by the clock of the running loop; set it anew for the next."""
        self.until = until
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[object] | None = None
        """What waits; None while it does not."""
        self._ran_out = False

    def __enter__(self) -> Self:
        self._timer = self._loop.call_at(self.until, self._look)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._timer is not None:
            self._timer.cancel()

    async def next(self, chunks: AsyncGenerator[bytes, None]) -> bytes | None:
        """Returns the next of `chunks`, None after the last. Raises TimeoutError if it is not there in time."""
        task = self._task = asyncio.current_task()
        assert task is not None
        cancelling = task.cancelling()
        try:
            return await anext(chunks, None)
        except asyncio.CancelledError:
            # Only our own cancelling is a matter of time, and only if nobody else's came with it.
            if self._ran_out and task.uncancel() <= cancelling:
                raise TimeoutError from None
            raise
        finally:
            self._task = None

    def _look(self) -> None:
        now = self._loop.time()
        if self._task is not None and now >= self.until:
            self._ran_out = True
            self._task.cancel()
        else:
            self._timer = self._loop.call_at(max(self.until, now + _GRAIN), self._look)
