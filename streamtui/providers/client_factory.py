"""HTTP and openai clients for an endpoint, with its own headers and proxy and no settings of the environment."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from streamtui.config import Endpoint
from streamtui.providers.error_explainer import Explainer

if TYPE_CHECKING:
    import httpcore2
    import httpx2
    import openai

    Transport = Callable[[], httpx2.AsyncBaseTransport]

_NO_KEY = "none"
"""Keeps the openai package from looking for a key in the environment; never sent."""
_SENT_HEADERS = {
    "host", "connection", "content-length", "content-type", "transfer-encoding", "accept",
}  # fmt: skip
_KEY_HEADERS = ("authorization", "api-key")
"""Headers that carry an API key. If the endpoint sets one, the usual header is not sent."""
_NO_PROXY = "none"
MAX_ERROR = 1024 * 1024
"""Bytes of an error body that are read."""
CONNECTIONS = 100
"""Connections to one endpoint, for a chat; httpx2's default."""


def client_for(current: Callable[[], Endpoint], transport: "Transport | None") -> "openai.AsyncOpenAI":
    """Import openai (0.6 s of CPU) and returns a client. May be called from any thread.

    `current` returns the endpoint with its key for each request. Raise ProviderError for an invalid address, proxy
    or header.
    """
    import httpx2
    import openai

    endpoint = current()
    limits = endpoint.timeouts
    # The reader of the reply applies its timeouts: these would count a keep-alive comment as data.
    timeout = httpx2.Timeout(None, connect=limits.connect, pool=limits.connect, write=limits.silence)
    http = http_client_for(endpoint, transport, timeout)
    http.event_hooks = {"request": [_header_hook(current), _trace_request], "response": [_limit_error_body]}
    address = urlsplit(endpoint.base_url)
    try:
        return openai.AsyncOpenAI(
            api_key=_NO_KEY,
            admin_api_key="",
            organization=endpoint.organization,
            project=endpoint.project,
            webhook_secret="",
            base_url=urlunsplit(address._replace(query="", fragment="")),
            # Azure requires its api-version in every URL.
            default_query=dict(parse_qsl(address.query)),
            timeout=timeout,
            max_retries=0,
            http_client=http,
        )
    except (ValueError, httpx2.InvalidURL, openai.OpenAIError) as error:
        raise Explainer(endpoint).unusable_setting(error) from None


def http_client_for(
    endpoint: Endpoint,
    transport: "Transport | None",
    timeout: "httpx2.Timeout",
    connections: int | None = CONNECTIONS,
) -> "httpx2.AsyncClient":
    """Return an HTTP client for an endpoint that opens at most `connections`; None: no limit.

    Raise ProviderError for an invalid address, proxy or header.
    """
    import httpx2

    from streamtui.providers.http_client import HTTPClient

    explain = Explainer(endpoint)
    _check_headers(endpoint, explain)
    limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=CONNECTIONS)
    try:
        if urlsplit(endpoint.base_url).port == 0:  # raises ValueError for one above 65535
            raise ValueError("port 0")
        return HTTPClient(
            transport=transport_for(endpoint, transport, limits),
            proxy=endpoint.proxy if endpoint.proxy not in ("", _NO_PROXY) and transport is None else None,
            timeout=timeout,
            limits=limits,
            event_hooks={"request": [_trace_request]},
            # A redirect would send the conversation to a server that the user did not choose.
            follow_redirects=False,
        )
    except (ImportError, ValueError, httpx2.InvalidURL) as error:
        raise explain.unusable_setting(error) from None


def _check_headers(endpoint: Endpoint, explain: Explainer) -> None:
    for name, value in endpoint.headers.items():
        if not (name and value.isascii() and (value + "-").isprintable() and _is_token(name)):
            raise explain.unusable_header(name)


def _is_token(name: str) -> bool:
    return name.isascii() and all(letter.isalnum() or letter in "!#$%&'*+-.^_`|~" for letter in name)


def transport_for(
    endpoint: Endpoint, transport: "Transport | None", limits: "httpx2.Limits"
) -> "httpx2.AsyncBaseTransport | None":
    """Return the transport for `endpoint`; None: httpx2's default, with the proxies of the environment."""
    if transport is not None:
        return transport()
    if endpoint.proxy == _NO_PROXY or (endpoint.is_local and not endpoint.proxy):
        import httpx2

        # Proxies of the environment are not for servers on this machine.
        return httpx2.AsyncHTTPTransport(limits=limits)
    return None


sent_callback: "ContextVar[Callable[[], None] | None]" = ContextVar("sent_callback", default=None)
"""Called when the current request has been sent. A context variable, as the openai package passes nothing on."""


async def _trace_request(request: "httpx2.Request") -> None:
    """Call `sent_callback`, and close a connection whose TLS handshake is canceled; httpcore2 leaves it open.

    A request has only a handful of these events, whatever the size of its response.
    """
    from streamtui.providers.http_client import REUSED

    tell = sent_callback.get()
    stream: httpcore2.AsyncNetworkStream | None = None

    async def trace(event: str, info: "dict[str, Any]") -> None:
        nonlocal stream
        if event.endswith("connect_tcp.complete"):
            stream = info["return_value"]
        elif event.endswith("send_request_headers.started"):
            request.extensions[REUSED] = stream is None
        elif event.endswith("start_tls.failed"):
            if stream is not None:
                await stream.aclose()
        # The request that opens a tunnel through a proxy is not this one.
        elif tell and event.endswith("receive_response_headers.started") and info["request"].method != b"CONNECT":
            tell()

    request.extensions["trace"] = trace


async def _limit_error_body(response: "httpx2.Response") -> None:
    """Limit how much of an error body is read: the openai package reads all of it."""
    import httpx2

    if response.status_code < 400:
        return
    assert isinstance(response.stream, httpx2.AsyncByteStream)
    body: httpx2.AsyncByteStream = response.stream

    class Beginning(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            left = MAX_ERROR
            async for chunk in body:
                yield chunk[:left]
                left -= len(chunk)
                if left <= 0:
                    return

        async def aclose(self) -> None:
            await body.aclose()

    response.stream = Beginning()


def _header_hook(current: Callable[[], Endpoint]) -> "Callable[[httpx2.Request], Awaitable[None]]":
    async def hook(request: "httpx2.Request") -> None:
        """Remove all other headers: OPENAI_CUSTOM_HEADERS would go to any server."""
        headers = request.headers
        for name in [name for name in headers if name not in _SENT_HEADERS]:
            del headers[name]
        headers.update(own_headers(current()))

    return hook


def own_headers(endpoint: Endpoint) -> dict[str, str]:
    """Return the headers for `endpoint`: its API key, organization and project, and those of its settings."""
    from streamtui import __version__

    own = {name.lower(): value for name, value in endpoint.headers.items()}
    has_key = any(name in own for name in _KEY_HEADERS)
    usual = {
        "user-agent": f"streamtui/{__version__}",
        # A compressing proxy would delay deltas until its buffer is full.
        "accept-encoding": "identity",
        "authorization": f"Bearer {endpoint.api_key}" if endpoint.api_key and not has_key else "",
        "openai-organization": endpoint.organization,
        "openai-project": endpoint.project,
    }
    return {name: value for name, value in (usual | own).items() if value}
