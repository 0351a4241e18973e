"""Presets: shown with what they ask for, put to use in the session, with what changed."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import OptionList, Static

from streamtui import paths
from streamtui.config import Config, Preset
from streamtui.config.settings_file import read_settings
from streamtui.core.parameters import Parameters
from streamtui.ui.app import StreamTUI
from streamtui.ui.dialogs.preset_picker import PresetPicker
from tests.support.raw_server import serving
from tests.ui.conftest import MakeApp, Model, answered, ask, running, status, until

PRESETS = {
    "coder": Preset("coder", "You write code.\nOnly code.", model="zeta", parameters=Parameters(temperature=0.1)),
    "terse": Preset("terse", "One sentence."),
    "away": Preset("away", endpoint="other", model="m-2", parameters=Parameters(seed=1)),
    "home [b]": Preset("home [b]"),
}


@pytest.fixture
async def other() -> AsyncIterator[Model]:
    """A second server."""
    model = Model()
    async with serving(model.serve) as model.raw:
        yield model


def lines(app: StreamTUI) -> list[str]:
    """The presets listed."""
    options = app.screen.query_one(OptionList)
    return [str(options.get_option_at_index(i).prompt) for i in range(options.option_count)]


def preview(app: StreamTUI) -> str:
    """What the highlighted one asks for."""
    return str(app.screen.query_one("#preview", Static).content)


def told(app: StreamTUI) -> list[str]:
    """What was notified."""
    return [note.message for note in app._notifications]


async def test_a_preset_is_shown_and_put_to_use(make_app: MakeApp, model: Model) -> None:
    app = make_app(config=Config(model.endpoint, presets=PRESETS))
    async with running(app) as pilot:
        await pilot.press("shift+f4")
        await until(lambda: isinstance(app.screen, PresetPicker) and preview(app))
        assert lines(app) == ["coder", "terse", "away", "home [b]  current"]
        assert preview(app) == "model: zeta\nparameters: temperature 0.1\nYou write code.\nOnly code."
        await pilot.press("down", "down")
        await until(lambda: preview(app) == "model: m-2\nendpoint: other\nparameters: seed 1")
        await pilot.press("up", "up", "enter")
        await until(lambda: "zeta" in status(app))
        assert told(app) == ["From the next prompt on: model zeta, new system prompt, temperature 0.1"]
        model.say("x = 1")
        model.finish()
        await ask(pilot, "hello")
        await until(lambda: answered(app))
        body = model.bodies[0]
        assert (body["model"], body["temperature"]) == ("zeta", 0.1)
        assert body["messages"][0]["content"] == "You write code.\nOnly code."
        await pilot.press("shift+f4")
        await until(lambda: isinstance(app.screen, PresetPicker))
        assert lines(app)[0] == "coder  current"
        await pilot.press(*"ter", "enter")
        await until(lambda: app.screen is app.chat)
        # What a preset does not name stays as it is.
        session = app.chat.conversation.session
        assert (session.system, session.model, session.parameters.temperature) == ("One sentence.", "zeta", 0.1)


async def test_a_preset_may_ask_another_server(make_app: MakeApp, model: Model, other: Model) -> None:
    elsewhere = replace(other.endpoint, name="other", model="m-1")
    app = make_app(config=Config(model.endpoint, presets=PRESETS, endpoints={"other": elsewhere}))
    async with running(app) as pilot:
        await pilot.press("shift+f4")
        await until(lambda: isinstance(app.screen, PresetPicker))
        await pilot.press("down", "down", "enter")
        await until(lambda: "m-2  other" in status(app))
        assert "From the next prompt on: model m-2 at other, seed 1" in told(app)
        other.say("hi")
        other.finish()
        await ask(pilot, "hello")
        await until(lambda: answered(app))
        assert other.bodies[0]["seed"] == 1
        assert model.bodies == []


async def test_a_reply_under_way_is_not_cut_by_a_preset(make_app: MakeApp, model: Model, other: Model) -> None:
    elsewhere = replace(other.endpoint, name="other")
    app = make_app(config=Config(model.endpoint, presets=PRESETS, endpoints={"other": elsewhere}))
    async with running(app) as pilot:
        await ask(pilot, "hello")
        await until(lambda: model.bodies)
        await pilot.press("shift+f4")
        await until(lambda: isinstance(app.screen, PresetPicker))
        await pilot.press("down", "down", "enter")
        await until(lambda: any("Press Esc to stop it first" in text for text in told(app)))
        assert app.chat.is_replying
        assert app.chat.conversation.session.parameters == Parameters()
        model.finish()
        await until(lambda: answered(app))


async def test_without_presets_it_says_how_to_write_one(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app()
    async with running(app) as pilot:
        await pilot.press("shift+f4")
        await until(lambda: isinstance(app.screen, PresetPicker) and preview(app))
        words, example, after = preview(app).split("\n\n")
        assert words == f"No presets yet. Add one to {paths.config_file()}:"
        file = tmp_path / "config.toml"
        file.write_text(example)
        settings = read_settings(file)
        assert (list(settings.presets), settings.warnings) == (["coder"], [])
        assert after == 'Run "streamtui config edit" to open the file, then restart streamtui.'
        shown = app.screen.query_one("#preview")
        assert shown.size.height >= 7
        await pilot.press("enter", "escape")
        await until(lambda: app.screen is app.chat)


async def test_none_that_fits_is_told(make_app: MakeApp, model: Model) -> None:
    app = make_app(config=Config(model.endpoint, presets=PRESETS))
    async with running(app, (40, 12)) as pilot:
        await pilot.press("shift+f4")
        await until(lambda: isinstance(app.screen, PresetPicker))
        await pilot.press(*"qqq")
        await until(lambda: "No matches" in preview(app))
        await pilot.press("enter", "escape")
        await until(lambda: app.screen is app.chat)
