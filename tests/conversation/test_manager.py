"""Replies arrive whether or not anybody watches them. No screen here; a real socket."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from streamtui.config import Endpoint
from streamtui.conversation import Conversation
from streamtui.conversation.manager import ConversationManager, ReplyView
from streamtui.core.message import FinishReason
from streamtui.core.session import Session
from streamtui.providers.base import Provider
from streamtui.providers.openai_provider import OpenAIProvider
from streamtui.storage import Store
from tests.support.raw_server import DONE, Exchange, piece, serving


@dataclass
class Server:
    """Replies to every request with the deltas that the test puts into its queue; None ends the reply."""

    queues: list[asyncio.Queue[bytes | None]] = field(default_factory=list)

    async def serve(self, exchange: Exchange) -> None:
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.queues.append(queue)
        await exchange.send_head()
        while (data := await queue.get()) is not None:
            await exchange.send_chunks(data)
        await exchange.end()

    def say(self, number: int, *texts: str) -> None:
        for text in texts:
            self.queues[number].put_nowait(piece(text))

    def finish(self, number: int) -> None:
        for data in (piece("", "stop"), DONE, None):
            self.queues[number].put_nowait(data)


@asynccontextmanager
async def managed(store: Store) -> AsyncIterator[tuple[ConversationManager, OpenAIProvider, Server]]:
    server = Server()
    async with serving(server.serve) as raw:
        provider = OpenAIProvider(Endpoint("test", raw.url, api_key="k", model="m-1"))
        manager = ConversationManager(lambda session, provider: Conversation(session, provider, store))
        yield manager, provider, server
        await manager.aclose()
        for queue in server.queues:
            queue.put_nowait(None)
        await provider.aclose()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


def opened(manager: ConversationManager, provider: Provider, prompt: str) -> Conversation:
    conversation = manager.open(Session(endpoint="test", model="m-1"), provider)
    conversation.add_prompt(prompt)
    return conversation


async def collected(view: ReplyView) -> str:
    return "".join([delta.text async for delta in view])


async def test_a_reply_arrives_and_is_saved_without_a_view(store: Store) -> None:
    async with managed(store) as (manager, provider, server):
        conversation = opened(manager, provider, "hello")
        reply = manager.start(conversation)
        await until(lambda: server.queues)
        server.say(0, "all ", "of it")
        server.finish(0)
        await reply.task
        assert manager.running(conversation.session.id) is None
        saved = await asyncio.wrap_future(store.session(conversation.session.id))
        assert saved.path()[-1].text == "all of it"
        assert saved.path()[-1].finish_reason is FinishReason.STOP


async def test_views_miss_nothing_and_leave_without_stopping(store: Store) -> None:
    async with managed(store) as (manager, provider, server):
        conversation = opened(manager, provider, "hello")
        reply = manager.start(conversation)
        with reply.attach() as first:
            await until(lambda: server.queues)
            server.say(0, "one ", "two ")
            assert (await anext(first)).text == "one "
        server.say(0, "three ")
        await until(lambda: conversation.progress.counter.count.tokens >= 3)
        with reply.attach() as second:
            server.say(0, "four")
            server.finish(0)
            assert second.text + await collected(second) == "one two three four"
        assert reply.message.text == "one two three four"


async def test_every_moment_is_a_good_one_to_attach(store: Store) -> None:
    async with managed(store) as (manager, provider, server):
        reply = manager.start(opened(manager, provider, "hello"))
        views = [reply.attach()]
        await until(lambda: server.queues)
        for number in range(40):
            server.say(0, f"{number} ")
            await asyncio.sleep(0.001 * (number % 3))
            views.append(reply.attach())
        server.finish(0)
        whole = "".join(f"{number} " for number in range(40))
        assert [view.text + await collected(view) for view in views] == [whole] * len(views)
        with reply.attach() as late:
            assert late.text + await collected(late) == whole


async def test_two_sessions_stream_at_once(store: Store) -> None:
    async with managed(store) as (manager, provider, server):
        first, second = opened(manager, provider, "a"), opened(manager, provider, "b")
        replies = [manager.start(first)]
        await until(lambda: len(server.queues) == 1)
        replies.append(manager.start(second))
        await until(lambda: len(server.queues) == 2)
        server.say(0, "red ")
        server.say(1, "green ")
        await until(lambda: first.progress.running and second.progress.running)
        server.say(0, "apples")
        server.say(1, "pears")
        server.finish(1)
        server.finish(0)
        await asyncio.gather(*(reply.task for reply in replies))
        assert [reply.message.text for reply in replies] == ["red apples", "green pears"]


async def test_a_running_session_opens_as_the_same_conversation(store: Store) -> None:
    async with managed(store) as (manager, provider, server):
        conversation = opened(manager, provider, "hello")
        reply = manager.start(conversation)
        await until(lambda: server.queues)
        again = await asyncio.wrap_future(store.session(conversation.session.id))
        assert manager.open(again, provider) is conversation
        server.finish(0)
        await reply.task
        assert manager.open(again, provider) is not conversation


async def test_closing_stops_and_saves_all_replies(store: Store) -> None:
    async with managed(store) as (manager, provider, server):
        conversations = [opened(manager, provider, "a"), opened(manager, provider, "b")]
        replies = [manager.start(conversation) for conversation in conversations]
        await until(lambda: len(server.queues) == 2)
        server.say(0, "half")
        server.say(1, "half")
        await until(lambda: all(reply.message.id in reply.conversation.session.messages for reply in replies))
        unbegun = opened(manager, provider, "c")
        manager.start(unbegun)
        await manager.aclose()
        for conversation, text in zip([*conversations, unbegun], ["half", "half", ""], strict=True):
            saved = await asyncio.wrap_future(store.session(conversation.session.id))
            assert saved.path()[-1].text == text
            assert saved.path()[-1].finish_reason is FinishReason.STOPPED
            assert not conversation.progress.running
