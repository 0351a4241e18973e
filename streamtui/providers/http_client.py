"""HTTPClient: the HTTP client of an endpoint, wary of what servers do with a connection between two requests."""

from collections.abc import AsyncIterator
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, cast

import httpx2

REUSED = "streamtui_reused"
"""The extension of a request that is set once it is sent on a connection that carried another one before."""


class HTTPClient(httpx2.AsyncClient):
    """httpx2's, without cookies: what one client of the relay is sent must not come back with another's request."""

    def __init__(self, **options: Any) -> None:
        super().__init__(cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())), **options)

    async def send(self, request: httpx2.Request, *, stream: bool = False, **options: Any) -> httpx2.Response:
        """Send `request`, a second time if it met a connection that the server was just closing for idleness."""
        try:
            response = await super().send(request, stream=True, **options)
        except (httpx2.NetworkError, httpx2.RemoteProtocolError):
            if not request.extensions.pop(REUSED, False):
                raise
            response = await super().send(request, stream=True, **options)
        network = response.extensions.get("network_stream")
        if network is not None:  # None: the demo's
            response.stream = _Body(cast(httpx2.AsyncByteStream, response.stream), network)
        if not stream:
            await response.aread()
        return response


class _Body(httpx2.AsyncByteStream):
    """The body of a response. httpcore2 would take bytes behind its end for the response to the next request."""

    def __init__(self, stream: httpx2.AsyncByteStream, network: Any) -> None:
        self._stream = stream
        self._network = network

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._stream)

    async def aclose(self) -> None:
        """Release the connection, or close it if the server sent more than the body."""
        try:
            if _surplus(self._stream):
                # The pool drops a connection whose socket is closed.
                await self._network.aclose()
        finally:
            await self._stream.aclose()


def _surplus(stream: object) -> bytes:
    """Return the bytes read beyond the end of the body. Only h11 has them, and httpcore2 doesn't show its h11."""
    at: Any = stream
    for name in ("_stream", "_httpcore_stream", "_stream", "_connection", "_h11_state"):
        at = getattr(at, name, None)
    return b"" if at is None else cast(bytes, at.trailing_data[0])
