"""A title that a model gives: asked once, cleaned, and never over the user's own."""

import asyncio

import pytest

from streamtui.conversation import Conversation
from streamtui.conversation.side_requests import title_in
from streamtui.conversation.titles import generate_title, wants_title
from streamtui.storage import Store
from tests.support.conversations import ask, conversation, failing, holding, in_turn, on_disk, said, saying
from tests.support.raw_server import RawServer, Script, serving


async def titled(store: Store, server: RawServer) -> Conversation:
    """A conversation with one turn, and a title by the model namer."""
    talk = conversation(server, store)
    await ask(talk, "Why is the sky blue, and not violet?")
    assert wants_title(talk.session)
    await generate_title(talk, "namer")
    return talk


async def test_a_model_gives_the_title(store: Store) -> None:
    async with serving(in_turn(saying("It scatters."), saying("Blue ", "Sky"))) as server:
        talk = await titled(store, server)
        assert server.requests[1].body["model"] == "namer"
        [(role, asked)] = said(server)
        assert (role, "User:\nWhy is the sky blue" in asked, "Assistant:\nIt scatters." in asked) == (
            "user",
            True,
            True,
        )
        assert (await on_disk(talk)).title == talk.session.title == "Blue Sky"
    assert not wants_title(talk.session)


@pytest.mark.parametrize("script", [failing(500), failing(404), saying(""), saying("word " * 40)])
async def test_where_it_cannot_the_first_prompt_stays(store: Store, script: Script) -> None:
    async with serving(in_turn(saying("It scatters."), script)) as server:
        talk = await titled(store, server)
        assert len(server.requests) == 2, "and it is not asked again"
        assert (await on_disk(talk)).title == talk.session.title == "Why is the sky blue, and not violet?"


@pytest.mark.parametrize("here", [True, False])
async def test_the_users_own_title_stays(store: Store, here: bool) -> None:
    async with serving(in_turn(saying("It scatters."), saying("Blue Sky"))) as server:
        talk = conversation(server, store)
        await ask(talk, "Why is the sky blue?")
        naming = asyncio.create_task(generate_title(talk, "namer"))
        await asyncio.sleep(0)
        if here:
            talk.session.title = "Mine"
        store.rename(talk.session.id, "Mine")
        await naming
        assert (await on_disk(talk)).title == "Mine"


async def test_only_the_first_whole_reply_asks_for_a_title(store: Store) -> None:
    async with serving(in_turn(saying("Half", finish="length"), saying("Whole."), saying("More."))) as server:
        talk = conversation(server, store)
        assert not wants_title(talk.session)
        await ask(talk, "hello")
        assert not wants_title(talk.session)
        talk = conversation(server, store)
        await ask(talk, "hello")
        assert wants_title(talk.session)
        await ask(talk, "again")
        assert not wants_title(talk.session)


async def test_giving_a_title_can_be_stopped(store: Store) -> None:
    async with serving(in_turn(saying("It scatters."), holding())) as server:
        talk = conversation(server, store)
        await ask(talk, "hello")
        server.arrived.clear()
        naming = asyncio.create_task(generate_title(talk, "namer"))
        await server.arrived.wait()
        naming.cancel()
        await asyncio.gather(naming, return_exceptions=True)
    assert talk.session.title == "hello"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Blue Sky", "Blue Sky"),
        ('"Blue Sky"', "Blue Sky"),
        ("**Title:** Blue Sky.\n\nI chose it because", "Blue Sky"),
        ("\n# “Blauer Himmel”\n", "Blauer Himmel"),
        ("What is C#?", "What is C#?"),
        ("a\x1b[31m b", "a␛[31m b"),
        ("word " * 30, ""),
        ("...", ""),
        ("", ""),
    ],
)
def test_a_title_is_what_is_left_without_decoration(text: str, title: str) -> None:
    assert title_in(text) == title
