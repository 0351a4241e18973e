"""The tree of a conversation: editing, going from branch to branch, jumping, forking; earlier prompts."""

import asyncio

from textual.pilot import Pilot
from textual.widgets import OptionList

from streamtui.core.message import Attachment, FinishReason, Message, Role
from streamtui.core.session import Session
from streamtui.ui.app import StreamTUI
from streamtui.ui.dialogs.history_dialog import HistoryDialog
from streamtui.ui.screens.tree import TreeScreen
from streamtui.ui.screens.tree_rows import nodes_of
from tests.ui.conftest import MakeApp, Model, answered, ask, pane, running, until


async def talk(pilot: Pilot[None], app: StreamTUI, model: Model, prompt: str, reply: str) -> None:
    """Asks, and lets the model answer."""
    model.say(reply)
    model.finish()
    asked = len(model.bodies)
    await ask(pilot, prompt)
    await until(lambda: len(model.bodies) > asked and answered(app))


def texts(app: StreamTUI) -> list[str]:
    """The path shown."""
    return [message.text for message in app.chat.conversation.session.path()]


def sent(model: Model) -> list[str]:
    """The texts of the last request."""
    return [message["content"] for message in model.bodies[-1]["messages"]]


def tree(app: StreamTUI) -> list[str]:
    """The lines of the tree."""
    assert isinstance(app.screen, TreeScreen)
    rows = app.screen.tree_list
    lines = [rows.render_line(y).text for y in range(min(rows.size.height, len(rows.rows)))]
    return [" ".join(line.split()[:-1]) for line in lines]


async def test_an_earlier_prompt_is_edited_and_asked_again(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app, (80, 30)) as pilot:
        await talk(pilot, app, model, "first", "one")
        await talk(pilot, app, model, "second", "two")
        app.chat.conversation.session.path()[2].attachments = (Attachment("a.txt", "text/plain", b"kept"),)
        app.chat.prompt.insert("my draft")
        await pilot.press("alt+up", "e")
        await until(lambda: app.chat.query("#editing"))
        assert app.chat.prompt.text == "second"
        await pilot.press(*" thought", "escape")
        await until(lambda: not app.chat.query("#editing"))
        assert app.chat.prompt.text == "my draft"
        await pilot.press("alt+up", "e", *" thought")
        app.chat.save_draft()
        assert app.chat.drafts.saved.text == "second thought\n\nmy draft"
        model.say("three")
        model.finish()
        await pilot.press("enter")
        await until(lambda: len(model.bodies) == 3 and answered(app))
        assert texts(app) == ["first", "one", "second thought", "three"]
        assert sent(model)[:2] == ["first", "one"]
        assert "second thought" in str(sent(model)[2])
        assert app.chat.conversation.session.path()[2].attachments[0].data == b"kept"
        assert app.chat.prompt.text == "my draft"
        assert "2/2" in pane(app)
        await pilot.press("alt+up", "alt+up", "less_than_sign")
        await until(lambda: "two" in pane(app))
        assert texts(app) == ["first", "one", "second", "two"]
        await pilot.press("greater_than_sign")
        await until(lambda: "three" in pane(app))
        saved = await asyncio.wrap_future(app.store.session(app.chat.conversation.session.id))
        assert [message.text for message in saved.path()] == texts(app)
        assert len(saved.messages) == 6


async def test_the_tree_shows_every_branch_and_jumps(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app, (100, 30)) as pilot:
        await pilot.press("ctrl+t")
        assert app.screen is app.chat
        await talk(pilot, app, model, "first", "one")
        await talk(pilot, app, model, "second", "two")
        model.say("another one")
        model.finish()
        app.chat.branches.show_message(app.chat.conversation.session.path()[0].id)
        app.chat.conversation.session.leaf_id = app.chat.conversation.session.path()[1].id
        await pilot.press("f5")
        await until(lambda: len(model.bodies) == 3 and answered(app))
        await pilot.press("ctrl+t")
        await until(lambda: isinstance(app.screen, TreeScreen) and app.screen.tree_list.rows)
        assert tree(app) == ["● You first", "├─m-1 one 1/2", "│ You second", "│ m-1 two", "● └─m-1 another one 2/2"]
        await pilot.press("left", "down", "enter")
        await until(lambda: app.screen is app.chat and "second" in pane(app))
        assert texts(app) == ["first", "one", "second", "two"]
        assert app.chat.transcript.lines.cursor == 2
        await pilot.press("ctrl+t")
        await until(lambda: isinstance(app.screen, TreeScreen) and app.screen.tree_list.rows)
        assert tree(app)[2] == "● │ You second"
        await pilot.press("up", "b")
        await until(lambda: app.screen is app.chat and texts(app) == ["first", "one"])
        assert app.chat.conversation.session.title == "first (fork)"
        await until(lambda: app.store.count().result(5) == 2)


async def test_a_fork_leaves_the_session_as_it_is(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        await talk(pilot, app, model, "first", "one")
        await talk(pilot, app, model, "second", "two")
        before = app.chat.conversation.session
        await pilot.press("alt+up", "alt+up", "alt+up", "b")
        await until(lambda: texts(app) == ["first", "one"])
        await pilot.press("i")
        await talk(pilot, app, model, "elsewhere", "three")
        assert texts(app) == ["first", "one", "elsewhere", "three"]
        saved = await asyncio.wrap_future(app.store.session(before.id))
        assert [message.text for message in saved.path()] == ["first", "one", "second", "two"]


async def test_nothing_is_edited_or_forked_under_a_reply(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        await ask(pilot, "first")
        model.say("on its way")
        await until(lambda: "on its way" in pane(app))
        session = app.chat.conversation.session
        await pilot.press("alt+up", "e", "b")
        assert app.chat.conversation.session is session
        assert not app.chat.query("#editing")
        await pilot.press("ctrl+t")
        await until(lambda: isinstance(app.screen, TreeScreen) and app.screen.tree_list.rows)
        await pilot.press("escape")
        model.finish()
        await until(lambda: answered(app))


async def test_another_session_ends_the_editing(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        await talk(pilot, app, model, "first", "one")
        await pilot.press("alt+up", "e", "ctrl+n")
        assert not app.chat.branches.is_editing
        assert app.chat.prompt.text == ""
        await talk(pilot, app, model, "new", "two")
        assert texts(app) == ["new", "two"]


def test_a_deep_tree_and_a_damaged_one_have_all_their_messages() -> None:
    session = Session()
    for n in range(6000):
        session.add(Message(Role.USER, str(n)))
    assert [node.message.text for node in nodes_of(session)] == [str(n) for n in range(6000)]
    ring = [Message(Role.USER, "a", "a", "b"), Message(Role.USER, "b", "b", "a"), Message(Role.USER, "c", "c", "gone")]
    session = Session(messages={message.id: message for message in ring}, leaf_id="a")
    assert {node.message.text for node in nodes_of(session)} == {"a", "b", "c"}
    for n in range(40):
        session.leaf_id = "c"
        for _ in range(2):
            session.leaf_id = session.add(Message(Role.ASSISTANT, str(n), finish_reason=FinishReason.STOP)).parent_id
    assert max(len(node.lines) for node in nodes_of(session)) <= 26


async def test_prompts_of_all_sessions_are_found(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        for text in ("hello", "How do I connect to Ollama?", "hello"):
            await ask(pilot, text)
            await until(lambda: answered(app))
            await pilot.press("ctrl+n")
        app.chat.prompt.insert("draft")
        await pilot.press("ctrl+r")
        await until(lambda: isinstance(app.screen, HistoryDialog) and app.screen.options.option_count == 2)
        await pilot.press(*"olla")
        await until(lambda: app.screen.query_one(OptionList).option_count == 1)
        await pilot.press("enter")
        await until(lambda: app.screen is app.chat)
        assert app.chat.prompt.text == "How do I connect to Ollama?"
        await pilot.press("up")
        assert app.chat.prompt.text == "draft"
