"""DemoTransport: the demo's server, in this process: HTTP requests in, real server-sent events out."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2

from streamtui.providers.demo_answers import Answer, Ending, answer

SPEEDS = {"demo-1": 60.0, "demo-fast": 400.0, "demo-slow": 8.0, "demo-thinking": 60.0}
"""Tokens a second of every model."""
FIRST_TOKEN = 0.35
"""Seconds until a reply begins."""
_TOKEN = re.compile(r"\s*\S{1,5}|\s+")
_CREATED = 1_760_000_000
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
        """Answers the two paths that a chat needs."""
        body = await request.aread()
        path = request.url.path
        if request.method == "GET" and path.endswith("/models"):
            data = [{"id": name, "object": "model", "created": _CREATED, "owned_by": "streamtui"} for name in SPEEDS]
            return httpx2.Response(200, json={"object": "list", "data": data})
        if request.method == "POST" and path.endswith("/chat/completions"):
            return self._chat(json.loads(body))
        return _failed(404, f"There is nothing at {path}.", "not_found")

    def _chat(self, body: dict[str, Any]) -> httpx2.Response:
        model = body["model"]
        if model not in SPEEDS:
            return _failed(404, f"The model `{model}` does not exist.", "model_not_found")
        found = answer([_text_of(m["content"]) for m in body["messages"] if m["role"] == "user"])
        if found.status != 200:
            return _failed(found.status, *_ERRORS.get(found.status, (f"A failure with {found.status}.", "demo")))
        if found.ending is Ending.GARBAGE:
            return httpx2.Response(200, html=_PAGE)
        reply = _Reply(body, found)
        if not body.get("stream"):
            return httpx2.Response(200, json=reply.completion())
        return httpx2.Response(
            200, headers={"content-type": "text/event-stream"}, stream=_Stream(self, reply, self._pace)
        )


def _failed(status: int, message: str, code: str) -> httpx2.Response:
    headers = {"retry-after": "3"} if status == 429 else {}
    error = {"message": message, "type": "demo_error", "param": None, "code": code}
    return httpx2.Response(status, headers=headers, json={"error": error})


def _text_of(content: object) -> str:
    if isinstance(content, list):
        return "\n".join(part.get("text", "") for part in content)
    return str(content)


class _Reply:
    """A reply as OpenAI would put it: as a completion, or as chunks of one."""

    def __init__(self, body: dict[str, Any], found: Answer) -> None:
        self.model: str = body["model"]
        self.ending = found.ending
        self.speed = SPEEDS[self.model] * found.speed
        thinks = found.thinks or self.model == "demo-thinking"
        self._thinking = _TOKEN.findall(found.thinking) if thinks else []
        self._text = _TOKEN.findall(found.text)
        self._asked = sum(4 + len(_text_of(message["content"])) // 4 for message in body["messages"])
        self._with_usage = (body.get("stream_options") or {}).get("include_usage", False)

    def completion(self) -> dict[str, Any]:
        """The whole reply."""
        message = {"role": "assistant", "content": "".join(self._text)}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return self._object("chat.completion", [choice]) | {"usage": self._usage()}

    def chunks(self) -> Iterator[dict[str, Any]]:
        """The reply in pieces: the role, the thinking, the text, the end, the usage."""
        yield self._chunk({"role": "assistant", "content": ""})
        for token in self._thinking:
            yield self._chunk({"reasoning_content": token})
        for token in self._text:
            yield self._chunk({"content": token})
        if self.ending is Ending.ERROR:
            yield {
                "error": {
                    "message": "The server had an error while streaming.",
                    "type": "server_error",
                    "code": None,
                }
            }
        elif self.ending is Ending.COMPLETE:
            yield self._chunk({}, "stop")
            if self._with_usage:
                yield self._object("chat.completion.chunk", []) | {"usage": self._usage()}

    def _chunk(self, delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return self._object("chat.completion.chunk", [choice])

    def _object(self, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": "chatcmpl-demo",
            "object": kind,
            "created": _CREATED,
            "model": self.model,
            "choices": choices,
        }

    def _usage(self) -> dict[str, Any]:
        thought, written = len(self._thinking), len(self._text)
        return {
            "prompt_tokens": self._asked,
            "completion_tokens": thought + written,
            "total_tokens": self._asked + thought + written,
            "completion_tokens_details": {"reasoning_tokens": thought},
        }


class _Stream(httpx2.AsyncByteStream):
    """The bytes of a reply, each at its time."""

    def __init__(self, transport: DemoTransport, reply: _Reply, pace: float) -> None:
        self._transport = transport
        self._reply = reply
        self._pace = pace

    async def __aiter__(self) -> AsyncIterator[bytes]:
        now = asyncio.get_running_loop().time
        due = now() + FIRST_TOKEN * self._pace
        self._transport.streaming += 1
        self._transport.began.set()
        try:
            for chunk in self._reply.chunks():
                # Also with nothing to wait for, so that the screen gets its turn and a cancel arrives.
                await asyncio.sleep(max(0.0, due - now()))
                yield b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\n\n"
                due += self._pace / self._reply.speed
            if self._reply.ending is Ending.BREAK:
                raise httpx2.RemoteProtocolError("peer closed connection without sending complete message body")
            if self._reply.ending is Ending.COMPLETE:
                yield b"data: [DONE]\n\n"
        finally:
            self._transport.streaming -= 1
