"""`POST /chat`: a prompt in, the reply as a few simple server-sent events out."""

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
from streamtui.server.access_log import log_upstream_error
from streamtui.server.api_errors import ApiError, invalid_json, missing_model, upstream_error
from streamtui.server.disconnect import cancel_on_disconnect
from streamtui.server.model_suggestions import unknown_model
from streamtui.server.relay import Relay
from streamtui.server.request_body import read_body
from streamtui.server.request_log import log_entry

HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache"),
    # Keep nginx and other proxies from buffering.
    (b"x-accel-buffering", b"no"),
]
_MAX_FIELD_NAME = 100
_USAGE = ("prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens", "total_tokens")
# Not "forbid", which creates an error of 1 KB for every unknown field; nor, without FailFast, for every bad message.
_CONFIG = ConfigDict(extra="allow")


class ChatMessage(BaseModel):
    """A message of the conversation."""

    model_config = _CONFIG
    role: Role
    content: str


class ChatRequest(BaseModel):
    """The request body: a prompt, or messages, or both."""

    model_config = _CONFIG
    prompt: str = ""
    messages: Annotated[list[ChatMessage], FailFast()] = Field(default_factory=list)
    system: str = ""
    model: str = ""
    temperature: float | None = Field(default=None, ge=0, le=2)
    max_tokens: int | None = Field(default=None, ge=1)

    def provider_request(self, endpoint: Endpoint, model: str) -> Request:
        """Return the request to `endpoint`, with the endpoint's settings as defaults."""
        messages = [Message(each.role, each.content) for each in self.messages if each.role is not Role.SYSTEM]
        if self.prompt:
            messages.append(Message(Role.USER, self.prompt))
        systems = [self.system, *(each.content for each in self.messages if each.role is Role.SYSTEM)]
        system = "\n\n".join(filter(None, systems)) or endpoint.system
        parameters = Parameters(temperature=self.temperature, max_tokens=self.max_tokens)
        return Request(model, tuple(messages), system, parameters.over(endpoint.parameters_for(model)))


class SimpleChat:
    """The ASGI app of ``/chat``."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream the reply. Raises ApiError before the response starts; later errors are sent as the last event."""
        entry = log_entry(scope)
        chat = _parse(await read_body(scope, receive, self._relay.settings.limits))
        route = self._relay.router.route(chat.model)
        entry.endpoint = route.endpoint.name
        provider = self._relay.provider(route.endpoint)
        with cancel_on_disconnect(receive, entry):
            try:
                model = route.model or await _first_model(provider)
                await _stream(provider, chat.provider_request(route.endpoint, model), send)
            except ProviderError as error:
                log_upstream_error(error)
                if error.kind is ErrorKind.UNKNOWN_MODEL:
                    response = await unknown_model(self._relay.models, route, error)
                else:
                    response = upstream_error(route.endpoint, error)
                if not entry.status:
                    raise response from None
                await _send_body(send, _event("error", message=response.message, code=response.code), last=True)


def _parse(body: bytes) -> ChatRequest:
    try:
        chat = ChatRequest.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if not first["loc"]:
            raise invalid_json("it is not a valid JSON object") from None
        reason = first["msg"][:1].lower() + first["msg"][1:]
        field = ".".join(map(str, first["loc"]))
        raise _invalid(field, f"Invalid value for '{field}': {reason}.") from None
    for prefix, part in (("", chat), *((f"messages.{at}.", message) for at, message in enumerate(chat.messages))):
        if part.model_extra:
            field = prefix + next(iter(part.model_extra))[:_MAX_FIELD_NAME]
            raise _invalid(field, f"Unknown parameter: '{field}'.")
    if not (chat.prompt or chat.messages):
        message = "You must provide a prompt or messages parameter."
        raise ApiError(400, message, "missing_prompt", param="prompt")
    return chat


def _invalid(field: str, message: str) -> ApiError:
    return ApiError(400, message, "invalid_request", param=field)


async def _first_model(provider: Provider) -> str:
    names = await provider.models()
    if not names:
        raise missing_model()
    return names[0]


async def _stream(provider: Provider, request: Request, send: Send) -> None:
    started = False
    async with aclosing(_events(provider, request)) as events:
        async for event in events:
            if not started:
                await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
                started = True
            await _send_body(send, event)
    await _send_body(send, b"", last=True)


async def _send_body(send: Send, body: bytes, *, last: bool = False) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": not last})


async def _events(provider: Provider, request: Request) -> AsyncGenerator[bytes, None]:
    """Yield text and reasoning as they arrive, then usage if it is known, then done."""
    reason, model, usage = FinishReason.STOP, request.model, None
    async with aclosing(provider.stream(request)) as deltas:
        async for delta in deltas:
            for event in _delta_events(delta):
                yield event
            reason, model, usage = delta.finish_reason or reason, delta.model or model, delta.usage or usage
    if usage is not None:
        yield _event("usage", **{name: getattr(usage, name) for name in _USAGE})
    yield _event("done", finish_reason=reason.value, model=model)


def _delta_events(delta: Delta) -> list[bytes]:
    correction = [_event("text_was_reasoning")] if delta.text_was_reasoning else []
    texts = (("reasoning", delta.reasoning), ("text", delta.text))
    return correction + [_event(kind, text=text) for kind, text in texts if text]


def _event(kind: str, **fields: Any) -> bytes:
    data = {"type": kind, **fields}
    try:
        text = json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # a lone surrogate: the server split a character
        text = json.dumps(data).encode()
    return b"data: " + text + b"\n\n"
