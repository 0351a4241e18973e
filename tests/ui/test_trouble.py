"""When a turn does not go well: asked again by itself, by key, or continued."""

import asyncio
from dataclasses import replace

import pytest

from streamtui.config import Endpoint, Timeouts
from streamtui.core.message import FinishReason
from streamtui.providers.demo.answers import answer
from streamtui.providers.demo.provider import demo_provider
from streamtui.ui.app import StreamTUI
from tests.support.conversations import breaking, failing, in_turn, said, saying
from tests.support.raw_server import Exchange, RawServer, free_port, serving
from tests.ui.conftest import MakeApp, Model, answered, ask, pane, piece, running, status, until


def words(app: StreamTUI) -> str:
    """What the conversation pane shows, wherever its lines end."""
    return " ".join(pane(app).split())


def endpoint(server: RawServer) -> Endpoint:
    """The model m-1 of `server`."""
    return Endpoint("box", server.url, model="m-1")


async def test_a_busy_server_is_asked_again_and_the_bar_counts_down(make_app: MakeApp) -> None:
    async with serving(in_turn(failing(429, retry_after="1"), saying("Here you are."))) as server:
        app = make_app(endpoint(server))
        async with running(app) as pilot:
            await ask(pilot, "hello")
            await until(lambda: "↻ 429, retrying in 1 s (1 of 3)" in status(app))
            await until(lambda: answered(app))
            assert "Here you are." in pane(app)
            assert "✖" not in pane(app)
            assert "ready" in status(app)
        assert len(server.asked) == 2


async def test_a_server_that_keeps_failing_is_given_up_with_a_sentence(make_app: MakeApp) -> None:
    async with serving(failing(500, retry_after_ms="1")) as server:
        app = make_app(endpoint(server))
        async with running(app) as pilot:
            await ask(pilot, "hello")
            await until(lambda: answered(app))
            assert len(server.requests) == 4
            assert "✖ Server error from box (500)" in pane(app)
            assert "Gave up after 4 attempts." in words(app)
            assert "F5 retry" in pane(app)
            assert "failed" in status(app)


@pytest.mark.parametrize("way", ["a proxy", "an encrypted connection"])
async def test_the_bar_says_connecting_until_the_server_has_the_request(make_app: MakeApp, way: str) -> None:
    reached, closed = asyncio.Event(), asyncio.Event()

    async def reach(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        reached.set()
        await reader.read()
        closed.set()
        writer.close()

    listener = await asyncio.start_server(reach, "127.0.0.1", 0)
    there = f"127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    far = Endpoint("box", "https://box.invalid/v1", model="m-1", proxy=f"http://{there}")
    near = Endpoint("box", f"https://{there}/v1", model="m-1")
    async with listener:
        app = make_app(far if way == "a proxy" else near)
        async with running(app) as pilot:
            await ask(pilot, "hello")
            await reached.wait()
            app.chat.show_status()
            assert "◌ connecting 0 s" in status(app)
            await pilot.press("escape")
            await until(lambda: answered(app))
            await until(closed.is_set)


async def test_then_it_says_waiting(make_app: MakeApp) -> None:
    async with serving(Exchange.until_gone) as server:
        app = make_app(endpoint(server))
        async with running(app) as pilot:
            await ask(pilot, "hello")
            await until(lambda: "◌ waiting 0 s" in status(app))
            assert server.asked
            await pilot.press("escape")
            await until(lambda: answered(app))


async def test_a_server_that_gives_no_word_is_not_asked_again_unbidden(make_app: MakeApp) -> None:
    async with serving(Exchange.until_gone) as server:
        app = make_app(replace(endpoint(server), timeouts=Timeouts(first=0.2)))
        async with running(app) as pilot:
            await ask(pilot, "hello")
            await until(lambda: answered(app))
            assert len(server.asked) == 1
            assert "✖ No response from box within 0.2 s (timeouts.first). Try again, or increase the timeout." in words(
                app
            )


async def test_esc_ends_the_wait_at_once(make_app: MakeApp) -> None:
    async with serving(in_turn(failing(429, retry_after="100"), saying("At last."))) as server:
        app = make_app(endpoint(server))
        async with running(app) as pilot:
            await ask(pilot, "hello")
            await until(lambda: "429, retrying in 100 s" in status(app))
            await pilot.press("escape")
            await until(lambda: answered(app))
            assert "■ Stopped before the retry. Rate limited by box (429)" in words(app)
            assert "stopped" in status(app)
            await pilot.press("f5")
            await until(lambda: "At last." in pane(app))
        assert [said(server, 0), said(server, 1)] == [[("user", "hello")]] * 2


async def test_a_server_that_comes_up_late_still_answers(make_app: MakeApp) -> None:
    port = free_port()
    app = make_app(Endpoint("box", f"http://127.0.0.1:{port}/v1", model="m-1"))
    async with running(app) as pilot:
        await ask(pilot, "hello")
        await until(lambda: "no connection, retrying in 1 s (1 of 3)" in status(app))
        async with serving(saying("Up now."), port):
            await until(lambda: answered(app))
        assert "Up now." in pane(app)


async def test_a_reply_that_broke_off_is_continued_by_a_key(make_app: MakeApp) -> None:
    async with serving(in_turn(breaking("The first half,"), saying(" and the second."))) as server:
        app = make_app(endpoint(server))
        async with running(app) as pilot:
            await ask(pilot, "hello")
            await until(lambda: answered(app))
            assert "✖ box closed the connection" in pane(app)
            assert "F5 retry · F9 continue" in pane(app)
            await pilot.press("f9")
            await until(lambda: "The first half, and the second." in pane(app) and answered(app))
            assert "✖" not in pane(app)
            assert "F9" not in pane(app)
            saved = await asyncio.wrap_future(app.store.session(app.chat.conversation.session.id))
            assert [message.text for message in saved.path()] == ["hello", "The first half, and the second."]
            await pilot.press("f9")
            await until(lambda: any("The last reply is complete" in note.message for note in app._notifications))


async def test_a_reply_is_continued_while_it_streams_into_its_code(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        model.say("Look:\n\n```python\nx = 1\ny")
        model.finish("length")
        await ask(pilot, "code")
        await until(lambda: answered(app))
        assert "token limit" in pane(app)
        model.say("```python\ny = 2\n", "```\n\nDone")
        await pilot.press("f9")
        await until(lambda: "Done" in pane(app))
        assert "streaming" in status(app)
        assert "token limit" not in pane(app)
        model.say(".")
        model.finish()
        await until(lambda: answered(app))
        assert app.chat.transcript.flow.entries[-1].text == "Look:\n\n```python\nx = 1\ny = 2\n```\n\nDone."
        assert app.chat.conversation.session.path()[-1].text == "Look:\n\n```python\nx = 1\ny = 2\n```\n\nDone."


async def test_the_keys_named_are_those_the_user_has_set(make_app: MakeApp) -> None:
    async with serving(in_turn(breaking("Half"), saying(" of it."))) as server:
        app = make_app(endpoint(server), settings={"keymap": {"turn.continue": "ctrl+l,f9"}})
        async with running(app) as pilot:
            await ask(pilot, "hello")
            await until(lambda: answered(app))
            assert "F5 retry · ctrl+l continue" in pane(app)
            await pilot.press("ctrl+l")
            await until(lambda: "Half of it." in pane(app))


@pytest.mark.parametrize("prompt", ["break", "error"])
async def test_the_demo_goes_on(make_app: MakeApp, prompt: str) -> None:
    app = make_app()
    async with running(app) as pilot:
        await ask(pilot, prompt)
        await until(lambda: answered(app))
        before = app.chat.conversation.session.path()[-1].text
        await pilot.press("f9")
        await until(lambda: "it has gone on." in words(app) and answered(app))
        assert app.chat.conversation.session.path()[-1].text.startswith(f"{before} which keys help.")


async def test_a_long_reply_of_the_demo_is_stopped_and_goes_on_to_its_end(make_app: MakeApp) -> None:
    app = make_app(connect=lambda endpoint: demo_provider(endpoint, pace=0.3))
    async with running(app) as pilot:
        await ask(pilot, "showcase")
        await until(lambda: app.chat.conversation.progress.state == "streaming")
        await pilot.press("escape")
        await until(lambda: answered(app))
        assert app.chat.conversation.partial_reply
        await pilot.press("f9")
        await until(lambda: answered(app) and app.chat.conversation.progress.state == "ready")
        assert app.chat.conversation.session.path()[-1].text == answer(["showcase"]).text


async def test_only_the_last_reply_names_the_keys(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        for prompt in ("one", "two"):
            model.say(f"reply {prompt}")
            model.finish("length")
            await ask(pilot, prompt)
            await until(lambda: answered(app))
        assert pane(app).count("token limit") == 2
        assert pane(app).count("F9 continue") == 1


async def test_what_the_server_withheld_is_said_and_not_continued(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        model.say("I would say")
        model.finish("content_filter")
        await ask(pilot, "hello")
        await until(lambda: answered(app))
        assert "content filter" in pane(app)
        assert "F5 retry" in pane(app)
        assert "F9" not in pane(app)


async def test_a_stopped_reply_goes_on(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        await ask(pilot, "hello")
        model.say("Half a sen")
        await until(lambda: "Half a sen" in pane(app))
        await pilot.press("escape")
        await until(lambda: answered(app))
        await pilot.press("f9")
        model.say("tence.")
        await until(lambda: "Half a sentence." in pane(app))
        await pilot.press("f9")
        model.pieces.put_nowait(piece(finish="stop"))
        model.pieces.put_nowait(None)
        await until(lambda: answered(app))
        reply = app.chat.conversation.session.path()[-1]
        assert (reply.text, reply.finish_reason) == ("Half a sentence.", FinishReason.STOP)


async def test_a_reply_without_an_end_is_stopped_with_a_sentence_and_can_be_continued(
    make_app: MakeApp, model: Model
) -> None:
    app = make_app(model.endpoint, settings={"max_reply_mb": 0.01})
    async with running(app) as pilot:
        await ask(pilot, "hello")
        for _ in range(20):
            model.say("word " * 200)
        await until(lambda: answered(app))
        reply = app.chat.conversation.current
        assert reply is not None
        assert len(reply.text) == round(0.01 * 1024 * 1024)
        assert "Stopped at 0.01 MB, the limit for a reply (max_reply_mb in config.toml)." in words(app)
        assert "F9 continue" in words(app)
