"""Errors of the program itself: the reply goes on or ends as what it is, the user is told once, the app stays or says
why it closed."""

import asyncio
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen

from streamtui import error_log
from streamtui.conversation import Conversation
from streamtui.core.message import FinishReason
from streamtui.storage import Store
from streamtui.ui.app import StreamTUI
from streamtui.ui.commands.base import handles
from streamtui.ui.commands.turn import TurnCommands
from streamtui.ui.transcript.flow import Flow
from streamtui.ui.transcript.lines import LinePainter
from streamtui.ui.widgets.prompt import Prompt
from tests.support.terminal import Terminal, python
from tests.ui.conftest import MakeApp, Model, answered, ask, pane, running, until

pytestmark = pytest.mark.internal_errors


def broken(*_: object, **__: object) -> Any:
    """Fails as a bug would."""
    raise KeyError("what the user said")


def notices(app: StreamTUI) -> list[str]:
    """What the user was told of internal errors."""
    return [notice.message for notice in app._notifications if notice.title == "Internal error"]


def received(app: StreamTUI, text: str) -> bool:
    """Whether the reply under way holds `text`."""
    reply = app.chat.conversation.current
    return reply is not None and text in reply.text


async def replied(pilot: Pilot[None], model: Model) -> None:
    """Lets the model answer in pieces."""
    app = pilot.app
    assert isinstance(app, StreamTUI)
    await ask(pilot, "hello")
    for number in range(5):
        model.say(f"piece {number} ")
        await until(partial(received, app, f"piece {number}"))
    model.finish()
    await until(lambda: answered(app))
    await pilot.pause()


async def test_a_reply_that_cannot_be_painted_is_received_whole_and_shown_at_its_end(
    make_app: MakeApp, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    error_log.start()
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        monkeypatch.setattr(Flow, "grow", broken)
        await replied(pilot, model)
        reply = app.chat.conversation.current
        assert reply is not None
        assert reply.finish_reason is FinishReason.STOP
        assert reply.text.strip().endswith("piece 4")
        assert "piece 0 piece 1 piece 2 piece 3 piece 4" in pane(app)
        assert len(notices(app)) == 1
        assert "KeyError" in notices(app)[0]
        assert error_log.shown_path() in notices(app)[0]


async def test_a_line_that_cannot_be_painted_is_left_blank(
    make_app: MakeApp, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        monkeypatch.setattr(LinePainter, "paint", broken)
        await replied(pilot, model)
        assert app.chat.conversation.current is not None
        assert app.chat.conversation.current.finish_reason is FinishReason.STOP
        assert len(notices(app)) == 1
        monkeypatch.undo()
        app.chat.transcript.refresh()
        assert "piece 4" in pane(app)


async def test_a_worker_that_fails_is_told_and_the_app_goes_on(
    make_app: MakeApp, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        monkeypatch.setattr(Conversation, "resolve_model", broken)
        app.chat.models.settle()
        await until(lambda: notices(app))
        monkeypatch.undo()
        await replied(pilot, model)
        assert len(notices(app)) == 1


async def test_a_command_that_fails_is_told_and_the_app_goes_on(
    make_app: MakeApp, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TurnCommands, "retry", handles("turn.retry")(lambda *_: broken()))
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        await pilot.press("f5")
        await until(lambda: notices(app))
        await replied(pilot, model)
        assert "The command failed" in notices(app)[0]


async def test_a_canceled_read_of_the_store_is_no_stop_by_the_user(
    make_app: MakeApp, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    def canceled(*_: object) -> "Future[Any]":
        answer: Future[Any] = Future()
        answer.cancel()
        return answer

    app = make_app(model.endpoint)
    async with running(app) as pilot:
        monkeypatch.setattr(Store, "recall", canceled)
        await ask(pilot, "hello")
        await until(lambda: answered(app))
        reply = app.chat.conversation.current
        assert reply is not None
        assert reply.finish_reason is FinishReason.FAILED
        assert "internal error" in reply.error
        assert "■ Stopped" not in pane(app)
        assert len(notices(app)) == 1


async def test_a_handler_that_fails_closes_the_app_and_the_reply_says_so(
    make_app: MakeApp, model: Model, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    error_log.start()
    app = make_app(model.endpoint)
    with pytest.raises(KeyError):  # noqa: PT012 - raised by Textual's test pilot, at the end
        async with running(app) as pilot:
            await ask(pilot, "hello")
            model.say("Half of it")
            await until(lambda: received(app, "Half of it"))
            monkeypatch.setattr(Prompt, "_on_key", broken)
            await pilot.press("x")
            await until(lambda: not app.is_running)
    app.close()
    reply = app.chat.conversation.current
    assert reply is not None
    assert (reply.text, reply.finish_reason) == ("Half of it", FinishReason.FAILED)
    assert reply.error == "An internal error closed streamtui before the reply was complete."
    assert app.crash == f"streamtui closed because of an internal error (KeyError). Details: {error_log.shown_path()}"
    assert app.return_code == 1
    assert "Traceback" not in "".join(capfd.readouterr())


PROGRAM = """
import sys
from streamtui.cli import main
from streamtui.ui.widgets.prompt import Prompt
real = Prompt._on_key
async def broken(self, event):
    if event.key == "x":
        secret = self.text
        raise KeyError(secret)
    await real(self, event)
Prompt._on_key = broken
sys.exit(main(["--demo"]))
"""


async def test_in_a_terminal_the_app_ends_with_one_sentence(tmp_path: Path) -> None:
    terminal = Terminal(python(PROGRAM), {"HOME": str(tmp_path)}, size=(80, 24))
    terminal.keep = True
    try:
        await asyncio.to_thread(terminal.until, "Ask it")
        terminal.write(b"top secret ")
        await asyncio.to_thread(terminal.until, "secret")
        terminal.write(b"x")
        assert await asyncio.to_thread(terminal.wait, 30) == 1
    finally:
        terminal.close()
    _, _, after = bytes(terminal.output).rpartition(b"\x1b[?1049l")
    said = after.decode()
    assert "streamtui closed because of an internal error (KeyError). Details: " in said
    assert "Traceback" not in said
    assert "secret" not in said


async def test_no_worker_keeps_its_errors_to_itself() -> None:
    # With exit_on_error=False Textual drops them; the app itself goes on after a worker that failed.
    folder = Path(__file__).parents[2] / "streamtui"
    assert [file.name for file in folder.rglob("*.py") if "exit_on_error" in file.read_text()] == []


async def test_errors_on_other_screens_are_told_too(
    make_app: MakeApp, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Other(Screen[None]):
        BINDINGS = [("f4", "fail", "Fail")]
        action_fail = broken

    app = make_app(model.endpoint)
    async with running(app) as pilot:
        await app.push_screen(Other())
        await pilot.press("f4")
        await until(lambda: notices(app))
        assert isinstance(app.screen, Other)


async def test_what_a_thread_says_after_the_end_is_dropped(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app):
        pass
    said: list[str] = []
    app.call_from_thread_soon(said.append, "too late")
    ran = asyncio.Event()
    asyncio.get_running_loop().call_soon(ran.set)
    await ran.wait()
    assert said == []


async def test_debug_says_where_its_log_is(tmp_path: Path) -> None:
    terminal = Terminal(python("from streamtui.cli import main; main(['--demo', '--debug'])"), {"HOME": str(tmp_path)})
    terminal.keep = True
    try:
        await asyncio.to_thread(terminal.until, "Ask it")
        terminal.write(b"\x11")  # ctrl+q
        assert await asyncio.to_thread(terminal.wait, 30) == 0
    finally:
        terminal.close()
    assert b"streamtui: Debug log: " in bytes(terminal.output).rpartition(b"\x1b[?1049l")[2]
