"""Presence: work for a client goes on only while the client is there."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
from starlette.types import Receive

from streamtui.server.request_log import End, Exchange


@contextmanager
def while_present(receive: Receive, exchange: Exchange) -> Iterator[None]:
    """Ends the block at once when the client leaves, which is noted in `exchange`; raises nothing then.

    The request's body has to be read before.
    """
    with anyio.CancelScope() as scope:

        def leave(_: object) -> None:
            # A complete answer ends the wait for the client's leaving too.
            if not exchange.complete:
                exchange.end = End.LEFT
                scope.cancel()

        watch = asyncio.ensure_future(_until_gone(receive))
        watch.add_done_callback(leave)
        try:
            yield
        finally:
            watch.remove_done_callback(leave)
            watch.cancel()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
