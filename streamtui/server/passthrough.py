"""PassOn: requests in OpenAI's form, passed on to their endpoint and answered with its bytes as they come."""

import json
import re
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from streamtui.config import Api
from streamtui.providers.base import ErrorKind, ProviderError
from streamtui.providers.error_explainer import Explainer
from streamtui.providers.upstream import UpstreamReply
from streamtui.providers.wire_formats import WIRE_FORMATS
from streamtui.server.access_log import note_failure
from streamtui.server.api_errors import OWN_STATUSES, failed
from streamtui.server.disconnect import while_present
from streamtui.server.model_suggestions import unknown_model
from streamtui.server.relay import Relay
from streamtui.server.request_body import read_body
from streamtui.server.request_log import exchange_of
from streamtui.server.routing import Route

# What a client may say to an endpoint beside the body: who the client is does not concern it.
SENT_UP = ("accept", "idempotency-key", "openai-beta", "x-client-request-id")
# What an endpoint may say to a client: no cookie, no address of its own, nothing that a browser acts on.
SENT_DOWN = re.compile(
    r"content-type|content-length|content-encoding|retry-after(-ms)?|x-should-retry|x-request-id|request-id"
    r"|openai-(model|processing-ms|version)|x-ratelimit-[a-z-]+"
)
_MAX_ERROR = 256 * 1024


class PassOn:
    """An ASGI app for one path. Not a streaming response of Starlette, as only a task that begins before the endpoint
    is asked can notice that the client leaves while a model thinks."""

    def __init__(self, relay: Relay, api: Api) -> None:
        self._relay = relay
        self._api = api
        self._path = WIRE_FORMATS[api].path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on. Raises Refusal."""
        exchange = exchange_of(scope)
        sent = await read_body(scope, receive, self._relay.settings.limits)
        route, body = await self._relay.router.routed_aside(sent)
        exchange.endpoint = route.endpoint.name
        headers = {name: value for name, value in Headers(scope=scope).items() if name in SENT_UP}
        headers["content-type"] = "application/json"
        with while_present(receive, exchange):
            try:
                async with await self._relay.upstream(route.endpoint).open("POST", self._path, body, headers) as reply:
                    if 200 <= reply.status < 300:
                        await _stream(reply, send)
                    else:
                        response = await self._failure(reply, route)
                        await response(scope, receive, send)
            except ProviderError as error:
                note_failure(error)
                # Once the answer has begun, the connection closes without the end of the body: that is how clients
                # know that it broke off.
                if not exchange.status:
                    raise failed(route.endpoint, error) from None

    async def _failure(self, reply: UpstreamReply, route: Route) -> Response:
        """Returns what the endpoint says went wrong, without its key; in OpenAI's form if it said so in no JSON."""
        body = await reply.read_error(_MAX_ERROR)
        said = _object(body)
        words = body.decode("utf-8", "replace") if said is None else said
        error = Explainer(route.endpoint, route.model, self._api).status(reply.status, words, reply.headers)
        if error.kind is ErrorKind.UNKNOWN_MODEL:
            return (await unknown_model(self._relay.models, route, error)).response()
        headers = passed_down(reply.headers)
        if reply.status >= 400 and reply.status not in OWN_STATUSES and said is not None:
            for name in ("content-length", "content-encoding"):
                headers.pop(name, None)
            return Response(body, reply.status, headers)
        note_failure(error)
        return failed(route.endpoint, error).response()


async def _stream(reply: UpstreamReply, send: Send) -> None:
    headers = passed_down(reply.headers)
    if headers.get("content-type", "").startswith("text/event-stream"):
        # Without these a proxy in between may hold pieces back.
        headers |= {"cache-control": "no-cache", "x-accel-buffering": "no"}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    async for piece in reply.pieces():
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def passed_down(headers: Mapping[str, str]) -> dict[str, str]:
    """Returns those of an endpoint's headers that concern its client."""
    return {name: value for name, value in headers.items() if SENT_DOWN.fullmatch(name)}


def _object(body: bytes) -> dict[str, object] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
