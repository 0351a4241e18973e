"""What a request holds beside the messages: parameters, and what the model is known to refuse."""

from dataclasses import replace

from streamtui.config import Api, Endpoint, ModelSettings
from streamtui.conversation import Conversation
from streamtui.core.message import Delta, FinishReason
from streamtui.core.parameters import Parameters
from streamtui.core.session import Session
from streamtui.storage import Store
from tests.support.conversations import Scripted, heard

ENDPOINT = Endpoint(
    "box",
    "http://box.test/v1",
    model="m-1",
    parameters=Parameters(temperature=0.1, seed=1),
    models={"m-1": ModelSettings(Parameters(temperature=0.2, top_p=0.9))},
)
DONE = Delta("Yes.", finish_reason=FinishReason.STOP)


async def test_the_session_wins_over_the_model_and_that_over_the_endpoint(store: Store) -> None:
    provider = Scripted(ENDPOINT, DONE)
    talk = Conversation(Session(parameters=Parameters(top_p=0.5)), provider, store)
    talk.add_prompt("hello")
    await heard(talk.reply())
    assert provider.requests[0].parameters == Parameters(temperature=0.2, top_p=0.5, seed=1)
    talk.switch_model("m-2")
    await heard(talk.reply())
    assert provider.requests[1].parameters == Parameters(temperature=0.1, top_p=0.5, seed=1)


async def test_what_a_model_refused_is_told_and_not_sent_again(store: Store) -> None:
    refusal = Delta(notice="m-1 does not know\nseed; left out.", adapted={"seed": ""})
    provider = Scripted(ENDPOINT, refusal, DONE)
    talk = Conversation(Session(), provider, store)
    talk.add_prompt("hello")
    deltas = await heard(talk.reply())
    assert [delta.notice for delta in deltas] == ["m-1 does not know seed; left out.", ""]
    provider.pieces = (Delta(adapted={"max_tokens": "max_completion_tokens"}), DONE)
    await heard(talk.reply())
    await heard(talk.reply())
    assert [dict(request.adaptations) for request in provider.requests] == [
        {},
        {"seed": ""},
        {"seed": "", "max_tokens": "max_completion_tokens"},
    ]


async def test_it_is_remembered_for_the_endpoint_and_the_model(store: Store) -> None:
    talk = Conversation(Session(), Scripted(ENDPOINT, Delta(adapted={"seed": ""}), DONE), store)
    talk.add_prompt("hello")
    await heard(talk.reply())
    known = []
    for endpoint, model in ((ENDPOINT, "m-1"), (ENDPOINT, "m-2"), (replace(ENDPOINT, name="other"), "m-1")):
        provider = Scripted(endpoint, DONE)
        later = Conversation(Session(model=model), provider, store)
        later.add_prompt("hello again")
        await heard(later.reply())
        known.append(dict(provider.requests[0].adaptations))
    assert known == [{"seed": ""}, {}, {}]


async def test_a_memory_that_was_spoilt_is_none(store: Store) -> None:
    for spoilt in ("[1]", "{", '{"seed": 1}', "[" * 100_000):
        store.remember('["adaptations", "box", "m-1"]', spoilt)
        provider = Scripted(ENDPOINT, DONE)
        talk = Conversation(Session(), provider, store)
        talk.add_prompt("hello")
        await heard(talk.reply())
        assert dict(provider.requests[0].adaptations) == {}


async def test_completions_go_on_with_a_text_by_themselves(store: Store) -> None:
    cut = Delta("Once upon", finish_reason=FinishReason.LENGTH)
    provider = Scripted(replace(ENDPOINT, api=Api.COMPLETIONS), cut)
    talk = Conversation(Session(), provider, store)
    talk.add_prompt("tell")
    await heard(talk.reply())
    await heard(talk.continue_reply())
    assert [message.text for message in provider.requests[1].messages] == ["tell", "Once upon"]
