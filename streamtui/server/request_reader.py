"""The body of a request: read whole, within limits of size and time."""

import asyncio

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from streamtui.server.api_errors import Refusal
from streamtui.server.limits import Limits


async def read_body(scope: Scope, receive: Receive, limits: Limits) -> bytes:
    """Returns the body. Raises Refusal if it is too large or too slow, ClientDisconnect if the client leaves."""
    length = Headers(scope=scope).get("content-length", "")
    if length.isdecimal() and int(length[:20]) > limits.body:
        raise _too_large(limits)
    try:
        async with asyncio.timeout(limits.body_seconds):
            return await _read(receive, limits)
    except TimeoutError:
        raise Refusal(408, f"The request did not come whole in {limits.body_seconds:g} s.", "request_timeout") from None


async def _read(receive: Receive, limits: Limits) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        # A body sent in chunks does not say its length before.
        if len(body) > limits.body:
            raise _too_large(limits)
        if not message.get("more_body", False):
            return bytes(body)


def _too_large(limits: Limits) -> Refusal:
    size = limits.body / 1024 / 1024
    return Refusal(413, f"The request is larger than {size:g} MiB, the most this relay takes.", "request_too_large")
