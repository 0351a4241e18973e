"""Canceling work for clients that disconnect."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
from starlette.types import Receive

from streamtui.server.request_log import End, RequestLogEntry


@contextmanager
def cancel_on_disconnect(receive: Receive, entry: RequestLogEntry) -> Iterator[None]:
    """Cancel the block when the client disconnects, set `entry.end`, and continue after the block.

    The request body has to be read before.
    """
    with anyio.CancelScope() as scope:

        def cancel(_: object) -> None:
            # The server also reports a disconnect at the end of a complete response.
            if not entry.complete:
                entry.end = End.LEFT
                scope.cancel()

        watcher = asyncio.ensure_future(_wait_for_disconnect(receive))
        watcher.add_done_callback(cancel)
        try:
            yield
        finally:
            watcher.remove_done_callback(cancel)
            watcher.cancel()


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
