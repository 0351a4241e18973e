"""A reply that was cut goes on in the same message: what is sent, what is added, what is saved."""

import asyncio
from contextlib import aclosing

import pytest

from streamtui.core.message import FinishReason, Timing, Usage
from streamtui.core.progress import State
from streamtui.providers.base import CONTINUE_PROMPT
from streamtui.storage import Store
from tests.support.conversations import (
    ask,
    breaking,
    conversation,
    failing,
    heard,
    holding,
    in_turn,
    on_disk,
    said,
    saying,
)
from tests.support.raw_server import DONE, chunked, event, piece, serving


async def test_a_reply_cut_by_its_length_goes_on_in_the_same_message(store: Store) -> None:
    cut = saying("One, two,", finish="length", usage=(10, 4))
    async with serving(in_turn(cut, saying(" three.", usage=(20, 3)))) as server:
        talk = conversation(server, store)
        talk.session.system = "Count."
        reply = await ask(talk, "count")
        first = reply.timing
        deltas = await heard(talk.continue_reply())
        sent = said(server)
        saved = (await on_disk(talk)).path()
    assert talk.current is reply
    assert "".join(delta.text for delta in deltas) == " three."
    assert (reply.text, reply.finish_reason) == ("One, two, three.", FinishReason.STOP)
    assert sent == [("system", "Count."), ("user", "count"), ("assistant", "One, two,"), ("user", CONTINUE_PROMPT)]
    assert [message.text for message in saved] == ["count", "One, two, three."]
    assert saved[-1] == reply
    whole = Usage(30, 7, repeated_tokens=14, requests=2)
    assert (reply.usage, reply.usage and reply.usage.total_tokens) == (whole, 23)
    assert first is not None
    assert reply.timing is not None
    assert reply.timing.first == first.first
    assert reply.timing.total > first.total
    assert talk.progress.usage == Usage(20, 3)
    assert talk.progress.reply_usage == reply.usage
    assert talk.progress.reply_count == (7, True)
    assert talk.progress.timing == reply.timing


async def test_a_reply_that_broke_off_goes_on_and_its_error_is_forgotten(store: Store) -> None:
    async with serving(in_turn(breaking("Half of"), saying(" it."))) as server:
        talk = conversation(server, store)
        reply = await ask(talk, "hello")
        assert reply.error
        await heard(talk.continue_reply())
        saved = (await on_disk(talk)).path()[-1]
    assert (saved.text, saved.error, saved.finish_reason) == ("Half of it.", "", FinishReason.STOP)


async def test_it_may_be_cut_again_and_again(store: Store) -> None:
    parts = [saying(text, finish="length", usage=(10, 1)) for text in ("a", " b", " c")]
    async with serving(in_turn(*parts, breaking(" d"), saying(" e", usage=(20, 1)))) as server:
        talk = conversation(server, store)
        reply = await ask(talk, "letters")
        while talk.partial_reply:
            await heard(talk.continue_reply())
        assert len(server.requests) == 5
        assert (await on_disk(talk)).path()[-1].text == "a b c d e"
    assert reply.usage is not None
    assert (reply.usage.completion_tokens, reply.usage.total_tokens, reply.usage.requests) == (4, 21, 5)
    assert reply.usage.prompt_tokens > 50  # and about what the request held that broke off before it was counted
    assert reply.usage.estimated


async def test_repeated_last_words_are_said_once(store: Store) -> None:
    cut = saying("The quick brown fox jumps", finish="length")
    async with serving(in_turn(cut, saying("quick brown", " fox jumps over", " it."))) as server:
        talk = conversation(server, store)
        reply = await ask(talk, "go")
        await heard(talk.continue_reply())
    assert reply.text == "The quick brown fox jumps over it."


async def test_a_continuation_that_fails_keeps_what_was_there(store: Store) -> None:
    async with serving(in_turn(saying("Half", finish="length"), failing(401), saying(" whole."))) as server:
        talk = conversation(server, store)
        reply = await ask(talk, "hello")
        await heard(talk.continue_reply())
        saved = (await on_disk(talk)).path()[-1]
        assert (saved.text, saved.finish_reason) == ("Half", FinishReason.FAILED)
        assert "API key" in saved.error
        await heard(talk.continue_reply())
    assert (reply.text, reply.error, reply.finish_reason) == ("Half whole.", "", FinishReason.STOP)


async def test_stopping_before_anything_came_leaves_it_as_it_was(store: Store) -> None:
    async with serving(in_turn(saying("Half", finish="length"), holding())) as server:
        talk = conversation(server, store)
        reply = await ask(talk, "hello")
        before = (await on_disk(talk)).path()[-1]
        server.arrived.clear()
        going_on = asyncio.create_task(heard(talk.continue_reply()))
        await server.arrived.wait()
        going_on.cancel()
        await asyncio.gather(going_on, return_exceptions=True)
        assert (await on_disk(talk)).path()[-1] == before == reply
    assert talk.progress.state is State.STOPPED
    assert reply.finish_reason is FinishReason.LENGTH


async def test_what_came_until_it_was_stopped_again_is_kept(store: Store) -> None:
    async with serving(in_turn(saying("Half", finish="length"), holding(" and", " more"))) as server:
        talk = conversation(server, store)
        reply = await ask(talk, "hello")
        text = ""
        async with aclosing(talk.continue_reply()) as deltas:
            async for delta in deltas:
                text += delta.text
                if text == " and more":
                    break
        assert (await on_disk(talk)).path()[-1].text == "Half and more"
    assert reply.finish_reason is FinishReason.STOPPED


async def test_a_reply_whose_program_was_killed_goes_on(store: Store) -> None:
    async with serving(in_turn(breaking("Half"), saying(" of it."))) as server:
        talk = conversation(server, store)
        reply = await ask(talk, "hello")
        reply.finish_reason, reply.error = None, ""
        store.save_message(talk.session.id, reply)
        talk.session = await on_disk(talk)
        await heard(talk.continue_reply())
        assert (await on_disk(talk)).path()[-1].text == "Half of it."


async def test_what_was_not_counted_before_its_program_was_killed_is_counted_when_it_goes_on(store: Store) -> None:
    async with serving(in_turn(breaking("Half" * 10), saying(" of it.", usage=(30, 3)))) as server:
        talk = conversation(server, store)
        reply = await ask(talk, "hello")
        reply.finish_reason, reply.error, reply.usage, reply.timing = None, "", None, None
        await heard(talk.continue_reply())
        saved = (await on_disk(talk)).path()[-1]
    assert reply.usage is not None
    assert (reply.usage.completion_tokens, reply.usage.total_tokens, reply.usage.estimated) == (13, 33, True)
    assert reply.usage.prompt_tokens > 30
    assert talk.progress.reply_count == (13, False)
    assert (reply.timing, talk.progress.tokens_per_second) == (None, None)
    assert saved == reply


async def test_a_reply_that_another_window_is_writing_does_not_go_on_here(store: Store) -> None:
    async with serving(in_turn(breaking("Half"), saying(" of it."))) as server:
        talk = conversation(server, store)
        reply = await ask(talk, "hello")
        reply.finish_reason, reply.error = None, ""
        store.save_message(talk.session.id, reply)
        store.append_delta(reply.id, " of what")
        deltas = await heard(talk.continue_reply())
        assert ["another window" in delta.notice for delta in deltas] == [True]
        assert len(server.requests) == 1
        assert (await on_disk(talk)).path()[-1].text == "Half of what"
    assert (reply.text, reply.finish_reason, talk.progress.running) == ("Half", None, False)


async def test_reasoning_goes_on_as_another_train_of_thought(store: Store) -> None:
    thought = [event({"choices": [{"delta": {"reasoning_content": text}}]}) for text in ("Then", " that.")]
    more = chunked(*thought, piece(" of it.", "stop"), DONE)
    async with serving(in_turn(saying("Half", finish="length"), more)) as server:
        talk = conversation(server, store)
        reply = await ask(talk, "hello")
        reply.reasoning = "First this."
        await heard(talk.continue_reply())
        assert (await on_disk(talk)).path()[-1].reasoning == "First this.\n\nThen that."


@pytest.mark.parametrize("finish", ["stop", "content_filter", "tool_calls"])
async def test_what_is_done_does_not_go_on(store: Store, finish: str) -> None:
    async with serving(saying("All.", finish=finish)) as server:
        talk = conversation(server, store)
        await ask(talk, "hello")
        assert talk.partial_reply is None
        with pytest.raises(ValueError, match="no partial reply"):
            talk.continue_reply()


async def test_a_reply_without_text_is_asked_again_instead(store: Store) -> None:
    async with serving(failing(401)) as server:
        talk = conversation(server, store)
        await ask(talk, "hello")
        assert talk.partial_reply is None


async def test_an_empty_continuation_makes_it_done(store: Store) -> None:
    async with serving(in_turn(saying("All.", finish="length"), saying())) as server:
        talk = conversation(server, store)
        reply = await ask(talk, "hello")
        await heard(talk.continue_reply())
        assert (await on_disk(talk)).path()[-1].finish_reason is FinishReason.STOP
    assert (reply.text, talk.partial_reply) == ("All.", None)


def test_timings_are_added_up() -> None:
    whole = Timing(1.0, 2.0, 3.5, waited=0.5).then(Timing(0.75, 0.75, 4.25, waited=0.25))
    assert whole == Timing(1.0, 2.0, 7.75, waited=0.75, resumed=0.75)
    assert whole.streaming == 2.0 + 3.25
    assert whole.then(Timing(None, None, 2.0, waited=0.5)).streaming == whole.streaming


def test_how_long_the_beginning_took_is_not_guessed() -> None:
    whole = Timing(None, None, 1.0).then(Timing(0.5, 0.75, 4.0))
    assert (whole.first, whole.total, whole.streaming) == (None, 5.0, None)
