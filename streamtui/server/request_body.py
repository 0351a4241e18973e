"""Reading request bodies, and limits on what JSON may cost."""

import asyncio

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from streamtui.server.api_errors import ApiError
from streamtui.server.limits import Limits

MAX_JSON_VALUES = 250_000
"""Values, commas and brackets in a JSON document. Parsing that many takes about 25 ms, in which no other stream moves:
a JSON parser never gives up Python's global lock, so a thread doesn't help."""


async def read_body(scope: Scope, receive: Receive, limits: Limits) -> bytes:
    """Return the request body.

    Raises ApiError for a body that is too large, too complex or too slow, and ClientDisconnect if the client leaves.
    """
    length = Headers(scope=scope).get("content-length", "")
    if length.isdecimal() and int(length[:20]) > limits.body:
        raise _too_large(limits)
    try:
        async with asyncio.timeout(limits.body_timeout):
            body = await _read(receive, limits)
    except TimeoutError:
        message = f"The request body didn't arrive within {limits.body_timeout:g} seconds. Please try again."
        raise ApiError(408, message, "request_timeout") from None
    # A thread, because each step of the count is short and other streams can go on between them.
    if len(body) > MAX_JSON_VALUES and await asyncio.to_thread(is_too_complex, body):
        message = f"The request body has too many JSON values (limit: about {MAX_JSON_VALUES:,}). Send a simpler one."
        raise ApiError(413, message, "request_too_large")
    return body


def is_too_complex(body: bytes) -> bool:
    """Return whether JSON has more than `MAX_JSON_VALUES` commas and brackets outside of strings."""
    if _count_structure(body) <= MAX_JSON_VALUES:
        return False
    unescaped = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    # Every second part is outside of strings. More strings than the limit of splits allows are too many values.
    return _count_structure(b"".join(unescaped.split(b'"', 4 * MAX_JSON_VALUES)[::2])) > MAX_JSON_VALUES


def _count_structure(body: bytes) -> int:
    return body.count(b",") + body.count(b"[") + body.count(b"{")


async def _read(receive: Receive, limits: Limits) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        # A chunked body doesn't announce its length.
        if len(body) > limits.body:
            raise _too_large(limits)
        if not message.get("more_body", False):
            return bytes(body)


def _too_large(limits: Limits) -> ApiError:
    size = limits.body / 1024 / 1024
    return ApiError(
        413, f"The request body is too large (limit: {size:g} MiB). Send a smaller one.", "request_too_large"
    )
