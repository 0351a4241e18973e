"""A resumed session whose endpoint is not what it was: not a byte reaches another server before a yes."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from streamtui.config import Endpoint, Origin, Source
from streamtui.core.message import FinishReason, Message, Role
from streamtui.core.session import Session
from streamtui.storage import Store
from streamtui.ui.app import StreamTUI
from streamtui.ui.dialogs.api_key_dialog import ApiKeyDialog
from streamtui.ui.dialogs.move_session_dialog import MoveSessionDialog
from tests.support.raw_server import serving
from tests.ui.conftest import MakeApp, Model, answered, ask, pane, running, status, until
from tests.ui.test_endpoints import choices, config_of, is_open, notes, text_of

SECRET = "my secret plan"


@pytest.fixture
async def other() -> AsyncIterator[Model]:
    """The server of new sessions."""
    second = Model(models=["other-1"])
    async with serving(second.serve) as second.raw:
        yield second


def usual(other: Model) -> Endpoint:
    return Endpoint("usual", other.raw.url, api_key="sk-of-the-usual", model="other-1")


@pytest.fixture
async def held(make_app: MakeApp, model: Model) -> None:
    """A session that was held with the first server, at an endpoint called work."""
    app = make_app(replace(model.endpoint, name="work"))
    async with running(app) as pilot:
        await converse(app, pilot, model, SECRET, "Noted.")


async def converse(app: StreamTUI, pilot: Pilot[None], model: Model, text: str, reply: str, end: str = "stop") -> None:
    await ask(pilot, text)
    model.say(reply)
    model.finish(end)
    await until(lambda: answered(app) and reply in pane(app))


def resumed(make_app: MakeApp, *endpoints: Endpoint, **values: object) -> StreamTUI:
    return make_app(config=config_of(*endpoints, **values), resume=1)


GONE = "This session used work at {host}, which is not configured."


async def test_nothing_is_sent_before_a_yes(make_app: MakeApp, held: None, model: Model, other: Model) -> None:
    app = resumed(make_app, usual(other), title_model="t", moderate=False)
    async with running(app) as pilot:
        await until(lambda: SECRET in pane(app))
        before = len(model.raw.requests)
        for start in ("enter", "f5"):
            app.chat.prompt.insert("and now?")
            await pilot.press(start)
            await until(lambda: is_open(app, MoveSessionDialog))
            host = model.raw.url.split("/")[2]
            assert GONE.format(host=host) in text_of(app, "#message")
            await pilot.press("enter")  # pressed twice by mistake
            await until(lambda: app.screen is app.chat and not app.chat.is_replying)
            await until(lambda: app.chat.prompt.text == "and now?")
            app.chat.prompt.reset("")
        assert other.raw.connections == 0
        assert len(model.raw.requests) == before
        await ask(pilot, "and now?")
        await until(lambda: is_open(app, MoveSessionDialog))
        assert choices(app) == [
            f"Use usual ({other.raw.url.split('/')[2]})", f"Use {host} again, without an API key",
            "Pick another endpoint", "Cancel",
        ]  # fmt: skip
        await pilot.press("home", "enter")
        other.say("Here.")
        other.finish()
        await until(lambda: "Here." in pane(app) and not app.chat.is_replying)
        assert "other-1  usual" in status(app)
    assert [m["content"] for m in other.bodies[0]["messages"]] == [SECRET, "Noted.", "and now?"]
    assert other.bodies[0]["model"] == "other-1"
    assert {b"sk-secret-of-the-test" in exchange.raw for exchange in other.raw.requests} == {False}
    session = app.chat.conversation.session
    assert (session.endpoint, session.address) == ("usual", other.raw.url)


async def test_a_cut_reply_and_a_summary_wait_for_the_yes_too(
    make_app: MakeApp, model: Model, other: Model, store: Store
) -> None:
    session = Session(endpoint="work", model="m-1", address=model.raw.url)
    session.add(Message(Role.USER, SECRET))
    session.add(Message(Role.ASSISTANT, "Half", finish_reason=FinishReason.LENGTH, endpoint="work", model="m-1"))
    store.save_whole(session)
    assert store.latest().result(20)
    app = make_app(config=config_of(usual(other)), resume=1, database=store.path)
    async with running(app) as pilot:
        await until(lambda: "Half" in pane(app))
        await pilot.press("f9")
        await until(lambda: is_open(app, MoveSessionDialog))
        await pilot.press("escape")
        await until(lambda: app.screen is app.chat)
        with pytest.raises(Exception, match="work is not available, so nothing was sent"):
            await app.chat.conversation.complete_once("m-1", "A title?")
        with pytest.raises(Exception, match="nothing was sent"):
            await app.chat.conversation.provider.moderate(SECRET)
        assert other.raw.connections == model.raw.connections == 0
        await pilot.press("f9")
        await until(lambda: is_open(app, MoveSessionDialog))
        await pilot.press("home", "down", "enter")  # where it was, without a key
        model.say(" and half.")
        model.finish()
        await until(lambda: answered(app) and "Half and half." in pane(app))
    assert other.raw.connections == 0
    assert "authorization" not in model.raw.asked[0].headers
    assert model.bodies[0]["model"] == "m-1"


async def test_a_name_that_stands_for_another_host(make_app: MakeApp, held: None, model: Model, other: Model) -> None:
    app = resumed(make_app, replace(usual(other), name="work"))
    async with running(app) as pilot:
        await until(lambda: SECRET in pane(app))
        await ask(pilot, "and now?")
        await until(lambda: is_open(app, MoveSessionDialog))
        assert f"and work is now at {other.raw.url.split('/')[2]}" in text_of(app, "#message")
        await pilot.press("escape")
        await until(lambda: app.screen is app.chat and app.chat.prompt.text == "and now?")
        assert other.raw.connections == 0
        await pilot.press("shift+f2")
        await until(lambda: "Endpoints" in str(app.screen.query_one("#dialog").border_title))
        await pilot.press("enter")  # the one called work: picked, it is a yes
        await until(lambda: app.screen is app.chat and "other-1  work" in status(app))


async def test_an_endpoint_that_has_no_key_now_asks_for_it(
    make_app: MakeApp, held: None, model: Model, other: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    keyless = Endpoint("work", model.raw.url, api_key_env="WORK_KEY")
    app = resumed(make_app, usual(other), keyless)
    async with running(app) as pilot:
        await until(lambda: SECRET in pane(app))
        await ask(pilot, "and now?")
        await until(lambda: is_open(app, MoveSessionDialog))
        assert "which has no API key now" in text_of(app, "#message")
        await pilot.press("home", "enter")
        await until(lambda: is_open(app, ApiKeyDialog))
        await pilot.press(*"sk-again-0123456789", "enter")
        model.say("Go on.")
        model.finish()
        await until(lambda: answered(app) and "Go on." in pane(app))
    assert model.raw.requests[-1].headers["authorization"] == "Bearer sk-again-0123456789"
    assert model.bodies[-1]["model"] == "m-1"
    assert other.raw.connections == 0


async def test_a_new_session_goes_to_the_usual_endpoint(make_app: MakeApp, held: None, other: Model) -> None:
    app = resumed(make_app, usual(other))
    async with running(app) as pilot:
        await until(lambda: SECRET in pane(app))
        await pilot.press("ctrl+n")
        await converse(app, pilot, other, "hello", "Hi.")
    assert [m["content"] for m in other.bodies[0]["messages"]] == ["hello"]


async def test_a_flag_is_a_yes(make_app: MakeApp, held: None, other: Model) -> None:
    sources = {"endpoint": Source(Origin.FLAG, "--endpoint")}
    app = resumed(make_app, replace(usual(other), name="work"), sources=sources)
    async with running(app) as pilot:
        await until(lambda: SECRET in pane(app) and "other-1  work" in status(app))
        await converse(app, pilot, other, "and now?", "Here.")


@pytest.mark.parametrize("key", ["", "sk-named-by-a-flag"])
async def test_a_server_that_was_named_by_its_address_needs_no_configuration(
    key: str, make_app: MakeApp, model: Model, other: Model
) -> None:
    host = model.raw.url.split("/")[2]
    app = make_app(Endpoint(host, model.raw.url, model="m-1", api_key="sk-of-the-first-run"))
    async with running(app) as pilot:
        await converse(app, pilot, model, SECRET, "Noted.")
    app = resumed(make_app, replace(usual(other), model=""), session_key=("KEY", key))
    async with running(app) as pilot:
        await until(lambda: f"m-1  {host}" in status(app))
        assert f"Using endpoint {host}, as before." in notes(app)
        await converse(app, pilot, model, "and now?", "Here.")
    assert model.raw.requests[-1].headers.get("authorization") == (f"Bearer {key}" if key else None)
    assert other.raw.connections == 0
