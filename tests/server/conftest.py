"""Fixtures of the relay's tests."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support import relay
from tests.support.relay import RelayServer


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def relay_server() -> AsyncIterator[RelayServer]:
    """One uvicorn on a real socket for all tests, as starting and stopping it takes a third of a second."""
    async with relay.relay_server() as server:
        yield server
