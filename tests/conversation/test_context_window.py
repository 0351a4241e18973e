"""Leaving out, summing up, going on anyway: what is saved, sent and told again."""

import asyncio
from typing import Any

import pytest

from streamtui.config import Api, ModelSettings
from streamtui.conversation import Conversation
from streamtui.core.message import Message, Recap, Role, Usage
from streamtui.core.parameters import Parameters
from streamtui.core.progress import State
from streamtui.providers.base import ProviderError
from streamtui.storage import Store
from tests.support.conversations import ask, conversation, failing, heard, holding, in_turn, on_disk, said, saying
from tests.support.raw_server import RawServer, serving


def small(server: RawServer, store: Store, window: int = 400, **settings: Any) -> Conversation:
    """A conversation with a model that takes few tokens."""
    models = {"m-1": ModelSettings(Parameters(max_tokens=20), window=window)}
    return conversation(server, store, models=models, **settings)


def prompt(words: int) -> Message:
    """A prompt of about so many tokens."""
    return Message(Role.USER, "abc " * words)


def path_to(talk: Conversation, words: int) -> list[Message]:
    """The path with one more prompt."""
    return [*talk.session.path(), prompt(words)]


async def test_the_oldest_turns_are_left_out_for_good(store: Store) -> None:
    async with serving(in_turn(*[saying(f"reply {i}") for i in range(4)])) as server:
        talk = small(server, store)
        for i in range(3):
            await ask(talk, f"{i} " + "abc " * 90)
        assert talk.context_window.overflow(path_to(talk, 20)) is None
        path = path_to(talk, 100)
        found = talk.context_window.overflow(path)
        assert found is not None
        assert (found.left_out, found.fits) == (4, True)
        talk.context_window.exclude_before(path, found.keep_from)
        assert talk.context_window.overflow(path) is None
        talk.session = await on_disk(talk)
        await ask(talk, "and now?")
        assert [role for role, _ in said(server)] == ["user", "assistant", "user"]
        assert said(server)[0][1].startswith("2 abc")
        assert said(server)[-1] == ("user", "and now?")
        assert len(talk.session.path()) == 8, "and all of it is kept"
        assert talk.context_window.include_all()
        assert not talk.context_window.include_all()
        assert all(message.recap is None for message in (await on_disk(talk)).path())


async def test_even_all_turns_may_be_left_out_for_a_prompt_not_added_yet(store: Store) -> None:
    async with serving(in_turn(saying("reply"), saying("again"))) as server:
        talk = small(server, store)
        await ask(talk, "abc " * 100)
        path = path_to(talk, 320)
        found = talk.context_window.overflow(path)
        assert found is not None
        assert path[found.keep_from] is path[-1]
        talk.context_window.exclude_before(path, found.keep_from)
        talk.add(path[-1])
        assert (await on_disk(talk)).path()[-1].recap == path[-1].recap


async def test_a_summary_takes_their_place(store: Store) -> None:
    scripts = saying("reply 0"), saying("reply 1"), saying("They said ", "abc.", usage=(200, 5)), saying("Fine.")
    async with serving(in_turn(*scripts)) as server:
        talk = small(server, store, parameters=Parameters(stop=("abc",), temperature=0.5))
        for i in range(2):
            await ask(talk, f"{i} " + "abc " * 90)
        path = path_to(talk, 200)
        found = talk.context_window.overflow(path)
        assert found is not None
        recap = await talk.context_window.summarize(path, found.keep_from)
        assert (recap.text, recap.model, recap.usage) == ("They said abc.", "m-1", Usage(200, 5))
        assert talk.progress.state is State.READY
        [(role, asked)] = said(server)
        assert role == "user"
        assert asked.startswith("Summarize the conversation below")
        assert "User:\n0 abc" in asked
        assert "Assistant:\nreply 0" in asked
        assert "max_tokens" not in server.requests[-1].body
        assert "stop" not in server.requests[-1].body
        talk.context_window.exclude_before(path, found.keep_from, recap)
        talk.add(path[-1])
        await heard(talk.reply())
        assert "They said abc." in said(server)[0][1]
        assert "reply 0" not in str(said(server))
        talk.session = await on_disk(talk)
        assert [message.recap for message in talk.session.path() if message.recap] == [recap]


async def test_what_is_longer_than_the_window_is_summed_up_part_by_part(store: Store) -> None:
    async with serving(in_turn(saying("First part."), saying("All of it."))) as server:
        talk = small(server, store, window=100)
        for i in range(4):
            talk.session.add(Message(Role.USER if i % 2 == 0 else Role.ASSISTANT, f"{i} " + "abc " * 20))
        recap = await talk.context_window.summarize([*talk.session.path(), prompt(1)], 4)
        assert len(server.requests) == 2
        assert "First part." in said(server)[0][1]
    assert recap.text == "All of it."


async def test_an_earlier_summary_goes_into_the_next(store: Store) -> None:
    async with serving(saying("All of it.")) as server:
        talk = small(server, store)
        path = [prompt(1), Message(Role.ASSISTANT, "gone"), prompt(2), Message(Role.ASSISTANT, "here"), prompt(3)]
        path[2].recap = Recap("What went before.")
        await talk.context_window.summarize(path, 4)
        [(_, asked)] = said(server)
    assert "What went before." in asked
    assert "gone" not in asked


async def test_a_summary_that_fails_leaves_everything_as_it_was(store: Store) -> None:
    async with serving(failing(401)) as server:
        talk = small(server, store)
        with pytest.raises(ProviderError):
            await talk.context_window.summarize([prompt(1), prompt(2)], 1)
        assert talk.progress.state is State.FAILED


async def test_an_empty_summary_is_none(store: Store) -> None:
    async with serving(saying("  ", "\n")) as server:
        talk = small(server, store)
        with pytest.raises(ProviderError, match="empty reply"):
            await talk.context_window.summarize([prompt(1), prompt(2)], 1)


async def test_summing_up_can_be_stopped(store: Store) -> None:
    async with serving(holding()) as server:
        talk = small(server, store)
        summing = asyncio.create_task(talk.context_window.summarize([prompt(1), prompt(2)], 1))
        await server.arrived.wait()
        assert talk.progress.state is State.SUMMARIZING
        summing.cancel()
        await asyncio.gather(summing, return_exceptions=True)
    assert (talk.progress.state, talk.progress.running) == (State.STOPPED, False)


async def test_what_was_accepted_is_not_told_again_before_it_matters(store: Store) -> None:
    talk = small(RawServer("http://box.test/v1"), store)
    found = talk.context_window.overflow([prompt(500)])
    assert found is not None
    talk.context_window.accept(found)
    assert talk.context_window.overflow([prompt(500)]) is None
    assert talk.context_window.overflow([prompt(590)]) is None
    assert talk.context_window.overflow([prompt(650)]) is not None
    talk.switch_model("m-2")
    assert talk.context_window.overflow([prompt(650)]) is None, "nobody knows its window"
    talk.provider.endpoint.models["m-2"] = ModelSettings(window=100)  # type: ignore[index]
    assert talk.context_window.overflow([prompt(500)]) is not None


async def test_a_model_that_goes_on_with_a_text_is_asked_for_no_summary(store: Store) -> None:
    server = RawServer("http://box.test/v1")
    assert small(server, store).context_window.can_summarize
    assert not small(server, store, api=Api.COMPLETIONS).context_window.can_summarize


async def test_the_count_of_the_context_is_of_what_is_sent(store: Store) -> None:
    async with serving(in_turn(saying("reply", usage=(300, 2)), saying("again", usage=(50, 2)))) as server:
        talk = small(server, store)
        await ask(talk, "abc " * 290)
        assert talk.context() == (302, True)
        path = path_to(talk, 10)
        talk.context_window.exclude_before(path, 2)
        talk.add(path[-1])
        assert 10 <= talk.context().tokens < 20
        await ask(talk, "go on")
        assert talk.context() == (52, True)
