"""Reasoning between tags in the text is kept apart from the answer: on the screen, on disk, in the next request."""

import pytest

from streamtui.core.message import FinishReason
from streamtui.storage import Store
from tests.support.conversations import ask, breaking, conversation, heard, holding, in_turn, on_disk, said, saying
from tests.support.raw_server import serving

STYLES = {
    "both tags": ("<th", "ink>\nHm. ", "Well.\n</thi", "nk>\n\nYes.", " Sure."),
    "the opening tag in the prompt": ("Hm. ", "Well.\n</thi", "nk>", "\n\nYes.", " Sure."),
    "all at once": ("Hm. Well.\n</think>\n\nYes. Sure.",),
}


@pytest.mark.parametrize("texts", STYLES.values(), ids=STYLES)
async def test_only_the_answer_is_sent_back(texts: tuple[str, ...], store: Store) -> None:
    async with serving(in_turn(saying(*texts), saying("Bye."))) as server:
        talk = conversation(server, store)
        reply = await ask(talk, "Is it?")
        assert (reply.reasoning, reply.text) == ("Hm. Well.\n", "Yes. Sure.")
        assert reply.timing is not None
        assert reply.timing.text is not None
        saved = (await on_disk(talk)).path()[-1]
        assert (saved.reasoning, saved.text) == ("Hm. Well.\n", "Yes. Sure.")
        await ask(talk, "So?")
    assert said(server) == [("user", "Is it?"), ("assistant", "Yes. Sure."), ("user", "So?")]


async def test_what_was_reasoning_is_saved_as_such_at_once(store: Store) -> None:
    async with serving(holding("Hm. ", "Well.", "</think>", "Yes.")) as server:
        talk = conversation(server, store)
        talk.add_prompt("Is it?")
        replies = talk.reply()
        async for delta in replies:
            if delta.text == "Yes.":
                break
        saved = (await on_disk(talk)).path()[-1]
        assert (saved.reasoning, saved.text, saved.finish_reason) == ("Hm. Well.", "Yes.", None)
        await replies.aclose()


@pytest.mark.parametrize("texts", [("<think>Hm.", " </thi"), ("<", "thi"), (" ",)])
async def test_a_reply_that_breaks_off_keeps_the_beginning_of_a_tag(texts: tuple[str, ...], store: Store) -> None:
    async with serving(breaking(*texts)) as server:
        reply = await ask(conversation(server, store, retries=0), "Is it?")
    assert reply.finish_reason is FinishReason.FAILED
    assert "<think>" * ("Hm." in reply.reasoning) + reply.reasoning + reply.text == "".join(texts)


async def test_a_continuation_can_reason_too(store: Store) -> None:
    async with serving(in_turn(saying("Yes.", finish="length"), saying("Hm. ", "</think>", " But no."))) as server:
        talk = conversation(server, store)
        reply = await ask(talk, "Is it?")
        await heard(talk.continue_reply())
        assert (reply.text, reply.reasoning) == ("Yes.But no.", "Hm. ")


async def test_a_title_has_no_reasoning_in_it(store: Store) -> None:
    for texts in STYLES.values():
        async with serving(saying(*texts)) as server:
            text, _ = await conversation(server, store).complete_once("m-1", "Which title?")
        assert text == "Yes. Sure."
