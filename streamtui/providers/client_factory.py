"""Connection: the openai client of an endpoint, with its own headers, its own proxy and nothing of the environment."""

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
"""Headers that carry a key. One of them among the endpoint's own takes the place of the usual one."""
_NO_PROXY = "none"
MAX_ERROR = 1024 * 1024
"""Bytes that are read of the body of an error."""
CONNECTIONS = 100
"""To one endpoint, for a chat; httpx2's own limit."""


def client_for(current: Callable[[], Endpoint], transport: "Transport | None") -> "openai.AsyncOpenAI":
    """Imports openai (0.6 s of CPU) and returns a client. May be called from any thread.

    `current` gives the endpoint, with its key, anew for every request. Raises ProviderError for an address, a
    proxy or a header that can't be used.
    """
    import httpx2
    import openai

    endpoint = current()
    limits = endpoint.timeouts
    # The limits on a reply are kept by who reads it: these would take a sign of life for a piece of the reply.
    timeout = httpx2.Timeout(None, connect=limits.connect, pool=limits.connect, write=limits.silence)
    http = http_client_for(endpoint, transport, timeout)
    http.event_hooks = {"request": [_header_hook(current), _watch], "response": [_cut_error]}
    address = urlsplit(endpoint.base_url)
    try:
        return openai.AsyncOpenAI(
            api_key=_NO_KEY,
            admin_api_key="",
            organization=endpoint.organization,
            project=endpoint.project,
            webhook_secret="",
            base_url=urlunsplit(address._replace(query="", fragment="")),
            # Azure wants its api-version behind every address.
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
    """Returns the HTTP client for an endpoint, which opens so many `connections` at most; None: any number.

    Raises ProviderError for an address, a proxy or a header that can't be used.
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
            event_hooks={"request": [_watch]},
            # A redirect would take the conversation to a server nobody named.
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
    """Returns what carries requests to `endpoint`; None: the network, by the proxies of the environment."""
    if transport is not None:
        return transport()
    if endpoint.proxy == _NO_PROXY or (endpoint.is_local and not endpoint.proxy):
        import httpx2

        # No proxy of the environment leads to a server on this machine.
        return httpx2.AsyncHTTPTransport(limits=limits)
    return None


sent_callback: "ContextVar[Callable[[], None] | None]" = ContextVar("sent_callback", default=None)
"""What is called when the request that is being made has been sent whole. The openai package hands nothing on."""


async def _watch(request: "httpx2.Request") -> None:
    """Call `sent_callback`, and close a connection whose TLS handshake is canceled; httpcore2 leaves it open.

    The events below are a handful for every request, whatever its answer.
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


async def _cut_error(response: "httpx2.Response") -> None:
    """Has no more read of an error than can say something: the openai package reads it whole."""
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
        """Lets no header out that is not listed here: OPENAI_CUSTOM_HEADERS goes to any server otherwise."""
        headers = request.headers
        for name in [name for name in headers if name not in _SENT_HEADERS]:
            del headers[name]
        headers.update(own_headers(current()))

    return hook


def own_headers(endpoint: Endpoint) -> dict[str, str]:
    """Returns the headers that say who asks `endpoint`: its key, organisation and project, and those it names."""
    from streamtui import __version__

    own = {name.lower(): value for name, value in endpoint.headers.items()}
    has_key = any(name in own for name in _KEY_HEADERS)
    usual = {
        "user-agent": f"streamtui/{__version__}",
        # A compressing proxy holds pieces back until its buffer is full.
        "accept-encoding": "identity",
        "authorization": f"Bearer {endpoint.api_key}" if endpoint.api_key and not has_key else "",
        "openai-organization": endpoint.organization,
        "openai-project": endpoint.project,
    }
    return {name: value for name, value in (usual | own).items() if value}
