"""ReadTimeout: every wait has its limit, and being cancelled by others is no time-out."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from streamtui.providers.read_timeout import ReadTimeout


async def silence() -> AsyncGenerator[bytes, None]:
    yield b"first"
    await asyncio.Event().wait()


def soon(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


async def test_a_wait_that_takes_too_long() -> None:
    chunks = silence()
    with ReadTimeout(soon(0.05)) as patience:
        assert await patience.next(chunks) == b"first"
        with pytest.raises(TimeoutError):
            await patience.next(chunks)
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()


async def test_time_between_two_waits_does_not_count() -> None:
    async def two() -> AsyncGenerator[bytes, None]:
        yield b"1"
        yield b"2"

    chunks = two()
    with ReadTimeout(soon(0.02)) as patience:
        assert await patience.next(chunks) == b"1"
        await asyncio.sleep(0.1)
        patience.until = soon(0.02)
        assert await patience.next(chunks) == b"2"
        assert await patience.next(chunks) is None


@pytest.mark.parametrize("limit", [0.0, 60.0])
async def test_who_is_cancelled_is_cancelled(limit: float) -> None:
    """Also where the limit and somebody else cancel at once."""
    waiting = asyncio.Event()

    async def wait() -> None:
        chunks = silence()
        with ReadTimeout(soon(60)) as patience:
            await patience.next(chunks)
            patience.until = soon(limit)
            waiting.set()
            await patience.next(chunks)

    task = asyncio.create_task(wait())
    await waiting.wait()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
