"""The server that the relay's tests share."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.relay import Stage, staging


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage() -> AsyncIterator[Stage]:
    """One uvicorn on a real socket, for all tests: it starts and stops in a third of a second."""
    async with staging() as found:
        yield found
