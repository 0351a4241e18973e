"""The simple chat: a prompt in, the reply as server-sent events of a few plain kinds out."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, FailFast, Field, ValidationError
from starlette.types import Receive, Scope, Send

from streamtui.config import Endpoint
from streamtui.core.message import Delta, FinishReason, Message, Role
from streamtui.core.parameters import Parameters
from streamtui.providers.base import ErrorKind, Provider, ProviderError, Request
from streamtui.server.access_log import note_failure
from streamtui.server.api_errors import Refusal, failed
from streamtui.server.disconnect import while_present
from streamtui.server.model_suggestions import unknown_model
from streamtui.server.relay import Relay
from streamtui.server.request_body import read_body
from streamtui.server.request_log import exchange_of

HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache"),
    # Tells nginx and its like to pass every piece on at once.
    (b"x-accel-buffering", b"no"),
]
_NAME_LENGTH = 100
_COUNTS = ("prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens", "total_tokens")
# Not "forbid", which describes every unknown field (and without FailFast every wrong message): 1 KB for each of
# the millions that a body holds.
_CONFIG = ConfigDict(extra="allow")


class Turn(BaseModel):
    """A message of the conversation so far."""

    model_config = _CONFIG
    role: Role
    content: str


class ChatBody(BaseModel):
    """What ``POST /chat`` takes: a prompt, or messages."""

    model_config = _CONFIG
    prompt: str = ""
    messages: Annotated[list[Turn], FailFast()] = Field(default_factory=list)
    system: str = ""
    model: str = ""
    temperature: float | None = Field(default=None, ge=0, le=2)
    max_tokens: int | None = Field(default=None, ge=1)

    def request(self, endpoint: Endpoint, model: str) -> Request:
        """Returns the request to `endpoint`; what it does not say is as the endpoint is set up."""
        said = [Message(turn.role, turn.content) for turn in self.messages if turn.role is not Role.SYSTEM]
        if self.prompt:
            said.append(Message(Role.USER, self.prompt))
        systems = [self.system, *(turn.content for turn in self.messages if turn.role is Role.SYSTEM)]
        parameters = Parameters(temperature=self.temperature, max_tokens=self.max_tokens)
        system = "\n\n".join(filter(None, systems)) or endpoint.system
        return Request(model, tuple(said), system, parameters.over(endpoint.parameters_for(model)))


class SimpleChat:
    """An ASGI app."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Streams the reply. Raises Refusal, also for whatever goes wrong before its first piece."""
        exchange = exchange_of(scope)
        body = _parsed(await read_body(scope, receive, self._relay.settings.limits))
        route = self._relay.router.route(body.model)
        exchange.endpoint = route.endpoint.name
        provider = self._relay.provider(route.endpoint)
        with while_present(receive, exchange):
            try:
                model = route.model or await _first_model(provider)
                await _stream(provider, body.request(route.endpoint, model), send)
            except ProviderError as error:
                note_failure(error)
                if error.kind is ErrorKind.UNKNOWN_MODEL:
                    refusal = await unknown_model(self._relay.models, route, error)
                else:
                    refusal = failed(route.endpoint, error)
                if not exchange.status:
                    raise refusal from None
                await _send(send, _event("error", message=refusal.message, code=refusal.code), more=False)


def _parsed(body: bytes) -> ChatBody:
    try:
        found = ChatBody.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise _invalid(".".join(map(str, first["loc"])), first["msg"]) from None
    for at, part in (("", found), *((f"messages.{place}.", turn) for place, turn in enumerate(found.messages))):
        if part.model_extra:
            raise _invalid(at + next(iter(part.model_extra))[:_NAME_LENGTH], "There is no such field")
    if not (found.prompt or found.messages):
        raise Refusal(400, "There is nothing to answer: send prompt, or messages.", "missing_prompt", param="prompt")
    return found


def _invalid(field: str, why: str) -> Refusal:
    return Refusal(400, f"{field or 'The body'}: {why}.", "invalid_request", param=field or None)


async def _first_model(provider: Provider) -> str:
    names = await provider.models()
    if not names:
        raise Refusal(400, "You must say which model: this endpoint lists none.", "missing_model", param="model")
    return names[0]


async def _stream(provider: Provider, request: Request, send: Send) -> None:
    begun = False
    async with aclosing(_events(provider, request)) as events:
        async for event in events:
            if not begun:
                await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
                begun = True
            await _send(send, event)
    await _send(send, b"", more=False)


async def _send(send: Send, event: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": event, "more_body": more})


async def _events(provider: Provider, request: Request) -> AsyncGenerator[bytes, None]:
    """Yields the events: text and reasoning as they come, then usage if it is known, and done at the end."""
    reason, model, usage = FinishReason.STOP, request.model, None
    async with aclosing(provider.stream(request)) as deltas:
        async for delta in deltas:
            for event in _said(delta):
                yield event
            reason, model, usage = delta.finish_reason or reason, delta.model or model, delta.usage or usage
    if usage is not None:
        yield _event("usage", **{name: getattr(usage, name) for name in _COUNTS})
    yield _event("done", finish_reason=reason.value, model=model)


def _said(delta: Delta) -> list[bytes]:
    found = (("reasoning", delta.reasoning), ("text", delta.text))
    correction = [_event("text_was_reasoning")] if delta.text_was_reasoning else []
    return correction + [_event(kind, text=text) for kind, text in found if text]


def _event(kind: str, **fields: Any) -> bytes:
    data = {"type": kind, **fields}
    try:
        text = json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half a character: a server cut a piece in its middle
        text = json.dumps(data).encode()
    return b"data: " + text + b"\n\n"
