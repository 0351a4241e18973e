"""Switching the model, starting and opening sessions, coming back."""

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path

from streamtui.config import Endpoint, ModelSettings
from streamtui.ui.app import StreamTUI
from streamtui.ui.dialogs.model_picker import ModelPicker
from tests.ui.conftest import MakeApp, Model, answered, ask, listed, pane, running, status, until


async def test_a_model_is_picked_from_the_servers_list(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        await pilot.press("f2")
        await until(lambda: isinstance(app.screen, ModelPicker) and len(listed(app.screen)) == 3)
        assert listed(app.screen)[0] == "m-1  current"
        await pilot.press(*"zt")
        assert listed(app.screen)[0] == "zeta"
        await pilot.press("enter")
        await until(lambda: "zeta" in status(app))
        model.say("hi")
        model.finish()
        await ask(pilot, "hello")
        await until(lambda: answered(app))
        assert model.bodies[0]["model"] == "zeta"
        await pilot.press("ctrl+o")
        await until(lambda: isinstance(app.screen, ModelPicker) and len(listed(app.screen)) == 3)
        assert listed(app.screen)[0].startswith("zeta")


async def test_the_list_says_what_models_take_in_and_cost(make_app: MakeApp, model: Model) -> None:
    model.says = {"context_length": 131_072, "pricing": {"prompt": "0.0000005", "completion": "0.000002"}}
    own = ModelSettings(window=1_000, input_price=0.0, output_price=0.0)
    app = make_app(replace(model.endpoint, models={"m-2": own}))
    async with running(app) as pilot:
        await pilot.press("f2")
        await until(lambda: isinstance(app.screen, ModelPicker) and len(listed(app.screen)) == 3)
        lines = listed(app.screen)
        assert lines[0].startswith("m-1  current ")
        assert lines[0].endswith(" 131k · $0.5 in · $2 out")
        assert lines[1].endswith(" 1k · free")
        assert str(app.screen.query_one("#dialog").border_title) == "Models of test · $ per million tokens"
        await pilot.resize_terminal(30, 12)
        await until(lambda: listed(app.screen) == ["m-1  current", "m-2           1k · free", "zeta"])
        await pilot.resize_terminal(80, 24)
        await pilot.press("escape")
        await until(lambda: "0 / 131k" in status(app))


async def test_favorites_of_the_settings_count_too(make_app: MakeApp, model: Model) -> None:
    app = make_app(replace(model.endpoint, favorites=("zeta", "elsewhere")))
    async with running(app) as pilot:
        await pilot.press("f2")
        await until(lambda: isinstance(app.screen, ModelPicker) and len(listed(app.screen)) == 4)
        assert [line for line in listed(app.screen) if "★" in line] == ["★ zeta", "★ elsewhere"]
        await pilot.press("ctrl+t")
        assert any("in your settings" in note.message for note in app._notifications)
        await pilot.press("down", "down", "ctrl+t", "escape")
        await until(lambda: app.screen is app.chat)
        for expected in ("zeta", "elsewhere", "m-1"):
            await pilot.press("f3")
            await until(partial(says, app, expected))


def says(app: StreamTUI, text: str) -> bool:
    """Whether the bar says `text`."""
    return text in status(app)


async def test_any_name_can_be_typed(make_app: MakeApp, model: Model) -> None:
    model.models = []
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        await pilot.press("f2")
        await until(lambda: isinstance(app.screen, ModelPicker))
        await pilot.press(*"my-own", "enter")
        await until(lambda: app.chat.conversation.model == "my-own")


async def test_f3_steps_through_favorites(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        await pilot.press("f2")
        await until(lambda: isinstance(app.screen, ModelPicker) and len(listed(app.screen)) == 3)
        await pilot.press("ctrl+t", "down", "ctrl+t")
        assert [line[0] for line in listed(app.screen)] == ["★", "★", "z"]
        await pilot.press("escape")
        await until(lambda: app.screen is app.chat)
        for key, expected in (("f3", "m-2"), ("f3", "m-1"), ("shift+f3", "m-2")):
            await pilot.press(key)
            await until(lambda: expected in status(app))


async def test_the_first_model_of_the_server_answers_where_none_is_named(make_app: MakeApp, model: Model) -> None:
    app = make_app(Endpoint("test", model.raw.url))
    async with running(app):
        await until(lambda: "m-1" in status(app))


async def test_the_model_used_last_answers_the_next_time(make_app: MakeApp, model: Model) -> None:
    endpoint = Endpoint("test", model.raw.url)
    app = make_app(endpoint)
    async with running(app) as pilot:
        app.chat.conversation.switch_model("zeta")
        model.say("hi")
        model.finish()
        await ask(pilot, "hello")
        await until(lambda: answered(app))
    app = make_app(endpoint)
    async with running(app):
        await until(lambda: "zeta" in status(app))


async def test_coming_back_to_the_latest_session(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        await ask(pilot, "hello")
        await until(lambda: answered(app))
        app.chat.conversation.switch_model("demo-fast")
        session_id = app.chat.conversation.session.id
    for options in ({"resume": True}, {"session_id": session_id}, {"session_id": session_id[:6]}):
        app = make_app(**options)
        async with running(app):
            await until(lambda: "built-in demo" in pane(app))
            assert app.chat.conversation.session.id == session_id
            assert "demo-fast" in status(app)


async def test_a_session_that_is_not_there_is_told(make_app: MakeApp) -> None:
    app = make_app(session_id="nothing")
    async with running(app):
        await until(lambda: any("nothing" in note.message for note in app._notifications))


async def test_a_disk_that_fails_is_told_and_the_chat_goes_on(make_app: MakeApp, tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_text("this is not a database, and must not be overwritten" * 100)
    app = make_app(database=broken)
    async with running(app) as pilot:
        await ask(pilot, "hello")
        await until(lambda: answered(app))
        await until(lambda: "not saved" in status(app))
        assert "built-in demo" in pane(app)
    assert broken.read_text().startswith("this is not a database")


async def test_the_theme_is_remembered(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        await until(lambda: "paper" in app.available_themes and app.chat.is_ready)
        app.theme = "paper"
        await pilot.pause()
        await until(lambda: app.store.recall("theme").result(5) == "paper")
    app = make_app()
    async with running(app):
        await until(lambda: app.theme == "paper")


async def test_a_new_session_during_a_reply_stops_and_keeps_it(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        await ask(pilot, "tell me")
        model.say("Half")
        await until(lambda: "Half" in pane(app))
        before = app.chat.conversation.session
        await pilot.press("ctrl+n")
        await until(lambda: not app.chat.is_replying)
        assert "You" not in pane(app)
        saved = await asyncio.wrap_future(app.store.session(before.id))
        assert saved.path()[-1].text == "Half"


async def test_a_name_that_never_answered_is_not_remembered(make_app: MakeApp, model: Model) -> None:
    app = make_app(replace(model.endpoint, retries=0))
    async with running(app) as pilot:
        app.chat.conversation.switch_model("mistyped")
        await ask(pilot, "hello")
        await until(lambda: model.bodies)
        model.pieces.put_nowait(None)
        await until(lambda: answered(app))
        assert await asyncio.wrap_future(app.store.models("test")) == []
