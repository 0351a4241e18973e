"""F6: the session becomes a file, in the format and under the name the user wants."""

import json
from pathlib import Path

import pytest
from textual.widgets import Input, OptionList, Static

from streamtui.core.message import Message, Role
from streamtui.core.session import Session
from streamtui.storage import Store
from streamtui.ui.app import StreamTUI
from streamtui.ui.dialogs.export_dialog import ExportDialog
from streamtui.ui.export import export_many
from tests.ui.conftest import MakeApp, answered, ask, running, until


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder of its own."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def notices(app: StreamTUI) -> list[str]:
    return [notice.message for notice in app._notifications]


def name(app: StreamTUI) -> str:
    return app.screen.query_one(Input).value


def hint(app: StreamTUI) -> str:
    return str(app.screen.query_one("#hint", Static).content)


def files(folder: Path) -> list[Path]:
    """All files in a folder, the newest last."""
    return sorted((file for file in folder.rglob("*") if file.is_file()), key=lambda file: file.stat().st_mtime_ns)


def newest(folder: Path) -> str:
    return files(folder)[-1].read_text()


async def test_a_session_becomes_a_file(make_app: MakeApp, here: Path) -> None:
    app = make_app()
    async with running(app) as pilot:
        await ask(pilot, "How to bake bread?")
        await until(lambda: answered(app))
        await pilot.press("f6")
        await until(lambda: isinstance(app.screen, ExportDialog))
        assert name(app) == "How-to-bake-bread.md"
        await pilot.press("enter")
        await until(lambda: notices(app))
        assert notices(app) == [f"Exported to {here}/How-to-bake-bread.md"]
        assert "## You" in (here / "How-to-bake-bread.md").read_text()
        await pilot.press("f6")
        await until(lambda: isinstance(app.screen, ExportDialog))
        assert name(app) == "How-to-bake-bread-2.md"  # the other stays


async def test_the_format_changes_the_name(make_app: MakeApp, here: Path) -> None:
    app = make_app()
    async with running(app) as pilot:
        await ask(pilot, "hello")
        await until(lambda: answered(app))
        await pilot.press("f6")
        await until(lambda: isinstance(app.screen, ExportDialog))
        await pilot.press("down")
        assert name(app) == "hello.html"
        await pilot.press("home", *"my-", "down")
        assert name(app) == "my-hello.json"
        await pilot.press("up", "up", "up", "down", "down", "down", "enter")
        await until(lambda: notices(app))
        assert json.loads((here / "my-hello.json").read_text())["title"] == "hello"


async def test_a_page_has_the_colours_on_the_screen(make_app: MakeApp, here: Path) -> None:
    app = make_app()
    async with running(app) as pilot:
        await until(lambda: "paper" in app.available_themes)
        app.theme = "paper"
        await ask(pilot, "hello")
        await until(lambda: answered(app))
        await pilot.press("f6")
        await until(lambda: isinstance(app.screen, ExportDialog))
        await pilot.press("down", "enter")
        await until(lambda: notices(app))
        assert "--primary: #1f5fa8" in (here / "hello.html").read_text()


async def test_a_name_that_is_taken_is_told_and_nothing_is_lost(make_app: MakeApp, here: Path) -> None:
    (here / "mine.md").write_text("precious")
    app = make_app()
    async with running(app) as pilot:
        await ask(pilot, "hello")
        await until(lambda: answered(app))
        await pilot.press("f6")
        await until(lambda: isinstance(app.screen, ExportDialog))
        app.screen.query_one(Input).value = "mine.md"
        await pilot.press("enter")
        assert hint(app) == "mine.md already exists. Choose another name."
        await pilot.press("backspace", "backspace", "backspace", *"2.md")
        assert hint(app) == ""
        app.screen.query_one(Input).value = str(here)  # a folder: the file goes into it
        await pilot.press("enter")
        await until(lambda: notices(app))
        assert (here / "mine.md").read_text() == "precious"
        assert (here / "hello.md").exists()


async def test_a_folder_that_is_not_there_is_told(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        await ask(pilot, "hello")
        await until(lambda: answered(app))
        await pilot.press("f6")
        await until(lambda: isinstance(app.screen, ExportDialog))
        app.screen.query_one(Input).value = "nowhere/hello.md"
        await pilot.press("enter")
        await until(lambda: notices(app))
        assert notices(app) == ["Can't write nowhere/hello.md: no such file or directory."]


async def test_all_branches_on_request(make_app: MakeApp, here: Path) -> None:
    app = make_app()
    async with running(app) as pilot:
        await ask(pilot, "hello")
        await until(lambda: answered(app))
        await pilot.press("f5")
        await until(lambda: len(app.chat.conversation.session.messages) == 3 and answered(app))
        for keys, count in ((["f6"], 1), (["f6", "ctrl+t"], 2)):
            before = len(notices(app))
            await pilot.press(keys[0])
            await until(lambda: isinstance(app.screen, ExportDialog))
            await pilot.press(*keys[1:], "enter")
            await until(lambda: len(notices(app)) > before)
            assert newest(here).count("## demo-1") == count


async def test_esc_and_an_empty_session_write_nothing(make_app: MakeApp, here: Path) -> None:
    app = make_app()
    async with running(app) as pilot:
        await pilot.press("f6")
        await until(lambda: notices(app))
        assert notices(app) == ["This session has no messages yet."]
        await ask(pilot, "hello")
        await until(lambda: answered(app))
        await pilot.press("f6")
        await until(lambda: isinstance(app.screen, ExportDialog))
        await pilot.press("escape")
        await until(lambda: app.screen is app.chat)
        assert files(here) == []


async def test_the_palette_knows_it(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        await ask(pilot, "hello")
        await until(lambda: answered(app))
        await pilot.press("ctrl+p")
        await until(lambda: app.screen.query(Input))
        await pilot.press(*"export this")
        await until(lambda: app.screen.query(OptionList) and app.screen.query_one(OptionList).option_count)
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, ExportDialog))


@pytest.mark.parametrize(("keys", "found"), [([], 2), (["down", "down"], 1)])
async def test_many_become_a_folder_or_one_file(keys: list[str], found: int, make_app: MakeApp, here: Path) -> None:
    app = make_app()
    async with running(app) as pilot:
        ids = [save(app.store, title) for title in ("One", "Two")]
        app.run_worker(export_many(app.chat, app.store, ids))
        await until(lambda: isinstance(app.screen, ExportDialog))
        await pilot.press(*keys, "enter")
        await until(lambda: notices(app))
        assert notices(app)[0].startswith(f"Exported 2 sessions to {here}/streamtui-")
        assert len(files(here)) == found


def save(store: Store, title: str) -> str:
    session = Session(title=title)
    session.add(Message(Role.USER, "x"))
    store.save_whole(session)
    return session.id
