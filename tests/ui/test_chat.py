"""Typing, sending, streaming, stopping, retrying: a turn as the user sees it."""

import asyncio
from dataclasses import replace

import pytest

from streamtui.config import DEMO
from streamtui.core.message import FinishReason, Role
from tests.ui.conftest import MakeApp, Model, answered, ask, pane, piece, running, status, until


async def test_a_reply_appears_piece_by_piece(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        await pilot.press(*"hi there", "enter")
        await until(lambda: "waiting" in status(app))
        assert "hi there" in pane(app)
        model.say("Hello, ", "wor")
        await until(lambda: "Hello, wor" in pane(app))
        assert "streaming" in status(app)
        model.say("ld!")
        await until(lambda: "Hello, world!" in pane(app))
        model.finish()
        await until(lambda: answered(app))
        assert "ready" in status(app)
        assert "1,234 tokens" in status(app)
        assert app.chat.prompt.text == ""


async def test_every_request_carries_the_conversation(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint, system="Be brief.")
    async with running(app) as pilot:
        for prompt, reply in (("one", "first"), ("two", "second"), ("three", "third")):
            model.say(reply)
            model.finish()
            await ask(pilot, prompt)
            await until(lambda: answered(app))
    said = [(message["role"], message["content"]) for message in model.bodies[-1]["messages"]]
    assert said == [
        ("system", "Be brief."),
        ("user", "one"),
        ("assistant", "first"),
        ("user", "two"),
        ("assistant", "second"),
        ("user", "three"),
    ]
    assert model.bodies[-1]["stream"] is True
    assert model.bodies[-1]["stream_options"] == {"include_usage": True}


async def test_esc_stops_at_once_and_keeps_what_came(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        await ask(pilot, "tell me")
        model.say("Half a sen")
        await until(lambda: "Half a sen" in pane(app))
        await pilot.press("escape")
        await until(lambda: answered(app))
        assert "stopped" in status(app)
        assert "Half a sen" in pane(app)
        assert "■ Stopped" in pane(app)
        saved = await asyncio.wrap_future(app.store.session(app.chat.conversation.session.id))
    reply = saved.path()[-1]
    assert (reply.text, reply.finish_reason) == ("Half a sen", FinishReason.STOPPED)


async def test_esc_stops_before_the_first_piece(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        await ask(pilot, "tell me")
        await until(lambda: model.bodies)
        await pilot.press("escape")
        await until(lambda: answered(app))
        assert "stopped" in status(app)
        model.say("again")
        await ask(pilot, "go on")
        await until(lambda: len(model.bodies) == 2)
        sent = model.bodies[1]["messages"]
        assert [message["content"] for message in sent] == ["tell me", "go on"]
        await pilot.press("escape")


async def test_retry_adds_a_sibling(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        for reply in ("first try", "second try"):
            model.say(reply)
            model.finish()
            if reply == "first try":
                await ask(pilot, "tell me")
            else:
                await pilot.press("f5")
            await until(lambda: answered(app) and reply in pane(app))
        session = app.chat.conversation.session
        assert "first try" not in pane(app)
        assert [message.text for message in session.path()] == ["tell me", "second try"]
        assert [message.text for message in session.siblings(session.path()[-1])] == ["first try", "second try"]
    assert [message["content"] for message in model.bodies[1]["messages"]] == ["tell me"]


async def test_a_prompt_sent_meanwhile_waits_for_its_turn(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        await ask(pilot, "one")
        model.say("first")
        await until(lambda: "first" in pane(app))
        await ask(pilot, "two")
        assert len(model.bodies) == 1
        assert app.chat.query_one("#queued").display
        model.finish()
        model.say("second")
        model.finish()
        await until(lambda: "second" in pane(app) and answered(app))
        texts = [message.text for message in app.chat.conversation.session.path()]
        assert texts == ["one", "first", "two", "second"]
        assert not app.chat.query_one("#queued").display


async def test_stopping_gives_the_waiting_prompt_back(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        await ask(pilot, "one")
        await ask(pilot, "two")
        await pilot.press("escape")
        await until(lambda: answered(app))
        await pilot.pause()
        assert app.chat.prompt.text == "two"
        assert len(model.bodies) == 1


async def test_a_cut_off_reply_says_so(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        model.say("Only so f")
        model.finish("length")
        await ask(pilot, "tell me")
        await until(lambda: answered(app))
        assert "Stopped at the token limit" in pane(app)


@pytest.mark.parametrize("key", ["ctrl+j", "shift+enter", "alt+enter"])
async def test_keys_for_a_new_line(make_app: MakeApp, key: str) -> None:
    app = make_app()
    async with running(app) as pilot:
        await pilot.press("a", key, "b")
        assert app.chat.prompt.text == "a\nb"


async def test_earlier_prompts_come_back_with_up(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        for text in ("hello", "thanks"):
            await ask(pilot, text)
            await until(lambda: answered(app))
        app.chat.prompt.insert("draft")
        await pilot.press("up", "up")
        assert app.chat.prompt.text == "hello"
        await pilot.press("down", "down")
        assert app.chat.prompt.text == "draft"


async def test_a_large_paste_becomes_an_attachment(make_app: MakeApp, model: Model) -> None:
    from textual import events

    app = make_app(model.endpoint)
    async with running(app) as pilot:
        app.chat.prompt.post_message(events.Paste("line \x1b[31m\n" * 5000))
        await until(lambda: "pasted-1.txt" in str(app.chat.prompt.border_title))
        model.say("ok")
        model.finish()
        await ask(pilot, "what is this?")
        await until(lambda: answered(app))
        prompt = app.chat.conversation.session.path()[0]
        assert prompt.attachments[0].data.decode() == "line ␛[31m\n" * 5000
    assert "line ␛[31m" in str(model.bodies[0]["messages"])


async def test_ctrl_c_stops_then_puts_the_draft_away_then_quits(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        await ask(pilot, "one")
        await until(lambda: model.bodies)
        app.chat.prompt.insert("a draft")
        await pilot.press("ctrl+c")
        await until(lambda: answered(app))
        assert app.chat.prompt.text == "a draft"
        await pilot.press("ctrl+c")
        assert app.chat.prompt.text == ""
        await pilot.press("up")
        assert app.chat.prompt.text == "a draft"
        await pilot.press("ctrl+c", "ctrl+c")
        assert app.is_running
        await pilot.press("ctrl+c")
        await until(lambda: not app.is_running)


async def test_error_text_is_never_part_of_a_message(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        await ask(pilot, "tell me")
        model.say("Half")
        await until(lambda: "Half" in pane(app))
        model.pieces.put_nowait(None)  # the stream ends without a finish reason
        await until(lambda: answered(app))
        assert "failed" in status(app)
        reply = app.chat.conversation.session.path()[-1]
        assert (reply.role, reply.text, reply.finish_reason) == (Role.ASSISTANT, "Half", FinishReason.FAILED)
        assert reply.error in pane(app).replace("\n  ", " ")
        model.say("whole")
        model.finish()
        await pilot.press("f5")
        await until(lambda: answered(app) and "whole" in pane(app))
        assert "ready" in status(app)
    assert reply.error not in str(model.bodies[1])


@pytest.mark.parametrize("what", ["error 401", "error 404", "error 429", "error 500", "break", "garbage"])
async def test_every_failure_is_one_sentence_in_the_pane(make_app: MakeApp, what: str) -> None:
    app = make_app(replace(DEMO, retries=0))
    async with running(app) as pilot:
        await ask(pilot, what)
        await until(lambda: answered(app))
        reply = app.chat.conversation.session.path()[-1]
        assert reply.error
        assert "✖" in pane(app)
        assert "Traceback" not in pane(app)
        assert "failed" in status(app)
        await ask(pilot, "hello")
        await until(lambda: answered(app) and "ready" in status(app))


async def test_stepping_through_the_replies_to_a_prompt(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        model.say("first try")
        model.finish()
        await ask(pilot, "tell me")
        await until(lambda: answered(app))
        model.say("second try")
        model.finish()
        await pilot.press("f5")
        await until(lambda: answered(app) and "second try" in pane(app))
        assert "2/2" in pane(app)
        await pilot.press("alt+left")
        assert "first try" in pane(app)
        assert "1/2" in pane(app)
        model.say("and then")
        model.finish()
        await ask(pilot, "go on")
        await until(lambda: answered(app))
        await pilot.press("alt+right")
        assert "second try" in pane(app)
        assert "go on" not in pane(app)
        await pilot.press("alt+left")
        assert "and then" in pane(app)
    assert [m["content"] for m in model.bodies[2]["messages"]] == ["tell me", "first try", "go on"]


async def test_a_waiting_prompt_never_goes_to_another_session(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        await ask(pilot, "one")
        await until(lambda: model.bodies)
        await ask(pilot, "for the first session")
        first = app.chat.conversation.session.id
        await pilot.press("ctrl+n")
        await until(lambda: not app.chat.is_replying)
        assert not app.chat.query_one("#queued").display
        assert app.chat.prompt.text == ""
        assert len(model.bodies) == 1
        await app.chat.sessions.open_saved(first)
        await until(lambda: app.chat.prompt.text == "for the first session")


async def test_an_unsent_prompt_is_there_the_next_time(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        await pilot.press(*"half a thought")
        await pilot.press("ctrl+q")
        await until(lambda: not app.is_running)
    app = make_app()
    async with running(app):
        await until(lambda: app.chat.prompt.text == "half a thought")


async def test_the_count_of_tokens_grows_while_a_reply_arrives(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        await ask(pilot, "one")
        model.say("word " * 400)
        await until(lambda: app.chat.status.context.tokens > 400)
        assert not app.chat.status.context.exact
        model.finish()
        await until(lambda: answered(app))


async def test_parallel_tool_calls_are_whole_and_the_notice_is_there(make_app: MakeApp, model: Model) -> None:
    def call(index: int, arguments: str, name: str = "") -> bytes:
        function = {"arguments": arguments, **({"name": name} if name else {})}
        return piece(tool_calls=[{"index": index, "function": function}])  # type: ignore[arg-type]

    app = make_app(model.endpoint)
    async with running(app) as pilot:
        await ask(pilot, "Weather?")
        for part in (call(0, '{"in"', "sun"), call(1, '{"at"', "rain"), call(0, ': "A"}'), call(1, ': "B"}')):
            model.pieces.put_nowait(part)
        model.finish("tool_calls")
        await until(lambda: answered(app) and "not enabled" in pane(app))
        assert '{"in": "A"}' in pane(app)
        assert '{"at": "B"}' in pane(app)
        assert "■ The model asked for tools, which are not enabled" in pane(app)


async def test_undo_in_the_prompt(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        await pilot.press(*"one")
        app.chat.prompt.move_cursor((0, 0))
        await pilot.press(*"two", "ctrl+underscore")
        assert app.chat.prompt.text == "one"
