"""What the status bar says while nothing arrives, and what it leaves out first."""

import time
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from streamtui.config import Endpoint
from streamtui.core import price_list
from streamtui.ui.app import StreamTUI
from tests.ui.conftest import MakeApp, Model, answered, ask, running, status, until


async def begun(pilot: Pilot[None], model: Model) -> None:
    """Has the model begin a reply that takes a second and a half, and then say nothing more."""
    app = pilot.app
    assert isinstance(app, StreamTUI)
    await ask(pilot, "hello")
    model.say(*["some words of a reply "] * 50)
    await until(lambda: app.chat.conversation.current and len(app.chat.conversation.current.text) == 1100)
    progress = app.chat.conversation.progress
    assert progress.first is not None
    progress.first, progress.sent, progress.asked = progress.first - 1, progress.sent - 1.5, progress.asked - 1.5
    progress.last = time.monotonic()
    app.chat.show_status()


def age(app: StreamTUI, seconds: float) -> None:
    """Puts the reply under way so much further into the past."""
    progress = app.chat.conversation.progress
    assert progress.first is not None
    progress.first, progress.last = progress.first - seconds, progress.last - seconds
    progress.sent, progress.asked = progress.sent - seconds, progress.asked - seconds
    app.chat.show_status()


async def test_a_server_that_fell_silent_is_told_and_its_speed_is_not(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app, (100, 24)) as pilot:
        await begun(pilot, model)
        assert "● streaming" in status(app)
        assert "tok/s" in status(app)
        age(app, 125)
        assert "◌ no data for 125 s" in status(app)
        assert "streaming" not in status(app)
        assert "tok/s" not in status(app)
        model.say("and more")
        await until(lambda: "● streaming" in status(app))
        model.finish()
        await until(lambda: answered(app))
        assert "● ready" in status(app)


@pytest.mark.parametrize("width", [22, 30, 40, 60, 80, 100, 140])
async def test_the_state_and_the_seconds_are_cut_last(make_app: MakeApp, model: Model, width: int) -> None:
    endpoint = replace(model.endpoint, name="a-server-with-a-long-name", model="a-model-with-a-long-name")
    app = make_app(endpoint)
    async with running(app, (width, 12)) as pilot:
        await begun(pilot, model)
        age(app, 125)
        bar = app.chat.status
        bar.warning, bar.external_changes = "not saved", "2 new messages in another window"
        assert "◌ no data for 125 s" in status(app)
        bar.search_status = "3 of 12 matches for a long search"
        assert "◌ no data for 125 s" in status(app)
        bar.link = "https://example.com/a/link/the/mouse/is/over"
        assert "◌ no data for 125 s" in status(app)


async def test_without_a_reply_under_way_a_search_has_the_bar_to_itself(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app, (40, 12)):
        app.chat.status.search_status = "3 of 12"
        assert status(app).startswith(" 3 of 12 ")


async def test_a_model_on_this_machine_has_no_unknown_price(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app, (140, 24)) as pilot:
        model.say("hi")
        model.finish()
        await ask(pilot, "hello")
        await until(lambda: answered(app) and "reply 234" in status(app))
        assert "$" not in status(app)


async def test_a_price_found_by_the_name_of_the_model_is_marked(make_app: MakeApp, model: Model) -> None:
    price_list.load()
    app = make_app(Endpoint("proxy", model.raw.url, api_key="sk-x", model="gpt-4o-mini"))
    async with running(app, (140, 24)) as pilot:
        model.say("hi")
        model.finish()
        await ask(pilot, "hello")
        await until(lambda: answered(app) and "session ~$0.00029" in status(app))
        assert "reply ~$0.00029" in status(app)
        session_id = app.chat.conversation.session.id
    app = make_app(model.endpoint, session_id=session_id)
    async with running(app, (140, 24)):
        await until(lambda: "session ~$0.00029" in status(app))
