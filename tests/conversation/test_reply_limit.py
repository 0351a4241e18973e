"""Replies without an end: each way a server can send one is stopped, over a real socket, and what came is kept."""

import asyncio
import tracemalloc
from collections.abc import Awaitable, Callable

import pytest

from streamtui.config import Endpoint
from streamtui.conversation import Conversation
from streamtui.core.message import FinishReason
from streamtui.core.session import Session
from streamtui.providers.base import ProviderError
from streamtui.providers.openai_provider import OpenAIProvider
from streamtui.storage import Store
from tests.support.conversations import ask
from tests.support.raw_server import DONE, Exchange, RawServer, event, piece, serving

LIMIT = 200_000
MB = 1024 * 1024
CHUNK = 64 * 1024


def conversation(server: RawServer, store: Store, max_reply: int = LIMIT) -> Conversation:
    """One that takes replies of up to `max_reply` bytes."""
    endpoint = Endpoint("box", server.url, model="m-1", retries=0)
    return Conversation(Session(), OpenAIProvider(endpoint), store, max_reply=max_reply)


def thought(text: str) -> bytes:
    """The event with a piece of reasoning."""
    return event({"choices": [{"index": 0, "delta": {"reasoning_content": text}}]})


def endless(chunk: bytes, head: bytes = b"") -> Callable[[Exchange], Awaitable[None]]:
    """Sends `head` and then `chunk` until the client has gone."""

    async def script(exchange: Exchange) -> None:
        await exchange.send_head()
        await exchange.send_chunks(head)
        while True:
            await exchange.send_chunks(chunk)

    return script


@pytest.mark.parametrize(
    ("chunk", "character"),
    [(piece("x" * 1000) * 20, "x"), (piece("🚀" * 250) * 20, "🚀"), (piece("y" * 3 * LIMIT), "y")],
    ids=["many pieces", "wide characters", "one large piece"],
)
async def test_a_reply_without_an_end_is_stopped_and_kept(store: Store, chunk: bytes, character: str) -> None:
    async with serving(endless(chunk)) as server, asyncio.timeout(30):
        talk = conversation(server, store)
        reply = await ask(talk, "hello")
    assert len(reply.text.encode()) == LIMIT
    assert set(reply.text) == {character}
    assert reply.finish_reason is FinishReason.FAILED
    assert "max_reply_mb" in reply.error
    saved = await asyncio.wrap_future(store.session(talk.session.id))
    assert (saved.path()[-1].text, saved.path()[-1].error) == (reply.text, reply.error)
    assert len(server.asked) == 1


async def test_reasoning_counts(store: Store) -> None:
    async with serving(endless(thought("hm " * 1000))) as server, asyncio.timeout(30):
        reply = await ask(conversation(server, store), "hello")
    assert (len(reply.reasoning), reply.text) == (LIMIT, "")
    assert "max_reply_mb" in reply.error


async def test_a_reply_as_long_as_the_limit_is_whole(store: Store) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.send_head()
        await exchange.send_chunks(piece("x" * LIMIT), piece("", "stop"), DONE)
        await exchange.end()

    async with serving(script) as server:
        reply = await ask(conversation(server, store), "hello")
    assert (len(reply.text), reply.finish_reason, reply.error) == (LIMIT, FinishReason.STOP, "")


async def test_a_stopped_reply_can_be_continued_by_as_much_again(store: Store) -> None:
    async with serving(endless(piece("Several words of text. " * 50))) as server, asyncio.timeout(30):
        talk = conversation(server, store)
        reply = await ask(talk, "hello")
        first = len(reply.text)
        async for _ in talk.continue_reply():
            pass
    assert first < len(reply.text) <= 2 * LIMIT


async def test_a_summary_without_an_end_is_stopped(store: Store) -> None:
    async with serving(endless(piece("x" * 1000) * 20)) as server, asyncio.timeout(30):
        with pytest.raises(ProviderError, match="max_reply_mb"):
            await conversation(server, store).complete_once("m-1", "sum up")


NEVER_ENDING = {
    "line": (b"data: ", b"x" * CHUNK),
    "event": (b"", (b"data: " + b"x" * 1000 + b"\n") * 64),
    "event of empty fields": (b"", b"data\n" * (CHUNK // 5)),
    "comment": (b":", b"x" * CHUNK),
    "name of an event": (b"event: ", b"x" * CHUNK),
    "body that is no stream": (b"{", b" " * CHUNK),
    "aftermath": (piece("Hello.", "stop"), b": still here\n" * (CHUNK // 13)),
    "aftermath in events": (piece("Hello.", "stop"), event({"choices": []}) * 2000),
}


@pytest.mark.parametrize("way", NEVER_ENDING)
async def test_what_never_ends_takes_no_more_than_its_share_of_memory(store: Store, way: str) -> None:
    head, chunk = NEVER_ENDING[way]
    async with serving(endless(chunk, head)) as server, asyncio.timeout(50):
        talk = conversation(server, store)
        await asyncio.to_thread(talk.provider.warm_up)
        tracemalloc.start()
        try:
            reply = await ask(talk, "hello")
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert most < 150 * MB
    if way.startswith("aftermath"):
        assert (reply.text, reply.finish_reason) == ("Hello.", FinishReason.STOP)
    else:
        assert reply.finish_reason is FinishReason.FAILED


async def test_an_error_without_an_end_is_read_as_far_as_it_can_say_something(store: Store) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.send_head("400 Bad Request", "text/plain")
        while True:
            await exchange.send_chunks(b"no way " * (CHUNK // 7))

    async with serving(script) as server, asyncio.timeout(30):
        reply = await ask(conversation(server, store), "hello")
    assert reply.finish_reason is FinishReason.FAILED
    assert "no way" in reply.error
