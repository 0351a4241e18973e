"""`--last N`: the N-th latest session goes on."""

import pytest

from streamtui.cli.chat import parser
from streamtui.core.message import Message, Role
from streamtui.core.session import Session
from streamtui.storage import Store
from tests.ui.conftest import MakeApp, Model, answered, ask, pane, running, until


@pytest.fixture
def three(store: Store) -> Store:
    """Three sessions, of which the oldest is pinned, and one that was put away."""
    for n, title in enumerate(("oldest", "middle", "newest", "archived")):
        session = Session(title=title, pinned=title == "oldest", archived=title == "archived")
        session.add(Message(Role.USER, f"prompt of the {title}", created=1e9 + n))
        store.save_whole(session)
    store.latest().result()  # now they are on the disk
    return store


@pytest.mark.parametrize(("number", "title"), [(1, "newest"), (2, "middle"), (3, "oldest")])
async def test_the_nth_latest_goes_on(number: int, title: str, three: Store, make_app: MakeApp) -> None:
    app = make_app(database=three.path, resume=number)
    async with running(app):
        await until(lambda: f"prompt of the {title}" in pane(app))


async def test_where_there_are_not_so_many_a_new_one_begins(three: Store, make_app: MakeApp) -> None:
    app = make_app(database=three.path, resume=4)
    async with running(app):
        await until(lambda: app._notifications)
        assert [notice.message for notice in app._notifications] == ["Not enough saved sessions: starting a new one."]


def test_the_options() -> None:
    for arguments, number in ((["-c"], 1), (["--last", "3"], 3), ([], 0)):
        assert parser().parse_args(arguments).resume == number
    for wrong in (["--last", "0"], ["--last", "x"], ["--last", "2", "-c"], ["--last", "1", "--session", "x"]):
        with pytest.raises(SystemExit, match="2"):
            parser().parse_args(wrong)


async def test_a_draft_stays_with_its_session(make_app: MakeApp, model: Model) -> None:
    app = make_app(model.endpoint)
    async with running(app) as pilot:
        model.say("Hello.")
        model.finish()
        await ask(pilot, "First")
        await until(lambda: answered(app))
        first = app.chat.conversation.session.id
        await pilot.press(*"half a thought", "ctrl+n")
        await until(lambda: app.chat.conversation.session.id != first and not app.chat.prompt.text)
        await pilot.press(*"something new")
        await app.chat.sessions.open_saved(first)
        await until(lambda: app.chat.prompt.text == "half a thought")
        await pilot.press("ctrl+n")
        await until(lambda: app.chat.prompt.text == "something new")
    app = make_app(model.endpoint, session_id=first)
    async with running(app):
        await until(lambda: app.chat.prompt.text == "half a thought")
    app = make_app(model.endpoint)
    async with running(app):
        await until(lambda: app.chat.prompt.text == "something new")
