"""Reasoning that a server leaves in the text, on the screen: folded, also where only its end shows what it was."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from streamtui.config import Config
from streamtui.core.message import Message, Role
from streamtui.core.session import Session
from streamtui.storage import Store
from streamtui.ui import other_windows
from tests.ui.conftest import MakeApp, Model, answered, ask, pane, running, until


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Store]:
    """Another window."""
    with Store(tmp_path / "data" / "sessions.db") as store:
        yield store


@pytest.mark.parametrize("pace", [None, 100_000.0])
async def test_text_is_folded_when_it_turns_out_to_be_reasoning(
    pace: float | None, make_app: MakeApp, model: Model
) -> None:
    app = make_app(config=Config(model.endpoint, pace=pace))
    async with running(app) as pilot:
        await ask(pilot, "Is it?")
        model.say("Hm, `let` me **see**.\n\n", "Perhaps.")
        await until(lambda: "Perhaps." in pane(app))
        model.say("\n</think>\n\nYes, ")
        await until(lambda: "Yes," in pane(app))
        assert "Perhaps." not in pane(app)
        model.say("it is.")
        model.finish()
        await until(lambda: answered(app) and "Yes, it is." in pane(app))
        assert "▸ thought" in pane(app)
        shown = pane(app)
        await pilot.press("alt+up", "space")
        assert "Perhaps." in pane(app)
        await pilot.press("space")
        app.chat.show_path()
        await pilot.pause()
        assert pane(app).splitlines()[:4] == shown.splitlines()[:4]


async def test_a_continued_reply_keeps_the_text_before(make_app: MakeApp, model: Model, other: Store) -> None:
    session = Session(endpoint="test", model="m-1")
    session.add(Message(Role.USER, "Is it?"))
    session.add(Message(Role.ASSISTANT, "Yes,", reasoning="First.", model="m-1", endpoint="test"))
    other.save_whole(session)
    assert other.latest().result(20)
    app = make_app(model.endpoint, session_id=session.id)
    async with running(app) as pilot:
        await until(lambda: "Yes," in pane(app))
        await pilot.press("f9")
        model.say("Then. ", "Go on.")
        await until(lambda: "Go on." in pane(app))
        model.say("</think>it is.")
        model.finish()
        await until(lambda: answered(app) and "it is." in pane(app))
        assert "Go on." not in pane(app)
        assert "Yes,it is." in pane(app)
        await pilot.press("alt+up", "space")
        assert "First." in pane(app)
        assert "Then. Go on." in pane(app)


async def test_another_window_follows(
    make_app: MakeApp, model: Model, other: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(other_windows, "POLL_EVERY", 0.02)
    session = Session(endpoint="test", model="m-1")
    session.add(Message(Role.USER, "Is it?"))
    reply = session.add(Message(Role.ASSISTANT, "Perhaps.", model="m-1"))
    other.save_whole(session)
    other.save_message(session.id, reply)
    assert other.latest().result(20)
    app = make_app(model.endpoint, session_id=session.id)
    async with running(app):
        await until(lambda: "Perhaps." in pane(app))
        reply.reasoning, reply.text = "Perhaps.", "It is, and more than that."
        other.save_message(session.id, reply)
        await until(lambda: "It is, and more than that." in pane(app))
        assert "Perhaps." not in pane(app)
