"""The provider for OpenAI-compatible servers: requests with the openai package, streams read as raw events."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from threading import Lock
from typing import TYPE_CHECKING, Any

from streamtui.config import Api, Endpoint
from streamtui.core.message import Delta, FinishReason
from streamtui.core.models import ModelInfo, api_for, renamed_fields
from streamtui.providers.base import ErrorKind, Provider, ProviderError, Request
from streamtui.providers.credentials import Credentials
from streamtui.providers.error_explainer import Explainer
from streamtui.providers.model_catalog import models_in
from streamtui.providers.moderation_result import flags_in
from streamtui.providers.parameter_compat import RequestAdapter
from streamtui.providers.read_timeout import ReadTimeout
from streamtui.providers.stream_reader import ReplyReader
from streamtui.providers.wire_formats import TITLES, WIRE_FORMATS

if TYPE_CHECKING:
    import httpx2
    import openai

    from streamtui.providers.client_factory import Transport

LIST_TIMEOUT = 20.0
"""Seconds to wait for the model list or a moderation result."""
USAGE_TIMEOUT = 2.0
"""Seconds in which usage may follow the finish reason. Some servers leave the connection open."""
DONE_TIMEOUT = 0.1
"""Seconds in which the body may end after ``[DONE]``, as in the openai package."""
_MAX_USAGE_TIMEOUT = 1024 * 1024
_DONE = b"[DONE]"
_MAX_LIST = 32 * 1024 * 1024
_Chunks = AsyncGenerator[bytes, None]


class OpenAIProvider(Provider):
    """A server with one of OpenAI's APIs. Nothing is imported or opened before the first use."""

    def __init__(self, endpoint: Endpoint, *, transport: "Transport | None" = None) -> None:
        """`transport`: creates a transport to use instead of the network, at the first use."""
        self._credentials = Credentials(endpoint)
        self._transport = transport
        self._lock = Lock()
        self._client: openai.AsyncOpenAI | None = None
        self._adapted: dict[tuple[Api, str], dict[str, str]] = {}
        """Fields that models have rejected since the start, as in `Delta.adapted`."""
        self._told: set[tuple[Api, str]] = set()
        """Unsupported parameters that the user was notified of."""

    @property
    def endpoint(self) -> Endpoint:
        """The server and its API key."""
        return self._credentials.endpoint

    def warm_up(self) -> None:
        """Import openai (0.6 s of CPU) and create the client. May be called from any thread.

        Raise ProviderError for an invalid address, proxy or header.
        """
        self._ready()

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """Send `request` and yield the deltas of the reply; see `Provider.stream`."""
        client = await self._client_for()
        api = request.api or api_for(self.endpoint, request.model)
        explain = Explainer(self.endpoint, request.model, api)
        adaptation = self._adaptation(request, api, explain)
        if notice := self._not_in(api, request):
            yield notice
        reader = ReplyReader(
            WIRE_FORMATS[api].decode, explain, request.tap, inline_reasoning=api is not Api.COMPLETIONS
        )
        try:
            until = self._first_limit()
            while isinstance(
                answer := await _sent(client, WIRE_FORMATS[api].path, adaptation, until, request.sent), Delta
            ):
                self._adapted.setdefault((api, request.model), {}).update(answer.adapted or {})
                yield answer
                until = self._first_limit()
            async with aclosing(_deltas(answer, reader, until, self.endpoint.timeouts.silence)) as deltas:
                async for delta in deltas:
                    yield delta
                    if delta.finish_reason is FinishReason.LENGTH and (notice := self._no_limit(api, adaptation)):
                        yield notice
        except ProviderError as error:
            if rest := reader.rest():
                yield rest
            error.retryable = error.retryable and not reader.begun
            raise
        except _failures() as error:
            if not reader.finished:
                if rest := reader.rest():
                    yield rest
                raise self._explained(explain, error, reader.begun) from None

    def _first_limit(self) -> float:
        return asyncio.get_running_loop().time() + self.endpoint.timeouts.first

    async def models(self) -> list[str]:
        """Return the names of the server's models, cleaned, each once, in its order."""
        return [model.name for model in await self.catalog()]

    async def catalog(self) -> list[ModelInfo]:
        """Return the server's models and what it reports about them, each once, in its order."""
        client = await self._client_for()
        explain = Explainer(self.endpoint, task="Can't list models")
        late = explain.late_list(LIST_TIMEOUT)
        body = await self._whole(client, "/models", None, explain, late)
        # 10,000 models take 0.1 s.
        return await asyncio.to_thread(models_in, body, explain)

    async def moderate(self, text: str) -> tuple[str, ...]:
        """Return the categories that `text` is flagged for; see `Provider.moderate`."""
        client = await self._client_for()
        explain = Explainer(self.endpoint)
        late = explain.no_moderation(f"No response within {LIST_TIMEOUT:.0f} s.")
        try:
            return flags_in(await self._whole(client, "/moderations", {"input": text}, explain, late), explain)
        except ProviderError as error:
            raise error if error is late else explain.no_moderation(error.message) from None

    async def _whole(
        self,
        client: "openai.AsyncOpenAI",
        path: str,
        body: dict[str, Any] | None,
        explain: Explainer,
        late: ProviderError,
    ) -> str:
        """Return the whole response to a request other than for a reply; raise `late` at the timeout."""
        read = bytearray()
        try:
            async with asyncio.timeout(LIST_TIMEOUT), aclosing(await _open(client, path, body)) as answer:
                async for chunk in answer.aiter_bytes():
                    read += chunk
                    if len(read) > _MAX_LIST:
                        raise explain.invalid_response()
        except TimeoutError:
            raise late from None
        except _failures() as error:
            raise self._explained(explain, error) from None
        return read.decode("utf-8-sig", "replace")

    async def aclose(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _client_for(self) -> "openai.AsyncOpenAI":
        await self._credentials.resolve()
        # In a thread, because importing openai would block the screen for half a second.
        if self._client is None:
            return await asyncio.to_thread(self._ready)
        return self._client

    def _explained(self, explain: Explainer, error: Exception, begun: bool = False) -> ProviderError:
        told = explain.exception(error, begun=begun)
        if told.kind is ErrorKind.WRONG_KEY:
            self._credentials.invalidate()
        return told

    def _ready(self) -> "openai.AsyncOpenAI":
        from streamtui.providers.client_factory import client_for

        with self._lock:
            if self._client is None:
                self._client = client_for(lambda: self.endpoint, self._transport)
            return self._client

    def _adaptation(self, request: Request, api: Api, explain: Explainer) -> RequestAdapter:
        known = renamed_fields(self.endpoint, request.model) if api is Api.CHAT else {}
        known = {**known, **request.adaptations, **self._adapted.get((api, request.model), {})}
        return RequestAdapter(WIRE_FORMATS[api].encode(request), known, explain)

    def _not_in(self, api: Api, request: Request) -> Delta | None:
        """Return the notice that the API doesn't support a parameter, the first time it is set."""
        names = request.parameters.as_dict().keys() - WIRE_FORMATS[api].parameters.keys() - {"extra", "unset"}
        new = sorted(name for name in names if (api, name) not in self._told)
        self._told.update((api, name) for name in new)
        if not new:
            return None
        return Delta(notice=f"Not sent, because the {TITLES[api]} API doesn't support it: {', '.join(new)}.")

    def _no_limit(self, api: Api, adaptation: RequestAdapter) -> Delta | None:
        """Return the notice about completions cut at the default limit of 16 tokens, the first time."""
        if api is not Api.COMPLETIONS or "max_tokens" in adaptation.body or (api, "") in self._told:
            return None
        self._told.add((api, ""))
        return Delta(notice="Without a limit many servers stop a completion after 16 tokens. Set max tokens.")


async def _sent(
    client: "openai.AsyncOpenAI",
    path: str,
    adaptation: RequestAdapter,
    until: float,
    tell: Callable[[], None] | None,
) -> "httpx2.Response | Delta":
    """Return the response, or the notice if the request has to be retried without a field."""
    import openai

    from streamtui.providers.client_factory import sent_callback

    told = sent_callback.set(tell)
    try:
        async with asyncio.timeout_at(until):
            answer = await _open(client, path, adaptation.body)
        if tell is not None:
            tell()  # without a network, as in the demo, nothing calls it earlier
        return answer
    except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
        notice = adaptation.adapt(error.response.text)
        if notice is None:
            raise
        return notice
    finally:
        sent_callback.reset(told)


async def _open(client: "openai.AsyncOpenAI", path: str, body: dict[str, Any] | None = None) -> "httpx2.Response":
    """Return the server's response with its body unread; the caller closes it.

    The package's own methods validate every message on the event loop: 0.11 ms of CPU each, 0.22 s for a
    conversation of 2,000 messages (0.002 s this way).
    """
    import httpx2

    stream: bool = True
    if body is None:
        answer = await client.get(path, cast_to=httpx2.Response, stream=stream)
    else:
        answer = await client.post(path, cast_to=httpx2.Response, body=body, stream=stream)
    return answer


async def _deltas(
    answer: "httpx2.Response", reader: ReplyReader, until: float, silence: float
) -> AsyncGenerator[Delta, None]:
    """Yield the deltas of `answer`: the first by the time `until`, each other within `silence` seconds."""
    now = asyncio.get_running_loop().time
    reader.content_type = answer.headers.get("content-type", "")
    async with aclosing(answer), aclosing(answer.aiter_bytes()) as chunks:
        with ReadTimeout(until) as patience:
            while not reader.finished and (chunk := await patience.next(chunks)) is not None:
                for delta in reader.feed(chunk):
                    yield delta
                    # Only now, as the consumer may take its time.
                    patience.until = now() + silence
        for delta in reader.feed(await _trailing_data(chunks, reader.done)):
            yield delta
        for delta in reader.finish():
            yield delta


async def _trailing_data(chunks: _Chunks, done: bool) -> bytes:
    """Return the data after the finish reason: the usage, and the end of the body.

    A connection can be reused only if its body was read to the end. A server that keeps sending is cut off.
    """
    rest = bytearray()
    now = asyncio.get_running_loop().time
    with suppress(*_failures()):
        async with asyncio.timeout(DONE_TIMEOUT if done else USAGE_TIMEOUT) as limit:
            async for chunk in chunks:
                begun = max(0, len(rest) - len(_DONE))
                rest += chunk
                if len(rest) > _MAX_USAGE_TIMEOUT:
                    break
                if not done and _DONE in rest[begun:]:
                    done = True
                    limit.reschedule(now() + DONE_TIMEOUT)
    return bytes(rest)


def _failures() -> tuple[type[Exception], ...]:
    """Return the exceptions that sending and reading can raise. TimeoutError is an OSError."""
    import httpx2
    import openai

    return (openai.OpenAIError, httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError)
