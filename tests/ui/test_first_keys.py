"""Keys pressed before the program is ready are not lost."""

import pytest
from textual import events
from textual.message import Message as TextualMessage

from streamtui.core.message import FinishReason, Message, Role
from streamtui.core.session import Session
from streamtui.ui.app import StreamTUI
from streamtui.ui.dialogs.help import HelpScreen
from streamtui.ui.dialogs.model_picker import ModelPicker
from tests.ui.conftest import MakeApp, Model, answered, pane, until


class EarlyKeys:
    """Presses keys as soon as the app is mounted, before anything is painted."""

    def __init__(self, app: StreamTUI, *keys: tuple[str, str | None]) -> None:
        self.app, self.keys, self.too_late = app, list(keys), False

    def __call__(self, message: TextualMessage) -> None:
        if isinstance(message, events.Mount) and self.keys:
            self.too_late = hasattr(self.app, "store")
            for key in self.keys:
                self.app.post_message(events.Key(*key))
            self.keys.clear()


@pytest.mark.parametrize(("key", "screen"), [("f1", HelpScreen), ("ctrl+o", ModelPicker)])
async def test_keys_pressed_before_the_first_paint_work(make_app: MakeApp, key: str, screen: type) -> None:
    app = make_app()
    press = EarlyKeys(app, (key, None))
    async with app.run_test(message_hook=press):
        await until(lambda: isinstance(app.screen, screen))
        assert not press.too_late
    app.close()


async def test_a_prompt_sent_at_once_goes_to_the_session_being_opened(make_app: MakeApp, model: Model) -> None:
    first = make_app(model.endpoint)
    async with first.run_test() as pilot:
        await until(lambda: hasattr(first, "store"))
        session = Session(title="Bread", endpoint="test", model="m-1")
        session.add(Message(Role.USER, "How long does it rest?"))
        session.add(Message(Role.ASSISTANT, "A night.", model="m-1", finish_reason=FinishReason.STOP))
        first.store.save_whole(session)
        await pilot.pause()
    first.close()
    model.say("Longer.")
    model.finish()
    app = make_app(model.endpoint, resume=1)
    press = EarlyKeys(app, *((letter, letter) for letter in "why"), ("enter", None))
    async with app.run_test(message_hook=press):
        await until(lambda: hasattr(app, "store") and app.chat.session and answered(app))
        assert not press.too_late
        assert app.chat.conversation.session.id == session.id
        assert [message["content"] for message in model.bodies[0]["messages"]][-1] == "why"
        assert "A night." in pane(app)
        assert "Longer." in pane(app)
    app.close()
