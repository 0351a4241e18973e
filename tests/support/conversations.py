"""What the tests of conversations talk to, and how they gather what comes."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from streamtui.config import Endpoint
from streamtui.conversation import Backoff, Conversation
from streamtui.core.message import Delta, Message
from streamtui.core.session import Session
from streamtui.providers.base import Request
from streamtui.providers.openai_provider import OpenAIProvider
from streamtui.storage import Store
from tests.support.raw_server import DONE, STREAM, Exchange, RawServer, Script, event, piece, whole


@dataclass
class Clock:
    """A sleep that takes no time and remembers how long it would have taken."""

    waits: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        """Lets others run, once."""
        self.waits.append(seconds)
        await asyncio.sleep(0)

    @property
    def backoff(self) -> Backoff:
        """The usual waits, on this clock and without jitter."""
        return Backoff(jitter=lambda: 0.0, sleep=self.sleep)


class Scripted(OpenAIProvider):
    """Yields what it is given, and keeps what it was asked."""

    def __init__(self, endpoint: Endpoint, *pieces: Delta) -> None:
        super().__init__(endpoint)
        self.pieces = pieces
        self.requests: list[Request] = []

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """Yields the pieces."""
        self.requests.append(request)
        for delta in self.pieces:
            yield delta


def in_turn(*scripts: Script, lists_models: bool = False) -> Script:
    """Returns a script that answers each request by the next one of `scripts`.

    Asked for its models it has none, unless one of `scripts` lists them.
    """
    left = list(scripts)
    no_models = whole(b'{"data": []}', content_type="application/json")

    async def script(exchange: Exchange) -> None:
        aside = "/models" in exchange.line and not lists_models
        await (no_models if aside else left.pop(0))(exchange)

    return script


def failing(status: int, message: str = "not now", **headers: str) -> Script:
    """Returns the script of a refusal in OpenAI's form."""
    body = json.dumps({"error": {"message": message}}).encode()
    return whole(body, f"{status} No", "application/json", **headers)


def saying(*texts: str, finish: str = "stop", usage: tuple[int, int] | None = None) -> Script:
    """Returns the script of a reply, with the tokens of prompt and reply if the server counts them."""
    events = [*map(piece, texts), piece("", finish)]
    if usage:
        events.append(event({"choices": [], "usage": {"prompt_tokens": usage[0], "completion_tokens": usage[1]}}))
    return whole(b"".join([*events, DONE]))


def breaking(*texts: str) -> Script:
    """Returns the script of a reply that breaks off."""
    whole_stream = b"".join(map(piece, texts))

    async def script(exchange: Exchange) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {STREAM}\r\nContent-Length: {len(whole_stream) + 1}\r\n\r\n"
        await exchange.send(head.encode() + whole_stream)
        exchange.writer.close()

    return script


def holding(*texts: str) -> Script:
    """Returns the script of a reply that says `texts` and then nothing more."""

    async def script(exchange: Exchange) -> None:
        await exchange.send_head()
        await exchange.send_chunks(*map(piece, texts))
        await exchange.until_gone()

    return script


def conversation(server: RawServer, store: Store, *, backoff: Backoff | None = None, **settings: Any) -> Conversation:
    """Returns a new conversation with the model m-1 of `server`; `settings` are the endpoint's."""
    endpoint = Endpoint("box", server.url, **{"model": "m-1", **settings})
    return Conversation(Session(), OpenAIProvider(endpoint), store, backoff=backoff or Clock().backoff)


async def heard(deltas: AsyncGenerator[Delta]) -> list[Delta]:
    """Returns all pieces of a reply."""
    async with aclosing(deltas):
        return [delta async for delta in deltas]


async def ask(conversation: Conversation, text: str) -> Message:
    """Asks `text` and returns the reply, which has ended."""
    conversation.add_prompt(text)
    await heard(conversation.reply())
    assert conversation.current is not None
    return conversation.current


def said(server: RawServer, number: int = -1) -> list[tuple[str, str]]:
    """Returns the messages of a request as (role, content)."""
    return [(message["role"], message["content"]) for message in server.requests[number].body["messages"]]


async def on_disk(conversation: Conversation) -> Session:
    """Returns the session as it is saved."""
    return await asyncio.wrap_future(conversation.store.session(conversation.session.id))
