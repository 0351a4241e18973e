"""What fails before its first piece is asked again: when, how often, and what is said meanwhile."""

import asyncio
from contextlib import AsyncExitStack, aclosing

import pytest

from streamtui.conversation import Backoff
from streamtui.core.message import FinishReason
from streamtui.core.progress import State
from streamtui.storage import Store
from tests.support.conversations import Clock, ask, breaking, conversation, failing, in_turn, on_disk, said, saying
from tests.support.raw_server import Exchange, RawServer, free_port, piece, serving, whole


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504])
async def test_a_failure_that_may_pass_is_followed_by_another_try(store: Store, status: int) -> None:
    clock = Clock()
    async with serving(in_turn(failing(status), failing(status), saying("Here."))) as server:
        reply = await ask(conversation(server, store, backoff=clock.backoff), "hello")
        assert said(server, 2) == [("user", "hello")]
    assert (reply.text, reply.finish_reason, reply.error) == ("Here.", FinishReason.STOP, "")
    assert clock.waits == [0.5, 1.0]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_what_will_fail_again_is_told_at_once(store: Store, status: int) -> None:
    clock = Clock()
    async with serving(failing(status)) as server:
        reply = await ask(conversation(server, store, backoff=clock.backoff), "hello")
        assert len(server.requests) == 1
    assert reply.finish_reason is FinishReason.FAILED
    assert clock.waits == []


async def test_it_gives_up_after_so_many_tries_as_the_endpoint_allows(store: Store) -> None:
    clock = Clock()
    async with serving(failing(500)) as server:
        talk = conversation(server, store, backoff=clock.backoff, retries=3)
        reply = await ask(talk, "hello")
        assert len(server.requests) == 4
        assert (await on_disk(talk)).path()[-1].error == reply.error
    assert clock.waits == [0.5, 1.0, 2.0]
    assert reply.finish_reason is FinishReason.FAILED
    assert reply.error == "Server error from box (500): not now. Try again in a moment. Gave up after 4 attempts."
    assert talk.progress.state is State.FAILED


async def test_no_tries_are_allowed(store: Store) -> None:
    async with serving(failing(500)) as server:
        reply = await ask(conversation(server, store, retries=0), "hello")
        assert len(server.requests) == 1
    assert reply.error == "Server error from box (500): not now. Try again in a moment."


async def test_the_server_says_how_long_to_wait(store: Store) -> None:
    clock = Clock()
    scripts = failing(429, retry_after="7"), failing(503, retry_after_ms="1500"), saying("Here.")
    async with serving(in_turn(*scripts)) as server:
        reply = await ask(conversation(server, store, backoff=clock.backoff), "hello")
    assert reply.text == "Here."
    assert clock.waits == [7.0, 1.5]


async def test_a_wait_that_nobody_sits_out_is_told_at_once(store: Store) -> None:
    clock = Clock()
    async with serving(failing(429, retry_after="3600")) as server:
        reply = await ask(conversation(server, store, backoff=clock.backoff), "hello")
        assert len(server.requests) == 1
    assert clock.waits == []
    assert "Retry after " in reply.error


async def test_a_wait_beyond_all_calendars_is_still_a_sentence(store: Store) -> None:
    async with serving(failing(429, retry_after="1e300")) as server:
        reply = await ask(conversation(server, store), "hello")
    assert reply.error.endswith("Retry after the year 9999.")


async def test_a_refused_connection_is_tried_again_until_the_server_is_up(store: Store) -> None:
    states: list[tuple[State, str, int, int]] = []
    async with AsyncExitStack() as stack:

        async def sleep(seconds: float) -> None:
            states.append((talk.progress.state, talk.progress.reason, talk.progress.attempt, talk.progress.retries))
            if len(states) == 2:
                await stack.enter_async_context(serving(saying("Up now."), port))

        port = free_port()
        talk = conversation(RawServer(f"http://127.0.0.1:{port}/v1"), store, backoff=Backoff(sleep=sleep))
        reply = await ask(talk, "hello")
    assert states == [(State.RETRYING, "no connection", 1, 3), (State.RETRYING, "no connection", 2, 3)]
    assert reply.text == "Up now."


async def test_the_list_of_models_is_asked_for_again_too(store: Store) -> None:
    clock = Clock()
    listed = whole(b'{"data": [{"id": "only-one"}]}', content_type="application/json")
    async with serving(in_turn(failing(503), listed, saying("Here."), lists_models=True)) as server:
        reply = await ask(conversation(server, store, backoff=clock.backoff, model=""), "hello")
        assert server.requests[2].body["model"] == "only-one"
    assert reply.text == "Here."
    assert clock.waits == [0.5]


async def test_what_broke_off_before_the_first_piece_is_asked_again(store: Store) -> None:
    async with serving(in_turn(breaking(), saying("Here."))) as server:
        reply = await ask(conversation(server, store), "hello")
    assert reply.text == "Here."


async def test_after_the_first_piece_nothing_is_asked_again(store: Store) -> None:
    clock = Clock()
    async with serving(breaking("Half of")) as server:
        reply = await ask(conversation(server, store, backoff=clock.backoff), "hello")
        assert len(server.requests) == 1
    assert clock.waits == []
    assert (reply.text, reply.finish_reason) == ("Half of", FinishReason.FAILED)


async def test_stopping_while_it_waits_says_why_it_waited(store: Store) -> None:
    asleep = asyncio.Event()

    async def sleep(seconds: float) -> None:
        asleep.set()
        await asyncio.Event().wait()

    async with serving(failing(429)) as server:
        talk = conversation(server, store, backoff=Backoff(sleep=sleep))
        asking = asyncio.create_task(ask(talk, "hello"))
        await asleep.wait()
        assert (talk.progress.state, talk.progress.reason) == (State.RETRYING, "429")
        assert talk.progress.running
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        reply = (await on_disk(talk)).path()[-1]
    assert talk.progress.state is State.STOPPED
    assert reply.finish_reason is FinishReason.STOPPED
    assert "Rate limited by box (429)" in reply.error


async def test_waits_grow_up_to_a_limit_and_are_never_all_the_same() -> None:
    backoff = Backoff(jitter=lambda: 0.0)
    assert [backoff.delay(n) for n in range(1, 8)] == [0.5, 1, 2, 4, 8, 8, 8]
    assert Backoff(jitter=lambda: 1.0).delay(2) == 0.75
    assert len({Backoff().delay(3) for _ in range(10)}) > 1


async def test_a_reply_that_nobody_hears_to_the_end_is_stopped(store: Store) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.send_head()
        await exchange.send_chunks(piece("One"), piece(" two"))
        await exchange.until_gone()

    async with serving(script) as server:
        talk = conversation(server, store)
        talk.add_prompt("hello")
        async with aclosing(talk.reply()) as deltas:
            async for _ in deltas:
                break
    assert talk.session.path()[-1].finish_reason is FinishReason.STOPPED
