"""The demo server, in this process: HTTP requests in, real server-sent events out."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx2

from streamtui.providers.demo.answers import Ending, answer, continued
from streamtui.providers.demo.events import CREATED, EventEncoder
from streamtui.providers.demo.requests import REQUESTS, SPEEDS, ChatRequest

FIRST_TOKEN = 0.35
"""Seconds until a reply begins."""
_ERRORS = {
    401: ("You did not provide an API key.", "invalid_api_key"),
    403: ("You are not allowed to use this model.", "permission_denied"),
    404: ("The model `demo-404` does not exist.", "model_not_found"),
    429: ("Rate limit reached for requests. Please try again in 20s.", "rate_limit_exceeded"),
    500: ("The server had an error while processing your request.", "server_error"),
    503: ("The engine is currently overloaded, please try again later.", "overloaded"),
}
_PAGE = "<!doctype html><html><head><title>Welcome to your router</title></head><body>Log in</body></html>"


class DemoTransport(httpx2.AsyncBaseTransport):
    """Carries requests to nowhere. `pace` stretches its time: 0 answers at once."""

    def __init__(self, pace: float = 1.0) -> None:
        self._pace = pace
        self.streaming = 0
        """How many replies are being streamed."""
        self.began = asyncio.Event()
        """Set once a reply is being streamed."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Answer the paths that a chat needs."""
        content = await request.aread()
        path = request.url.path
        if request.method == "GET" and path.endswith("/models"):
            data = [{"id": name, "object": "model", "created": CREATED, "owned_by": "streamtui"} for name in SPEEDS]
            return httpx2.Response(200, json={"object": "list", "data": data})
        kind = next((kind for end, kind in REQUESTS.items() if path.endswith(end)), None)
        if request.method == "POST" and kind is not None:
            try:
                return await self._reply(kind(json.loads(content)))
            except (ValueError, LookupError, TypeError, AttributeError):
                return _failed(400, "The body of the request is not what it should be.", "invalid_request")
        return _failed(404, f"There is nothing at {path}.", "not_found")

    async def _reply(self, asked: ChatRequest) -> httpx2.Response:
        refusal = asked.refusal()
        if refusal is not None:
            return _failed(*refusal)
        found = answer(asked.prompts())
        if cut := asked.cut():
            found = continued(found, cut)
        if found.status != 200:
            return _failed(found.status, *_ERRORS.get(found.status, (f"A failure with {found.status}.", "demo")))
        if found.ending is Ending.GARBAGE:
            return httpx2.Response(200, html=_PAGE)
        speech = asked.speech(asked.reply(found))
        speed = SPEEDS[asked.model] * found.speed
        if not asked.body.get("stream"):
            # The whole reply takes as long as its stream: a model writes token by token either way.
            await asyncio.sleep((FIRST_TOKEN + (sum(1 for _ in speech.events()) - 1) / speed) * self._pace)
            return httpx2.Response(200, json=speech.whole())
        stream = _Stream(self, speech, speed, self._pace)
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=stream)


def _failed(status: int, message: str, code: str, param: str | None = None) -> httpx2.Response:
    headers = {"retry-after": "3"} if status == 429 else {}
    error = {"message": message, "type": "demo_error", "param": param, "code": code}
    return httpx2.Response(status, headers=headers, json={"error": error})


class _Stream(httpx2.AsyncByteStream):
    """The bytes of a reply, each at its time."""

    def __init__(self, transport: DemoTransport, speech: EventEncoder, speed: float, pace: float) -> None:
        self._transport = transport
        self._speech = speech
        self._speed = speed
        self._pace = pace

    async def __aiter__(self) -> AsyncIterator[bytes]:
        now = asyncio.get_running_loop().time
        due = now() + FIRST_TOKEN * self._pace
        self._transport.streaming += 1
        self._transport.began.set()
        try:
            for event in self._speech.events():
                # Also with nothing to wait for, so that the screen gets its turn and a cancel arrives.
                await asyncio.sleep(max(0.0, due - now()))
                name = f"event: {event['type']}\n" if "type" in event else ""
                yield f"{name}data: {json.dumps(event, ensure_ascii=False)}\n\n".encode()
                due += self._pace / self._speed
            ending = self._speech.reply.ending
            if ending is Ending.BREAK:
                raise httpx2.RemoteProtocolError("peer closed connection without sending complete message body")
            if ending is Ending.COMPLETE and self._speech.done:
                yield self._speech.done
        finally:
            self._transport.streaming -= 1
