"""A timeout for reading a response, with a single timer."""

import asyncio
from collections.abc import AsyncGenerator
from types import TracebackType
from typing import Self

_GRAIN = 0.05
"""Seconds until the next check if the deadline passed between two reads."""


class ReadTimeout:
    """Limits each read of a body. An ``asyncio.timeout`` per read would cost 10 us of CPU."""

    def __init__(self, until: float) -> None:
        """`until`: the deadline on the running loop's clock; set it again for the next read."""
        self.until = until
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[object] | None = None
        """The task that is reading; None between reads."""
        self._timed_out = False

    def __enter__(self) -> Self:
        self._timer = self._loop.call_at(self.until, self._check)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._timer is not None:
            self._timer.cancel()

    async def next(self, chunks: AsyncGenerator[bytes, None]) -> bytes | None:
        """Return the next of `chunks`, None after the last. Raise TimeoutError at the deadline."""
        task = self._task = asyncio.current_task()
        assert task is not None
        cancelling = task.cancelling()
        try:
            return await anext(chunks, None)
        except asyncio.CancelledError:
            # A timeout only if we canceled the task and nobody else did.
            if self._timed_out and task.uncancel() <= cancelling:
                raise TimeoutError from None
            raise
        finally:
            self._task = None

    def _check(self) -> None:
        now = self._loop.time()
        if self._task is not None and now >= self.until:
            self._timed_out = True
            self._task.cancel()
        else:
            self._timer = self._loop.call_at(max(self.until, now + _GRAIN), self._check)
