"""A session open in two windows: each keeps its path, both see what the other adds, nothing is mixed."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual import events

from streamtui.core.message import Attachment, FinishReason, Message, Role
from streamtui.core.session import Session
from streamtui.storage import Draft, Store
from streamtui.ui import other_windows
from streamtui.ui.app import StreamTUI
from tests.ui.conftest import MakeApp, Model, answered, ask, pane, running, status, until


@pytest.fixture(autouse=True)
def _curious(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(other_windows, "POLL_EVERY", 0.02)


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Store]:
    """Another window."""
    with Store(tmp_path / "data" / "sessions.db") as store:
        yield store


def said(app: StreamTUI, words: str) -> bool:
    return any(words in note.message for note in app._notifications)


def chat(store: Store, *texts: str) -> Session:
    """Saves a session."""
    session = Session(endpoint="test", model="m-1")
    for text in texts:
        say(store, session, text)
    return session


def say(store: Store, session: Session, text: str, finish: FinishReason | None = FinishReason.STOP) -> Message:
    """Adds a message in the window that `store` is."""
    last = session.messages.get(session.leaf_id or "")
    role = Role.ASSISTANT if last is not None and last.role is Role.USER else Role.USER
    message = session.add(Message(role, text, model="m-1", finish_reason=finish))
    store.save_message(session.id, message)
    store.save_session(session)
    assert store.latest().result(20)
    return message


async def test_what_another_window_adds_is_shown_by_a_key(make_app: MakeApp, model: Model, other: Store) -> None:
    session = chat(other, "What is blue?", "The sky.")
    app = make_app(model.endpoint, session_id=session.id)
    async with running(app) as pilot:
        await until(lambda: "The sky." in pane(app))
        say(other, session, "And green?")
        say(other, session, "The grass.")
        await until(lambda: "2 new elsewhere" in status(app))
        assert said(app, "Another window added to this session. Press alt+right to show it.")
        assert "green" not in pane(app)
        await pilot.press("alt+right")
        await until(lambda: "The grass." in pane(app))
        assert "new elsewhere" not in status(app)
        await pilot.press("alt+right")
        await until(lambda: said(app, "No other reply here."))


async def test_both_windows_go_on_and_nothing_is_mixed(make_app: MakeApp, model: Model, other: Store) -> None:
    session = chat(other, "What is blue?", "The sky.")
    app = make_app(model.endpoint, session_id=session.id)
    async with running(app) as pilot:
        await until(lambda: "The sky." in pane(app))
        await ask(pilot, "What is red?")
        await until(lambda: model.bodies)
        model.say("The ")
        await until(lambda: app.chat.conversation.progress.first)
        theirs = say(other, session, "And green?")
        growing = say(other, session, "The ", finish=None)
        await until(lambda: "2 new elsewhere" in status(app))
        for piece, text in (("rose", "gra"), (".", "ss.")):
            model.say(piece)
            other.append_delta(growing.id, text)
        model.finish()
        await until(lambda: answered(app))
        growing.text, growing.finish_reason = "The grass.", FinishReason.STOP
        other.save_message(session.id, growing)
        assert [m["content"] for m in model.bodies[0]["messages"]] == ["What is blue?", "The sky.", "What is red?"]
        mine = app.chat.conversation.session
        assert [m.text for m in mine.path()] == ["What is blue?", "The sky.", "What is red?", "The rose."]
        back = await asyncio.wrap_future(other.session(session.id))
        assert [m.text for m in back.replies_to(theirs.parent_id)] == ["What is red?", "And green?"]
        assert sorted(m.text for m in back.messages.values())[-2:] == ["What is blue?", "What is red?"]
        assert {m.text for m in back.messages.values()} >= {"The rose.", "The grass."}
        await until(lambda: "The grass." in [m.text for m in mine.messages.values()])
        await pilot.press("alt+right")
        await until(lambda: "The grass." in pane(app))
        await pilot.press("alt+left")
        await until(lambda: "The rose." in pane(app))


async def test_looking_on_does_not_move_the_path_of_the_other_window(
    make_app: MakeApp, model: Model, other: Store
) -> None:
    session = chat(other, "one", "two")
    app = make_app(model.endpoint, session_id=session.id)
    async with running(app):
        await until(lambda: "two" in pane(app))
        say(other, session, "three")
        app.chat.conversation.switch_model("m-2")
        back = await asyncio.wrap_future(app.store.session(session.id))
        assert (back.model, back.leaf_id) == ("m-2", session.leaf_id)


async def test_a_reply_that_arrives_in_another_window_is_followed(
    make_app: MakeApp, model: Model, other: Store
) -> None:
    session = chat(other, "Count.")
    growing = say(other, session, "one ", finish=None)
    app = make_app(model.endpoint, session_id=session.id)
    async with running(app) as pilot:
        await until(lambda: "one" in pane(app))
        assert "Interrupted" not in pane(app)
        assert "arriving elsewhere" in status(app)
        for word in ("two ", "three "):
            other.append_delta(growing.id, word)
            await until(lambda: word.strip() in pane(app))
        await pilot.press("f9")
        await until(lambda: said(app, "This reply is arriving in another window."))
        growing.text, growing.finish_reason = "one two three four", FinishReason.STOP
        other.save_message(session.id, growing)
        await until(lambda: "four" in pane(app))
        assert "elsewhere" not in status(app)
        assert app.chat.conversation.session.path()[-1] == growing


async def test_a_reply_whose_window_ends_is_interrupted(make_app: MakeApp, model: Model, other: Store) -> None:
    session = chat(other, "Count.")
    say(other, session, "one ", finish=None)
    app = make_app(model.endpoint, session_id=session.id)
    async with running(app) as pilot:
        await until(lambda: "one" in pane(app))
        other.close()
        await until(lambda: "Interrupted" in pane(app))
        await pilot.press("f9")
        await until(lambda: model.bodies)
        model.say("two")
        model.finish()
        await until(lambda: answered(app))
        assert app.chat.conversation.session.path()[-1].text == "one two"


async def test_a_prompt_can_be_sent_behind_a_reply_that_still_arrives(
    make_app: MakeApp, model: Model, other: Store
) -> None:
    session = chat(other, "Count.")
    growing = say(other, session, "one ", finish=None)
    app = make_app(model.endpoint, session_id=session.id)
    async with running(app) as pilot:
        await until(lambda: "one" in pane(app))
        await ask(pilot, "Enough.")
        await until(lambda: model.bodies)
        other.append_delta(growing.id, "two")
        assert other.latest().result(20)
        model.say("Well.")
        model.finish()
        await until(lambda: answered(app))
        assert "Well." in pane(app)
        back = await asyncio.wrap_future(app.store.session(session.id))
        assert [m.text for m in back.path()] == ["Count.", "one two", "Enough.", "Well."]


async def test_a_reply_is_gone_on_with_by_one_window_only(make_app: MakeApp, model: Model, other: Store) -> None:
    session = chat(other, "Count.")
    cut = say(other, session, "one ", FinishReason.STOPPED)
    app = make_app(model.endpoint, session_id=session.id)
    async with running(app) as pilot:
        await until(lambda: "one" in pane(app))
        cut.text, cut.finish_reason = "one two", FinishReason.STOP
        other.save_message(session.id, cut)
        await asyncio.wrap_future(other.latest())
        await pilot.press("f9")
        await until(lambda: said(app, "This reply was continued in another window. Nothing was sent."))
        await until(lambda: "one two" in pane(app))
        assert model.bodies == []
        back = await asyncio.wrap_future(app.store.session(session.id))
        assert back.path()[-1] == cut


async def test_a_session_deleted_elsewhere_is_told_and_saved_again(
    make_app: MakeApp, model: Model, other: Store
) -> None:
    session = chat(other, "one", "two")
    app = make_app(model.endpoint, session_id=session.id)
    async with running(app) as pilot:
        await until(lambda: "two" in pane(app))
        other.delete_session(session.id)
        await until(lambda: said(app, "This session was deleted in another window. Your next prompt saves it again."))
        model.say("four")
        model.finish()
        await ask(pilot, "three")
        await until(lambda: answered(app))
        back = await asyncio.wrap_future(app.store.session(session.id))
        assert [m.text for m in back.path()] == ["one", "two", "three", "four"]
        assert back.title == "one"


async def test_a_database_moved_away_is_made_again_with_what_is_shown(
    make_app: MakeApp, model: Model, other: Store, tmp_path: Path
) -> None:
    session = chat(other, "one", "two")
    other.close()
    app = make_app(model.endpoint, session_id=session.id)
    async with running(app):
        await until(lambda: "two" in pane(app))
        (tmp_path / "data" / "sessions.db").rename(tmp_path / "moved.db")
        app.store.remember("key", "value")
        await until(lambda: [m.text for m in readable(app.store, session)] == ["one", "two"])
        assert not said(app, "deleted")


def readable(store: Store, session: Session) -> list[Message]:
    from streamtui.storage import StoreError

    try:
        return store.session(session.id).result(20).path()
    except StoreError:
        return []


async def test_the_draft_of_another_window_is_left_to_it(make_app: MakeApp, other: Store) -> None:
    other.save_draft(Draft("theirs"))
    await asyncio.wrap_future(other.latest())
    app = make_app()
    async with running(app) as pilot:
        await pilot.press(*"mine")
        await until(lambda: app.chat.drafts.saved.text == "mine")
        assert app.chat.prompt.text == "mine"
    other.close()
    texts = []
    for _ in range(2):
        app = make_app()
        async with running(app):
            await until(lambda: app.chat.prompt.text)
            texts.append(app.chat.prompt.text)
            app.chat.prompt.reset()
            await until(lambda: app.chat.drafts.saved == Draft())
    assert sorted(texts) == ["mine", "theirs"]


async def test_files_of_a_draft_are_there_after_a_restart(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        await ask(pilot, "one")
        await until(lambda: model.bodies)
        app.chat.prompt.post_message(events.Paste("x" * 10_000))
        await until(lambda: app.chat.prompt.attachments)
        await ask(pilot, "queued")
        app.chat.prompt.post_message(events.Paste("y" * 10_000))
        await until(lambda: app.chat.prompt.attachments)
        app.chat.prompt.insert("draft")
        await until(lambda: app.chat.drafts.saved.text == "queued\n\ndraft")
    app = make_app(model.endpoint, resume=1)
    async with running(app):
        await until(lambda: app.chat.prompt.text == "queued\n\ndraft")
        assert app.chat.prompt.attachments == (
            Attachment("pasted-1.txt", "text/plain", b"x" * 10_000),
            Attachment("pasted-1.txt", "text/plain", b"y" * 10_000),
        )


async def test_a_draft_that_comes_back_late_goes_into_the_history(make_app: MakeApp, other: Store) -> None:
    other.save_draft(Draft("of before"))
    other.close()
    app = make_app()
    async with running(app) as pilot:
        await until(lambda: app.chat.prompt.text == "of before")
        app.chat.drafts._store.save_draft(Draft())
        with Store(other.path) as third:
            third.save_draft(Draft("another"))
        app.chat.prompt.reset("typed")
        await until(lambda: app.chat.drafts.saved.text == "typed")
        app.chat.save_draft()
        app.chat.drafts._store.save_draft(Draft())
        app.chat.restore_draft()
        await until(lambda: said(app, "Your unsent draft is in the history"))
        assert app.chat.prompt.text == "typed"
        await pilot.press("up")
        assert app.chat.prompt.text == "another"
