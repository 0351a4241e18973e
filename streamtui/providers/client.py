"""OpenAIProvider: one server, reached with the openai package and read as raw server-sent events."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, suppress
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from streamtui.config import Endpoint
from streamtui.message import Delta
from streamtui.models import ModelInfo
from streamtui.providers import chat_completions
from streamtui.providers.base import Provider, ProviderError, Request
from streamtui.providers.catalogue import models_in
from streamtui.providers.errors import Explainer
from streamtui.providers.reply import ReplyReader

if TYPE_CHECKING:
    import httpx2
    import openai

    Transport = Callable[[], httpx2.AsyncBaseTransport]

CONNECT_TIMEOUT = 10.0
"""Seconds until a connection stands."""
SILENCE_TIMEOUT = 120.0
"""Seconds until the first byte of a reply, and between two pieces of it."""
LIST_TIMEOUT = 20.0
"""Seconds until the list of models is there."""
AFTERMATH = 2.0
"""Seconds in which usage may follow the end of a reply. Some servers leave the connection open after it."""
AFTER_DONE = 0.1
"""Seconds in which the body may end after ``[DONE]``; the same as the openai package allows."""
_MAX_LIST = 32 * 1024 * 1024
_OPTIONAL_FIELDS = ("stream_options",)
"""Fields of the body that a request can do without."""
_NO_KEY = "none"
"""Keeps the openai package from looking for a key in the environment; never sent."""
_SENT_HEADERS = {
    "host", "connection", "content-length", "content-type", "transfer-encoding", "accept",
    "x-stainless-raw-response",
}  # fmt: skip


class OpenAIProvider(Provider):
    """A server that speaks Chat Completions. Nothing is imported or opened before its first use."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        transport: "Transport | None" = None,
        connect_timeout: float = CONNECT_TIMEOUT,
        silence_timeout: float = SILENCE_TIMEOUT,
    ) -> None:
        """`transport`: makes what carries the requests, in place of the network; called at the first use."""
        self._endpoint = endpoint
        self._transport = transport
        self._connect_timeout = connect_timeout
        self._silence_timeout = silence_timeout
        self._lock = Lock()
        self._client: openai.AsyncOpenAI | None = None
        self._refused_fields: set[str] = set()
        """Fields of the body that this server does not know."""

    @property
    def endpoint(self) -> Endpoint:
        """The server and its key."""
        return self._endpoint

    def warm_up(self) -> None:
        """Imports openai (0.6 s of CPU) and makes the client. May be called from any thread.

        Raises ProviderError if the environment's proxy settings or the key can't be used.
        """
        self._ready()

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """Sends `request` and yields the reply piece by piece; see `Provider.stream`."""
        explain = Explainer(self._endpoint, request.model)
        client = await self._client_for(explain)
        reader = None
        try:
            async with AsyncExitStack() as stack:
                response = await self._opened(client, request, stack)
                reader = ReplyReader(chat_completions.decode, explain, response.headers.get("content-type", ""))
                chunks = await stack.enter_async_context(aclosing(_bytes_of(response)))
                async for chunk in chunks:
                    for delta in reader.feed(chunk):
                        yield delta
                    if reader.finished:
                        break
                for delta in reader.feed(await _aftermath(chunks, reader.done)):
                    yield delta
                for delta in reader.finish():
                    yield delta
        except ProviderError as error:
            error.retryable = error.retryable and not (reader is not None and reader.begun)
            raise
        except _failures() as error:
            if reader is None or not reader.finished:
                raise explain.exception(error, begun=reader is not None and reader.begun) from None

    async def models(self) -> list[str]:
        """Returns the names of the server's models, cleaned, each once, in its order."""
        return [model.name for model in await self.catalogue()]

    async def catalogue(self) -> list[ModelInfo]:
        """Returns the server's models and what it says of them, each once, in its order."""
        explain = Explainer(self._endpoint)
        client = await self._client_for(explain)
        body = bytearray()
        try:
            async with (
                asyncio.timeout(LIST_TIMEOUT),
                client.models.with_streaming_response.list() as response,
                aclosing(_bytes_of(response)) as chunks,
            ):
                async for chunk in chunks:
                    body += chunk
                    if len(body) > _MAX_LIST:
                        raise explain.garbled()
        except _failures() as error:
            raise explain.exception(error) from None
        return models_in(body.decode("utf-8-sig", "replace"), explain)

    async def aclose(self) -> None:
        """Closes the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _client_for(self, explain: Explainer) -> "openai.AsyncOpenAI":
        if self._endpoint.needs_key:
            raise explain.no_key()
        # In a thread, because importing openai would stop the screen for half a second.
        if self._client is None:
            return await asyncio.to_thread(self._ready)
        return self._client

    def _ready(self) -> "openai.AsyncOpenAI":
        with self._lock:
            if self._client is None:
                self._client = self._connected()
            return self._client

    def _connected(self) -> "openai.AsyncOpenAI":
        import httpx2
        import openai

        endpoint, explain = self._endpoint, Explainer(self._endpoint)
        if not (endpoint.api_key.isascii() and endpoint.api_key.isprintable()):
            raise explain.unusable_key()
        timeout = httpx2.Timeout(self._silence_timeout, connect=self._connect_timeout, pool=self._connect_timeout)
        try:
            if urlsplit(endpoint.base_url).port == 0:  # raises ValueError for one above 65535
                raise ValueError("port 0")
            http = httpx2.AsyncClient(
                transport=self._carrier(),
                timeout=timeout,
                # A redirect would take the conversation to a server nobody named.
                follow_redirects=False,
                event_hooks={"request": [self._strip]},
            )
            client = openai.AsyncOpenAI(
                api_key=endpoint.api_key or _NO_KEY,
                admin_api_key="",
                organization=endpoint.organization,
                project=endpoint.project,
                webhook_secret="",
                base_url=endpoint.base_url,
                timeout=timeout,
                max_retries=0,
                http_client=http,
            )
        except (ImportError, ValueError, httpx2.InvalidURL, openai.OpenAIError) as error:
            raise explain.unusable_setting(error) from None
        return client

    def _carrier(self) -> "httpx2.AsyncBaseTransport | None":
        if self._transport is not None:
            return self._transport()
        if self._endpoint.is_local:
            import httpx2

            # No proxy of the environment leads to a server on this machine.
            return httpx2.AsyncHTTPTransport()
        return None

    async def _strip(self, request: "httpx2.Request") -> None:
        """Lets no header out that is not listed here: OPENAI_CUSTOM_HEADERS goes to any server otherwise."""
        from streamtui import __version__

        headers = request.headers
        for name in [name for name in headers if name not in _SENT_HEADERS]:
            del headers[name]
        headers["user-agent"] = f"streamtui/{__version__}"
        # A compressing proxy holds pieces back until its buffer is full.
        headers["accept-encoding"] = "identity"
        for name, value in (
            ("authorization", self._endpoint.api_key and f"Bearer {self._endpoint.api_key}"),
            ("openai-organization", self._endpoint.organization),
            ("openai-project", self._endpoint.project),
        ):
            if value:
                headers[name] = value

    async def _opened(
        self, client: "openai.AsyncOpenAI", request: Request, stack: AsyncExitStack
    ) -> "openai.AsyncAPIResponse[Any]":
        """Sends the request, and once more if the server refuses it for a field that can be left out."""
        import openai

        body = chat_completions.encode(request)
        for name in self._refused_fields:
            body.pop(name, None)
        try:
            return await stack.enter_async_context(_sending(client, body))
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            if not self._leaves_out(body, error.response.text):
                raise
        return await stack.enter_async_context(_sending(client, body))

    def _leaves_out(self, body: dict[str, Any], refusal: str) -> bool:
        """Takes the field that `refusal` names out of `body`, and remembers to; False if there is none."""
        refused = {name for name in _OPTIONAL_FIELDS if name in body and name in refusal}
        self._refused_fields |= refused
        for name in refused:
            del body[name]
        return bool(refused)


def _sending(
    client: "openai.AsyncOpenAI", body: dict[str, Any]
) -> "AbstractAsyncContextManager[openai.AsyncAPIResponse[Any]]":
    # The body goes as extra_body: typed messages cost the package 0.11 ms of CPU each, on the event loop and
    # before every prompt (0.22 s for a conversation of 2,000 messages, 0.002 s this way).
    return client.chat.completions.with_streaming_response.create(
        model=body["model"], messages=[], stream=True, extra_body=body
    )


def _bytes_of(response: "openai.AsyncAPIResponse[Any]") -> AsyncGenerator[bytes, None]:
    return response.http_response.aiter_bytes()


async def _aftermath(chunks: AsyncGenerator[bytes, None], done: bool) -> bytes:
    """Returns what follows the end of a reply: its usage, and the end of the body.

    A connection whose body was read to the end carries the next request too.
    """
    rest = bytearray()
    now = asyncio.get_running_loop().time
    with suppress(*_failures()):
        async with asyncio.timeout(AFTER_DONE if done else AFTERMATH) as limit:
            async for chunk in chunks:
                rest += chunk
                limit.reschedule(now() + (AFTER_DONE if b"[DONE]" in rest else AFTERMATH))
    return bytes(rest)


def _failures() -> tuple[type[Exception], ...]:
    """What sending and reading can raise. TimeoutError is an OSError."""
    import httpx2
    import openai

    return (openai.OpenAIError, httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError)
