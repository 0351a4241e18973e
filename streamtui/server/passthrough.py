"""Forwarding OpenAI-compatible requests and responses, byte for byte."""

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
from streamtui.server.access_log import log_upstream_error
from streamtui.server.api_errors import OWN_STATUSES, upstream_error
from streamtui.server.disconnect import cancel_on_disconnect
from streamtui.server.model_suggestions import unknown_model
from streamtui.server.relay import Relay
from streamtui.server.request_body import read_body
from streamtui.server.request_log import log_entry
from streamtui.server.routing import Route

# Nothing that identifies the client.
REQUEST_HEADERS = ("accept", "idempotency-key", "openai-beta", "x-client-request-id")
# No cookies, no addresses of the endpoint, nothing that a browser acts on.
RESPONSE_HEADERS = re.compile(
    r"content-type|content-length|content-encoding|retry-after(-ms)?|x-should-retry|x-request-id|request-id"
    r"|openai-(model|processing-ms|version)|x-ratelimit-[a-z-]+"
)
_MAX_ERROR_BODY = 256 * 1024


class Passthrough:
    """An ASGI app for one API path.

    Not a Starlette StreamingResponse: that notices a disconnect only after the endpoint's first byte, and a model can
    think for minutes.
    """

    def __init__(self, relay: Relay, api: Api) -> None:
        self._relay = relay
        self._api = api
        self._path = WIRE_FORMATS[api].path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request. Raises ApiError before the response starts."""
        entry = log_entry(scope)
        route, body = await self._relay.router.route_body(await read_body(scope, receive, self._relay.settings.limits))
        entry.endpoint = route.endpoint.name
        headers = {name: value for name, value in Headers(scope=scope).items() if name in REQUEST_HEADERS}
        headers["content-type"] = "application/json"
        with cancel_on_disconnect(receive, entry):
            try:
                async with await self._relay.upstream(route.endpoint).open("POST", self._path, body, headers) as reply:
                    if 200 <= reply.status < 300:
                        await _stream(reply, send)
                    else:
                        response = await self._error_response(reply, route)
                        await response(scope, receive, send)
            except ProviderError as error:
                log_upstream_error(error)
                # Once the response has started, the connection closes without the end of the body, which clients
                # report as an incomplete response.
                if not entry.status:
                    raise upstream_error(route.endpoint, error) from None

    async def _error_response(self, reply: UpstreamReply, route: Route) -> Response:
        """Return the endpoint's error without its key, in OpenAI's format if it isn't a JSON object."""
        body = await reply.read_error(_MAX_ERROR_BODY)
        data = _json_object(body)
        details = body.decode("utf-8", "replace") if data is None else data
        error = Explainer(route.endpoint, route.model, self._api).status(reply.status, details, reply.headers)
        if error.kind is ErrorKind.UNKNOWN_MODEL:
            return (await unknown_model(self._relay.models, route, error)).response()
        if reply.status >= 400 and reply.status not in OWN_STATUSES and data is not None:
            headers = _forwarded_headers(reply.headers)
            # The body was decompressed, and its key removed.
            for name in ("content-length", "content-encoding"):
                headers.pop(name, None)
            return Response(body, reply.status, headers)
        log_upstream_error(error)
        return upstream_error(route.endpoint, error).response()


async def _stream(reply: UpstreamReply, send: Send) -> None:
    headers = _forwarded_headers(reply.headers)
    if headers.get("content-type", "").startswith("text/event-stream"):
        # Keep proxies in between from buffering.
        headers |= {"cache-control": "no-cache", "x-accel-buffering": "no"}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    async for chunk in reply.pieces():
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _forwarded_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if RESPONSE_HEADERS.fullmatch(name)}


def _json_object(body: bytes) -> dict[str, object] | None:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None
