"""Forward raw requests to an endpoint and stream its raw responses."""

import asyncio
import json
import zlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self, cast
from urllib.parse import quote

from streamtui.config import Endpoint
from streamtui.providers.client_factory import http_client_for, own_headers
from streamtui.providers.credentials import Credentials
from streamtui.providers.error_explainer import STARRED, Explainer, secrets_of

if TYPE_CHECKING:
    import httpx2

    from streamtui.providers.client_factory import Transport


class Upstream:
    """An endpoint that requests are forwarded to. Nothing is imported or opened before the first use."""

    def __init__(self, endpoint: Endpoint, *, transport: "Transport | None" = None) -> None:
        """`transport`: creates a transport to use instead of the network, at the first use."""
        self._credentials = Credentials(endpoint)
        self._transport = transport
        self._client: httpx2.AsyncClient | None = None
        self._connecting = asyncio.Lock()

    async def open(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> "UpstreamReply":
        """Send a request with the endpoint's own API key and return the response once its headers have arrived.

        `path` is relative to the endpoint's address, as ``/models``. The endpoint's headers override `headers`.
        Any status is returned; only a failure to get one raises ProviderError. Canceling closes the connection at
        once.
        """
        endpoint = await self._credentials.resolve()
        explain = Explainer(endpoint)
        client = self._client or await self._connected(endpoint)
        sent = {**(headers or {}), **own_headers(endpoint)}
        request = client.build_request(method, _url(endpoint, path), content=body, headers=sent)
        try:
            response = await client.send(request, stream=True)
        except _failures() as error:
            raise explain.network(error) from None
        if response.status_code == 401:
            self._credentials.invalidate()
        return UpstreamReply(response, explain)

    async def aclose(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _connected(self, endpoint: Endpoint) -> "httpx2.AsyncClient":
        async with self._connecting:
            if self._client is None:
                # In a thread, because importing httpx2 and reading the certificates would block every other stream.
                self._client = await asyncio.to_thread(self._made, endpoint)
            return self._client

    def _made(self, endpoint: Endpoint) -> "httpx2.AsyncClient":
        import httpx2

        limits = endpoint.timeouts
        timeout = httpx2.Timeout(limits.silence, connect=limits.connect, pool=limits.connect)
        # The caller limits concurrency: a request waiting here would look dead.
        return http_client_for(endpoint, self._transport, timeout, connections=None)


def _url(endpoint: Endpoint, path: str) -> "httpx2.URL":
    import httpx2

    try:
        base = httpx2.URL(endpoint.base_url)
        # Keep the query: Azure requires its api-version in every URL.
        return base.copy_with(path=base.path.rstrip("/") + path)
    except httpx2.InvalidURL as error:
        raise Explainer(endpoint).unusable_setting(error) from None


class UpstreamReply:
    """A response whose headers have arrived. As a context manager it closes the connection on exit."""

    def __init__(self, response: "httpx2.Response", explain: Explainer) -> None:
        self._response = response
        self._explain = explain

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._response.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, by lower-case names."""
        return self._response.headers

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Yield the chunks of the body as they arrive, unchanged. Raise ProviderError if the connection is lost.

        Nothing is read ahead, so that TCP slows down a server whose data is not consumed.
        """
        begun = False
        try:
            # Not aiter_raw(), which yields nothing for a response that arrived whole, as some of the demo's do.
            async for piece in cast("httpx2.AsyncByteStream", self._response.stream):
                begun = True
                yield piece
        except _failures() as error:
            raise self._explain.network(error, begun=begun) from None

    async def read(self, limit: int) -> bytes | None:
        """Return the whole body, decompressed; None if it exceeds `limit` bytes. Raise ProviderError."""
        body = bytearray()
        async for piece in self.pieces():
            body += piece
            if len(body) > limit:
                return None
        decoded = _decompressed(bytes(body), self.headers.get("content-encoding", "").lower(), limit + 1)
        return decoded if len(decoded) <= limit else None

    async def read_error(self, limit: int) -> bytes:
        """Return an error body without the endpoint's API key; empty if it exceeds `limit` bytes."""
        return without_secrets(await self.read(limit) or b"", self._explain.endpoint)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._response.aclose()


def _decompressed(body: bytes, encoding: str, limit: int) -> bytes:
    """Return at most `limit` bytes of the decompressed `body`; empty if its encoding is unknown or wrong."""
    if encoding in ("", "identity"):
        return body
    # Servers compress errors even if asked not to. httpx2's decoders have no size limit.
    with suppress(zlib.error):
        if encoding in ("gzip", "x-gzip", "deflate"):
            return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(body, limit)
    return b""


def without_secrets(body: bytes, endpoint: Endpoint) -> bytes:
    """Return `body` with the secrets of `endpoint` and partly hidden keys redacted, however they are encoded."""
    text = body.decode("utf-8", "surrogateescape")
    for secret in secrets_of(endpoint):
        in_json = json.dumps(secret)[1:-1]
        for form in (secret, in_json, in_json.replace("/", "\\/"), quote(secret, safe="")):
            text = text.replace(form, "[key]")
    return STARRED.sub("[key]", text).encode("utf-8", "surrogateescape")


def upstream_for(endpoint: Endpoint) -> Upstream:
    """Return the upstream for `endpoint`; the demo runs in this process."""
    return Upstream(endpoint, transport=_demo if endpoint.demo else None)


def _demo() -> "httpx2.AsyncBaseTransport":
    # Imported here because it needs httpx2, which is loaded at the first use.
    from streamtui.providers.demo.transport import DemoTransport

    return DemoTransport()


def _failures() -> tuple[type[Exception], ...]:
    """Return the exceptions that sending and reading can raise."""
    import httpx2

    return (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError)
