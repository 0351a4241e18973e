"""Every command has a handler, every handler a command."""

from collections import Counter

import pytest
from textual.widget import Widget

from streamtui.commands import COMMANDS, commands_in
from streamtui.config import DEMO, Config
from streamtui.ui.app import StreamTUI
from streamtui.ui.bindings import bindings_for
from streamtui.ui.commands.base import Controller, handlers_of
from streamtui.ui.commands.pane import PaneCommands
from streamtui.ui.connections import Connections
from streamtui.ui.dialogs.model_picker import ModelPicker
from streamtui.ui.screens.chat import ChatScreen
from streamtui.ui.screens.sessions.screen import SessionsScreen
from streamtui.ui.screens.tree import TreeScreen
from streamtui.ui.transcript import Transcript
from streamtui.ui.widgets.prompt import Prompt
from tests.ui.conftest import MakeApp, Model, ask, pane, running, until

WIDGETS: dict[str, type[Widget]] = {
    "prompt": Prompt, "conversation": Transcript, "sessions": SessionsScreen, "tree": TreeScreen,
    "models": ModelPicker,
}  # fmt: skip
"""The widgets that handle the commands of a place with actions of their own."""


def handled_by_controllers() -> Counter[str]:
    chat = ChatScreen(Config(DEMO), Connections(Config(DEMO), lambda endpoint: None))  # type: ignore[arg-type, return-value]
    controllers = [value for value in vars(chat).values() if isinstance(value, Controller | PaneCommands)]
    return Counter(command_id for controller in controllers for command_id, _ in handlers_of(controller))


def test_every_command_has_exactly_one_handler() -> None:
    handled = handled_by_controllers()
    for where, widget in WIDGETS.items():
        actions = {binding.id: binding.action for binding in widget.BINDINGS if not isinstance(binding, tuple)}
        for command in commands_in(where):
            if not actions[command.id].startswith("screen."):
                assert callable(getattr(widget, f"action_{command.name}", None)), command.id
                handled[command.id] += 1
    assert handled == Counter(command.id for command in COMMANDS)


def test_keys_run_the_handlers() -> None:
    for binding in bindings_for("chat"):
        assert not isinstance(binding, tuple)
        assert binding.action == f"screen.command('{binding.id}')"


async def test_a_command_that_is_not_available_says_why(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        await pilot.press("f5")
        assert notes(app) == ["There is no prompt to retry yet."]
        await ask(pilot, "hello")
        await until(lambda: app.chat.conversation.progress.running)
        await pilot.press("f5")
        assert notes(app)[-1] == "A reply is arriving. Press Esc to stop it first."


async def test_a_reply_goes_on_without_its_screen(
    make_app: MakeApp, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamtui.ui.screens.chat.KEEPS_RUNNING", True)
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        await ask(pilot, "hello")
        model.say("one ", "two ")
        await until(lambda: "two" in pane(app))
        first = app.chat.conversation
        await pilot.press("ctrl+n")
        await until(lambda: not app.chat.is_replying)
        assert app.chat.conversation is not first
        model.say("three ")
        await until(lambda: first.progress.counter.count.tokens > 2)
        await app.chat.sessions.open_saved(first.session.id)
        assert app.chat.conversation is first
        await until(lambda: "one two three" in pane(app))
        model.say("four")
        model.finish()
        await until(lambda: not app.chat.is_replying)
        assert "one two three four" in pane(app)


def notes(app: StreamTUI) -> list[str]:
    return [note.message for note in app._notifications]
