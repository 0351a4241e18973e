"""Who answers: the first start, switching servers, coming back to one, and the settings that hold from the start."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.screen import Screen
from textual.widgets import Input, OptionList, Static

from streamtui import paths
from streamtui.config import DEMO, Config, Endpoint, Origin, Preset, Source
from streamtui.config.keyring_index import names_in_keyring
from streamtui.core.parameters import Parameters
from streamtui.ui.app import StreamTUI
from streamtui.ui.dialogs.api_key_dialog import ApiKeyDialog
from streamtui.ui.dialogs.endpoint_picker import EndpointPicker
from streamtui.ui.dialogs.help import HelpScreen
from streamtui.ui.dialogs.model_picker import ModelPicker
from streamtui.ui.dialogs.welcome import Welcome
from tests.support import ROOT
from tests.support.raw_server import Exchange, serving, whole
from tests.ui.conftest import MakeApp, Model, answered, ask, pane, running, status, until

OPENAI = Endpoint("openai", "https://api.openai.com/v1", model="x", api_key_env="OPENAI_API_KEY")
KEY = "sk-entered-0123456789"


def is_open(app: StreamTUI, panel: type[Screen[Any]]) -> bool:
    """Whether `panel` is on top, with all that is in it."""
    return isinstance(app.screen, panel) and app.screen.is_mounted


def choices(app: StreamTUI) -> list[str]:
    """The lines of the list that is open."""
    options = app.screen.query_one(OptionList)
    return [str(options.get_option_at_index(at).prompt).strip() for at in range(options.option_count)]


def notes(app: StreamTUI) -> str:
    """What was notified."""
    return "\n".join(note.message for note in app._notifications)


def config_of(*endpoints: Endpoint, **values: object) -> Config:
    """A config with these endpoints; the first answers at the start."""
    return replace(Config(endpoints[0], endpoints={e.name: e for e in (*endpoints, DEMO)}), **values)  # type: ignore[arg-type]


@pytest.fixture
async def other() -> AsyncIterator[Model]:
    """A second server."""
    second = Model(models=["other-1", "other-2"])
    async with serving(second.serve) as second.raw:
        yield second


def second(other: Model) -> Endpoint:
    """Where the second server is."""
    return Endpoint("second", other.raw.url, api_key="sk-of-the-second", model="other-1")


# The first start


async def test_a_first_start_without_a_key_offers_the_demo(make_app: MakeApp) -> None:
    app = make_app(OPENAI)
    async with running(app) as pilot:
        await until(lambda: is_open(app, Welcome))
        assert [line.partition(":")[0] for line in choices(app)] == [
            "Enter the API key for openai (or set OPENAI_API_KEY and restart)",
            "Use another endpoint",
            "Try the built-in demo",
            "Browse saved sessions",
            "Quit",
        ]
        await pilot.press("down", "down", "enter")
        await until(lambda: app.screen is app.chat and "demo-1" in status(app))
        await ask(pilot, "hello")
        await until(lambda: answered(app))
        assert "built-in demo" in pane(app)


async def test_a_first_start_finds_the_servers_on_this_machine(make_app: MakeApp, other: Model) -> None:
    async with AsyncExitStack() as stack:
        page = await stack.enter_async_context(serving(whole(b"<html>hi</html>", content_type="text/html")))
        empty = await stack.enter_async_context(serving(whole(b'{"data": []}', content_type="application/json")))
        silent = await stack.enter_async_context(serving(silence))
        local = [
            Endpoint("ollama", other.raw.url), Endpoint("vllm", page.url), Endpoint("llamacpp", silent.url),
            Endpoint("lmstudio", empty.url), Endpoint("nobody", "http://localhost:1/v1"),
        ]  # fmt: skip
        app = make_app(config=config_of(OPENAI, *local))
        async with running(app) as pilot:
            await until(lambda: is_open(app, Welcome) and len(choices(app)) == 6)
            assert choices(app)[-1] == "Use ollama on this machine: other-1, other-2"
            assert app.screen.query_one(OptionList).highlighted == 0, "no row moves away from under the cursor"
            await pilot.press("up", "enter")
            await until(lambda: app.screen is app.chat and "ollama" in status(app))
            other.say("I am here.")
            other.finish()
            await ask(pilot, "hello")
            await until(lambda: answered(app))
            assert "I am here." in pane(app)
            assert other.bodies[0]["model"] == "other-1"


async def silence(exchange: Exchange) -> None:
    """Says nothing as long as somebody listens."""
    await exchange.until_gone()


async def test_nobody_found_is_said(make_app: MakeApp) -> None:
    app = make_app(config=config_of(OPENAI, Endpoint("nobody", "http://localhost:1/v1")))
    async with running(app):
        await until(lambda: is_open(app, Welcome) and "No local servers found" in text_of(app, "#hint"))


def text_of(app: StreamTUI, selector: str) -> str:
    """What a widget of the screen on top says."""
    return str(app.screen.query_one(selector).render())


def use_keyring(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Gives the test a keyring of its own, and returns its file."""
    monkeypatch.setenv("FILE_KEYRING", str(tmp_path / "keyring.json"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "tests.support.file_keyring.Keyring")
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    return tmp_path / "keyring.json"


async def test_a_key_can_be_entered_and_is_kept(
    make_app: MakeApp, model: Model, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = use_keyring(monkeypatch, tmp_path)
    app = make_app(Endpoint("box", model.raw.url, model="m-1", api_key_env="BOX_KEY"))
    async with running(app) as pilot:
        await until(lambda: is_open(app, Welcome))
        await pilot.press("enter")
        await until(lambda: is_open(app, ApiKeyDialog))
        await pilot.press("enter")
        assert "Paste an API key" in text_of(app, "#hint")
        app.screen.query_one(Input).value = "schlüssel"
        await pilot.press("enter")
        assert "Not a valid API key" in text_of(app, "#hint")
        app.screen.query_one(Input).value = KEY
        await pilot.pause()
        assert KEY not in app.export_screenshot()
        await pilot.press("enter")
        await until(lambda: app.screen is app.chat and "no API key" not in status(app))
        model.say("Hello.")
        model.finish()
        await ask(pilot, "hello")
        await until(lambda: answered(app))
        assert model.raw.requests[-1].headers["authorization"] == f"Bearer {KEY}"
        await until(lambda: "API key in the keyring." in notes(app))
    assert json.loads(file.read_text()) == {"streamtui/box": KEY}
    assert names_in_keyring() == {"box"}


async def test_without_a_keyring_the_key_is_used_and_the_variable_named(
    make_app: MakeApp, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    app = make_app(Endpoint("box", model.raw.url, model="m-1", api_key_env="BOX_KEY"))
    async with running(app) as pilot:
        await until(lambda: is_open(app, Welcome))
        await pilot.press("enter")
        await until(lambda: is_open(app, ApiKeyDialog))
        await pilot.press(*KEY, "enter")
        await until(lambda: "for this run only" in notes(app))
        assert "set BOX_KEY" in notes(app)
        assert app.chat.conversation.provider.endpoint.api_key == KEY
    assert names_in_keyring() == frozenset()


async def test_leaving_the_panel_of_the_key_leads_back(make_app: MakeApp) -> None:
    app = make_app(OPENAI)
    async with running(app) as pilot:
        await until(lambda: is_open(app, Welcome))
        await pilot.press("enter")
        await until(lambda: is_open(app, ApiKeyDialog))
        await pilot.press("escape")
        await until(lambda: is_open(app, Welcome))
        await pilot.press("down", "enter")
        await until(lambda: is_open(app, EndpointPicker))
        await pilot.press("escape")
        await until(lambda: is_open(app, Welcome))
        await pilot.press("escape")
        await until(lambda: app.screen is app.chat)
        assert "no API key" in status(app)


async def test_from_the_welcome_to_any_other_server(make_app: MakeApp, other: Model) -> None:
    app = make_app(config=config_of(OPENAI, second(other)))
    async with running(app) as pilot:
        await until(lambda: is_open(app, Welcome))
        await pilot.press("down", "enter")
        await until(lambda: is_open(app, EndpointPicker))
        await pilot.press(*"second", "enter")
        await until(lambda: app.screen is app.chat and "other-1  second" in status(app))


# Switching


async def test_a_server_without_an_address_says_where_to_write_it(make_app: MakeApp, model: Model) -> None:
    app = make_app(config=config_of(model.endpoint))
    async with running(app) as pilot:
        await pilot.press("shift+f2")
        await until(lambda: is_open(app, EndpointPicker))
        assert choices(app)[-1].split(maxsplit=1) == ["azure", "no address"]
        await pilot.press(*"azu", "enter")
        hint = app.screen.query_one("#hint", Static)
        await until(lambda: "No address for azure yet. Set base_url = " in str(hint.content))
        assert f"in [endpoints.azure] of {paths.config_file()}." in str(hint.content)
        await pilot.press(*["backspace"] * 3)
        await until(lambda: len(choices(app)) == 3 and not hint.display)
        await pilot.press("escape")
        await until(lambda: app.screen is app.chat)


async def test_another_server_answers_in_the_same_session(make_app: MakeApp, model: Model, other: Model) -> None:
    app = make_app(config=config_of(model.endpoint, second(other)))
    async with running(app) as pilot:
        model.say("I am one.")
        model.finish()
        await ask(pilot, "who are you?")
        await until(lambda: answered(app))
        await pilot.press("shift+f2")
        await until(lambda: is_open(app, EndpointPicker))
        assert [line.split()[0] for line in choices(app)] == ["●", "second", "demo", "azure"]
        await pilot.press("down", "enter")
        await until(lambda: app.screen is app.chat and "other-1  second" in status(app))
        assert "I am one." in pane(app)
        other.say("I am two.")
        other.finish()
        await ask(pilot, "and now?")
        await until(lambda: "I am two." in pane(app) and not app.chat.is_replying)
        assert [m["content"] for m in other.bodies[0]["messages"]] == ["who are you?", "I am one.", "and now?"]
        assert other.bodies[0]["model"] == "other-1"
        session = app.chat.conversation.session
    keys = [{exchange.headers["authorization"] for exchange in server.raw.requests} for server in (model, other)]
    assert keys == [{"Bearer sk-secret-of-the-test"}, {"Bearer sk-of-the-second"}]
    app = make_app(config=config_of(model.endpoint, second(other)), session_id=session.id)
    async with running(app):
        await until(lambda: "other-1  second" in status(app))
        assert "Using endpoint second, as before." in notes(app)


async def test_the_model_picker_leads_to_the_other_servers(make_app: MakeApp, model: Model, other: Model) -> None:
    app = make_app(config=config_of(model.endpoint, second(other)))
    async with running(app) as pilot:
        await pilot.press("f2")
        await until(lambda: is_open(app, ModelPicker))
        assert "shift+F2" in str(app.screen.query_one("#dialog").border_subtitle)
        await pilot.press("shift+f2")
        await until(lambda: is_open(app, EndpointPicker))
        await pilot.press(*"sec", "enter")
        await until(lambda: app.screen is app.chat and "second" in status(app))


async def test_a_reply_under_way_keeps_its_server(make_app: MakeApp, model: Model, other: Model) -> None:
    app = make_app(config=config_of(model.endpoint, second(other)))
    async with running(app) as pilot:
        await ask(pilot, "tell me")
        model.say("Half")
        await until(lambda: "Half" in pane(app))
        await pilot.press("shift+f2")
        await until(lambda: "Press Esc to stop it first" in notes(app))
        assert app.screen is app.chat


async def test_the_picker_says_who_runs_and_who_needs_a_key(make_app: MakeApp, model: Model, other: Model) -> None:
    here = Endpoint("ollama", other.raw.url)
    gone = Endpoint("vllm", "http://localhost:1/v1")
    groq = Endpoint("groq", "https://api.groq.com/openai/v1", api_key_env="GROQ_API_KEY")
    kept = replace(groq, name="kept", api_key_keyring=True)
    named = replace(groq, name="named", api_key="gsk-1")
    app = make_app(config=config_of(model.endpoint, here, gone, groq, kept, named))
    async with running(app, (100, 30)) as pilot:
        await pilot.press("shift+f2")
        await until(lambda: is_open(app, EndpointPicker))
        await until(lambda: "online · 2 models" in choices(app)[1] and "offline" in choices(app)[2])
        assert [" ".join(line.split()) for line in choices(app)[3:]] == [
            "kept api.groq.com/openai/v1 key in keyring",
            "named api.groq.com/openai/v1 key from GROQ_API_KEY",
            "demo built in no key, no network",
            "groq api.groq.com/openai/v1 key missing",
            "azure no address",
        ]
        assert "gsk-1" not in app.export_screenshot()
        await pilot.press(*"nothing-like-it")
        await until(lambda: "No matches" in text_of(app, "#hint"))


# Coming back


async def test_flags_hold_in_a_session_that_goes_on(make_app: MakeApp, model: Model, other: Model) -> None:
    app = make_app(second(other))
    async with running(app) as pilot:
        other.finish()
        await ask(pilot, "hello")
        await until(lambda: answered(app))
        app.chat.conversation.session.parameters = Parameters(temperature=1.0, seed=1)
        app.store.save_session(app.chat.conversation.session)
    config = config_of(
        replace(model.endpoint, model="m-2"),
        second(other),
        parameters=Parameters(seed=2),
        model="m-2",
        sources={"endpoint": Source(Origin.FLAG, "--endpoint")},
    )
    app = make_app(config=config, resume=True)
    async with running(app):
        await until(lambda: "m-2  test" in status(app))
        assert app.chat.conversation.session.parameters == Parameters(temperature=1.0, seed=2)


# Settings


async def test_a_new_session_begins_with_the_preset(make_app: MakeApp, model: Model) -> None:
    preset = Preset("p", parameters=Parameters(temperature=0.5))
    config = config_of(
        model.endpoint, system="Be brief.", preset="p", presets={"p": preset}, parameters=Parameters(seed=1)
    )
    app = make_app(config=config)
    async with running(app) as pilot:
        for _ in range(2):
            session = app.chat.conversation.session
            assert (session.system, session.parameters) == ("Be brief.", Parameters(temperature=0.5, seed=1))
            await pilot.press("ctrl+n")


async def test_keys_of_the_user_hold_and_are_shown(make_app: MakeApp, model: Model) -> None:
    config = config_of(model.endpoint, keymap={"model.switch": "alt+m", "prompt.submit": "alt+s"})
    app = make_app(config=config)
    async with running(app, (120, 120)) as pilot:
        await pilot.press("f2")
        assert app.screen is app.chat
        await pilot.press("alt+m")
        await until(lambda: is_open(app, ModelPicker))
        await pilot.press("escape")
        model.finish()
        app.chat.prompt.insert("hello")
        await pilot.press("alt+s")
        await until(lambda: model.bodies)
        await pilot.press("f1")
        await until(lambda: is_open(app, HelpScreen))
        await pilot.pause()
        assert "alt+m" in app.export_screenshot()
        assert "ctrl+o,&#160;F2" not in app.export_screenshot()


async def test_troubles_of_the_file_are_told_at_the_start(make_app: MakeApp, model: Model) -> None:
    app = make_app(config=config_of(model.endpoint, warnings=("config.toml, line 3: [b]x[/b] is no setting.",)))
    async with running(app):
        await until(lambda: notes(app) == "config.toml, line 3: [b]x[/b] is no setting.")
    app = make_app(config=config_of(model.endpoint, warnings=("one.", "two."), theme="papr"))
    async with running(app):
        await until(lambda: notes(app) == "one. And 2 more: run streamtui config check.")
    app = make_app(config=config_of(model.endpoint, theme="papr"))
    async with running(app):
        await until(lambda: "unknown theme 'papr'. Did you mean paper?" in notes(app))


async def test_the_theme_of_the_file_is_there_from_the_start(make_app: MakeApp, model: Model) -> None:
    app = make_app(config=config_of(model.endpoint, theme="paper"))
    assert app.theme == "paper"
    async with running(app):
        await until(lambda: "dracula" in app.available_themes)
        assert app.theme == "paper"
    app = make_app(config=config_of(model.endpoint, theme="dracula"))
    async with running(app):
        await until(lambda: app.theme == "dracula")


async def test_a_command_is_run_for_its_key_when_it_is_needed(make_app: MakeApp, model: Model, tmp_path: Path) -> None:
    run = tmp_path / "run"
    endpoint = replace(model.endpoint, api_key="", api_key_command=f"echo x >> {run}; echo sk-of-the-command")
    app = make_app(endpoint)
    async with running(app) as pilot:
        await until(lambda: app.chat.is_ready)
        assert not run.exists()
        for prompt in ("hello", "again"):
            model.finish()
            await ask(pilot, prompt)
            await until(lambda: answered(app))
        assert len(model.bodies) == 2
        assert {exchange.headers["authorization"] for exchange in model.raw.requests} == {"Bearer sk-of-the-command"}
        assert run.read_text() == "x\n"


async def test_a_command_without_a_key_is_told_in_the_conversation(make_app: MakeApp, model: Model) -> None:
    app = make_app(replace(model.endpoint, api_key="", api_key_command="echo locked >&2; exit 2"))
    async with running(app) as pilot:
        await ask(pilot, "hello")
        await until(lambda: answered(app))
        assert "The API key command for test failed (exit code 2)" in pane(app)
        assert model.raw.requests == []


async def test_shift_f2_as_xterm_and_tmux_send_it(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        await pilot.press("f14")
        await until(lambda: is_open(app, EndpointPicker))


async def test_a_theme_file_may_hold_its_name(make_app: MakeApp, model: Model) -> None:
    paths.themes_dir().mkdir(parents=True)
    (paths.themes_dir() / "mine.toml").write_text("name = 'Mine'\nprimary = '#7aa2f7'\n")
    app = make_app(config=config_of(model.endpoint, theme="mine"))
    async with running(app):
        assert app.theme == "mine"
        assert not [note for note in notes(app) if "theme" in note]
