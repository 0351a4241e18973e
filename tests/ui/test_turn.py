"""What goes with a turn: notices, a pace, a title."""

import asyncio
import json

from streamtui.config import Endpoint
from streamtui.core.message import Delta, FinishReason
from tests.support.conversations import Scripted, failing, in_turn, saying
from tests.support.raw_server import DONE, Exchange, chunked, serving, whole
from tests.ui.conftest import MakeApp, Model, answered, ask, pane, piece, running, status, until
from tests.ui.test_trouble import endpoint


async def test_what_a_provider_has_to_say_is_told(make_app: MakeApp, model: Model) -> None:
    pieces = Delta(notice="m-1 does not know seed; it is left out."), Delta("Yes.", finish_reason=FinishReason.STOP)
    app = make_app(model.endpoint, connect=lambda endpoint: Scripted(endpoint, *pieces))
    async with running(app) as pilot:
        await ask(pilot, "hello")
        await until(lambda: answered(app))
        assert "m-1 does not know seed; it is left out." in [note.message for note in app._notifications]
        assert "Yes." in pane(app)


async def test_a_pace_smooths_a_burst_and_the_end_shows_the_rest(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint, settings={"pace": 50.0})
    async with running(app) as pilot:
        await ask(pilot, "hello")
        await until(lambda: model.bodies)
        app.chat.conversation.progress.sent -= 1000  # so that a piece may be held back for 50 s
        model.say("x" * 400)
        await until(lambda: pane(app).count("x") > 3)
        assert pane(app).count("x") < 400
        model.finish()
        await until(lambda: answered(app))
        assert pane(app).count("x") == 400


async def test_what_was_held_back_is_shown_when_a_reply_is_stopped(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint, settings={"pace": 50.0})
    async with running(app) as pilot:
        await ask(pilot, "hello")
        await until(lambda: model.bodies)
        app.chat.conversation.progress.sent -= 1000
        model.say("x" * 400)
        await until(lambda: pane(app).count("x") > 3)
        await pilot.press("escape")
        await until(lambda: answered(app))
        assert pane(app).count("x") == 400
        saved = await asyncio.wrap_future(app.store.session(app.chat.conversation.session.id))
        assert saved.path()[-1].text == "x" * 400


async def test_a_model_gives_the_session_a_title_while_the_user_goes_on(make_app: MakeApp) -> None:
    async with serving(in_turn(saying("It scatters."), saying("Blue Sky"), saying("More."))) as server:
        app = make_app(endpoint(server), settings={"title_model": "namer"})
        async with running(app) as pilot:
            await ask(pilot, "Why is the sky blue?")
            session = app.chat.conversation.session
            await until(lambda: session.title == "Blue Sky")
            await until(lambda: app.store.session(session.id).result(5).title == "Blue Sky")
            assert "ready" in status(app)
            await ask(pilot, "go on")
            await until(lambda: "More." in pane(app) and answered(app))
            assert len(server.asked) == 3


async def test_a_title_that_fails_is_not_spoken_of(make_app: MakeApp) -> None:
    async with serving(in_turn(saying("It scatters."), failing(404), saying("More."))) as server:
        app = make_app(endpoint(server), settings={"title_model": "namer"})
        async with running(app) as pilot:
            await ask(pilot, "Why is the sky blue?")
            await until(lambda: len(server.asked) == 2)
            await until(lambda: not [w for w in app.chat.workers if w.group == "title" and not w.is_finished])
            assert not app._notifications
            assert app.chat.conversation.session.title == "Why is the sky blue?"


async def test_the_moderation_stops_a_reply(make_app: MakeApp) -> None:
    verdict = json.dumps({"results": [{"flagged": True, "categories": {"violence": True}}]}).encode()

    async def answer(exchange: Exchange) -> None:
        if "/moderations" in exchange.line:
            await whole(verdict, content_type="application/json")(exchange)
        else:
            await chunked(piece("Bad words."), piece(finish="stop"), DONE)(exchange)

    async with serving(answer) as server:
        endpoint = Endpoint("test", server.url, model="m-1")
        app = make_app(endpoint, settings={"moderate": True})
        async with running(app) as pilot:
            await ask(pilot, "hi")
            await until(lambda: "flagged the reply for violence" in " ".join(pane(app).split()))
            assert "Bad words." in pane(app)
