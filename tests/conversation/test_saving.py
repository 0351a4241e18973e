"""A reply is saved as it arrives, whatever else the program is doing, and for one window at a time."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import aclosing

import pytest

from streamtui.core.message import FinishReason
from streamtui.storage import Store
from tests.support.conversations import ask, breaking, conversation, heard, in_turn, on_disk, saying
from tests.support.raw_server import Exchange, piece, serving


@pytest.fixture
def other(store: Store) -> Iterator[Store]:
    """Another window."""
    with Store(store.path) as other:
        yield other


async def half_a_reply(exchange: Exchange) -> None:
    """Says something and then nothing more."""
    await exchange.send_head()
    await exchange.send_chunks(piece("Half of it"))
    await exchange.until_gone()


async def silence(exchange: Exchange) -> None:
    """Says nothing at all."""
    await exchange.send_head()
    await exchange.until_gone()


async def test_what_came_is_saved_while_the_program_stands_still(store: Store, other: Store) -> None:
    async with serving(half_a_reply) as server:
        talk = conversation(server, store)
        talk.add_prompt("hello")
        async with aclosing(talk.reply()) as deltas:
            assert (await anext(deltas)).text == "Half of it"
            deadline, saved = time.monotonic() + 20, ""
            while saved != "Half of it" and time.monotonic() < deadline:  # nothing else runs on this thread
                session = other.session(talk.session.id).result(20)
                saved = session.path()[-1].text
            assert saved == "Half of it"
            assert session.elsewhere == {session.leaf_id}


async def test_another_window_has_gone_on_with_a_reply(store: Store, other: Store) -> None:
    async with serving(in_turn(breaking("One, "), saying("two."), saying("zwei."))) as server:
        talk = conversation(server, store)
        await ask(talk, "count")
        there = conversation(server, other)
        there.session = await on_disk(talk)
        await heard(there.continue_reply())
        assert (await on_disk(there)).path()[-1].text == "One, two."
        deltas = await heard(talk.continue_reply())
        assert [delta.notice for delta in deltas] == ["This reply was continued in another window. Nothing was sent."]
        assert len(server.requests) == 2
        news = await talk.sync.poll()
        assert [message.text for message in news.changed] == ["One, two."]
        assert talk.session.path()[-1].finish_reason is FinishReason.STOP


async def test_a_reply_that_was_stopped_before_it_went_on_is_free_again(store: Store, other: Store) -> None:
    async with serving(in_turn(breaking("One, "), silence, saying("two."))) as server:
        talk = conversation(server, store)
        reply = await ask(talk, "count")
        server.arrived.clear()
        going_on = asyncio.create_task(heard(talk.continue_reply()))
        await server.arrived.wait()
        there = other.session(talk.session.id).result(20)
        assert there.elsewhere == {reply.id}
        going_on.cancel()
        await asyncio.wait([going_on])
        assert await on_disk(talk) == talk.session
        there = other.session(talk.session.id).result(20)
        assert there.elsewhere == frozenset()
        assert there.path()[-1] == reply
