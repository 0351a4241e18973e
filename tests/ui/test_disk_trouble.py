"""When the sessions can't be saved the chat says why and goes on; what is there stays, and saving resumes by itself."""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from streamtui.core.message import Message, Role
from streamtui.core.session import Session
from streamtui.storage import Store, open_database, worker_threads
from streamtui.ui.app import StreamTUI
from streamtui.ui.dialogs.export_dialog import ExportDialog
from tests.support.disks import small_disk
from tests.ui.conftest import MakeApp, Model, answered, ask, pane, running, status, until


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_database, "BUSY_TIMEOUT", 0.05)
    monkeypatch.setattr(worker_threads, "RETRY", 0.05)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "sessions.db"


def fill(path: Path) -> None:
    """Makes a database with some sessions."""
    with Store(path) as store:
        for n in range(20):
            session = Session()
            store.save_session(session)
            store.save_message(session.id, session.add(Message(Role.USER, f"precious {n} " * 300)))


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def make_text(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("Dear diary, this is no database. " * 100)


def make_folder(path: Path) -> None:
    path.mkdir(parents=True)


def make_newer(path: Path) -> None:
    fill(path)
    change(path, "PRAGMA user_version = 1000")


def make_damaged(path: Path) -> None:
    fill(path)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 3 * 4096)


def make_truncated(path: Path) -> None:
    fill(path)
    os.truncate(path, 6000)


def make_other(path: Path) -> None:
    path.parent.mkdir()
    change(path, "CREATE TABLE accounts (amount)")


def make_folder_in_the_way(path: Path) -> None:
    fill(path)
    path.with_name("sessions.db-wal").mkdir()


def make_no_folder(path: Path) -> None:
    path.parent.write_text("a file where the folder should be")


STATES = {
    make_text: "{path} is damaged or not a database; run “streamtui sessions check --repair”, or move the file.",
    make_folder: "{path} is a folder; move or rename it.",
    make_newer: "{path} was written by a newer version; upgrade streamtui.",
    make_other: "{path} belongs to another program; move or rename it.",
    make_damaged: "{path} is damaged; run “streamtui sessions check --repair”, which keeps a copy.",
    make_truncated: "{path} is damaged; run “streamtui sessions check --repair”, which keeps a copy.",
    make_folder_in_the_way: "{path}-wal is a folder; move or rename it.",
    make_no_folder: "{path} can't be opened; check that its folder exists and is accessible.",
}


def everything_in(folder: Path) -> dict[str, bytes | None]:
    return {str(file): None if file.is_dir() else file.read_bytes() for file in sorted(folder.rglob("*"))}


def told(app: StreamTUI) -> list[str]:
    return [note.message for note in app._notifications]


async def talk(app: StreamTUI, pilot: object, model: Model, prompt: str, *reply: str) -> None:
    """Asks and gets an answer."""
    asked = len(model.bodies)
    await ask(pilot, prompt)  # type: ignore[arg-type]
    await until(lambda: len(model.bodies) > asked)
    model.say(*reply)
    model.finish()
    await until(lambda: answered(app) and reply[-1].strip() in pane(app))


def texts(session: Session) -> list[str]:
    return [message.text for message in session.path()]


@pytest.mark.parametrize(("make", "words"), STATES.items(), ids=[make.__name__ for make in STATES])
async def test_what_is_in_the_way_is_told_and_left_alone(
    make_app: MakeApp,
    model: Model,
    path: Path,
    make: Callable[[Path], None],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make(path)
    (tmp_path / "exports").mkdir()
    monkeypatch.chdir(tmp_path / "exports")
    before = everything_in(path.parent.parent)
    reason = words.format(path=path)
    app = make_app(model.endpoint, database=path)
    async with running(app) as pilot:
        await talk(app, pilot, model, "one", "two")
        await until(lambda: "not saved" in status(app))
        assert f"Can't save: {reason} The chat continues in memory." in told(app)
        assert not any("Traceback" in note or "Error" in note for note in told(app))
        await talk(app, pilot, model, "three", "four")
        assert [m["content"] for m in model.bodies[-1]["messages"]] == ["one", "two", "three"]
        after = everything_in(path.parent.parent)
        assert {name: after[name] for name in before} == before
        await pilot.press("ctrl+s")
        await until(lambda: app.screen is not app.chat)
        await pilot.press("escape")
        await until(lambda: app.screen is app.chat)
        await pilot.press("f6")
        await until(lambda: isinstance(app.screen, ExportDialog))
        await pilot.press("enter")
        await until(lambda: any("Exported to" in note for note in told(app)))
        exported = (tmp_path / "exports" / "one.md").read_text(encoding="utf-8")
        assert all(word in exported for word in ("one", "two", "three", "four"))
        path.parent.rename(path.parent.with_name("moved away"))
        await until(lambda: "Saving works again. Nothing was lost." in told(app))
        assert "not saved" not in status(app)
        await talk(app, pilot, model, "five", "six")
        session = await asyncio.wrap_future(app.store.session(app.chat.conversation.session.id))
        assert texts(session) == ["one", "two", "three", "four", "five", "six"]


async def test_a_locked_database(make_app: MakeApp, model: Model, path: Path) -> None:
    fill(path)
    app = make_app(model.endpoint, database=path)
    async with running(app) as pilot:
        with closing(sqlite3.connect(path)) as other:
            other.execute("BEGIN IMMEDIATE")
            await talk(app, pilot, model, "one", "two")
            await until(lambda: any(f"{path} is locked by another program" in note for note in told(app)))
            other.rollback()
        await until(lambda: "Saving works again. Nothing was lost." in told(app))
        session = await asyncio.wrap_future(app.store.session(app.chat.conversation.session.id))
        assert texts(session) == ["one", "two"]


async def test_a_disk_that_fills_up_in_the_middle_of_a_reply(make_app: MakeApp, model: Model, tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        path = disk / "sessions.db"
        app = make_app(model.endpoint, database=path)
        async with running(app) as pilot:
            await ask(pilot, "one")
            await until(lambda: model.bodies)
            model.say("begun ")
            await until(lambda: "begun" in pane(app))
            await asyncio.wrap_future(app.store.latest())
            ballast = disk / "ballast"
            with ballast.open("wb", buffering=0) as file:
                while file.write(bytes(min(65536, os.statvfs(disk).f_bavail * 4096 or 4096))):
                    if not os.statvfs(disk).f_bavail:
                        break
            for n in range(100_000):
                model.say(f"{n} " + "word " * 100)
                if n % 20 == 0:
                    await pilot.pause()
                if "not saved" in status(app):
                    break
            assert any("no space left for" in note for note in told(app))
            model.say("the end")
            model.finish()
            await until(lambda: answered(app) and "the end" in pane(app))
            ballast.unlink()
            await until(lambda: "Saving works again. Nothing was lost." in told(app))
            session = await asyncio.wrap_future(app.store.session(app.chat.conversation.session.id))
            assert session.path() == app.chat.conversation.session.path()


def spoil_one(path: Path) -> str:
    """Overwrites bytes in the middle of a message, and returns the id of its session."""
    fill(path)
    with Store(path) as store:
        session_id = store.search("precious 7").result(20)[0].session_id
    data = path.read_bytes()
    at = data.index(b"precious 7 precious 7") + 9
    path.write_bytes(data[:at] + b"\xff\xfe" + data[at + 2 :])
    return session_id


async def test_a_damaged_session_opens_with_what_can_be_read_and_says_so(
    make_app: MakeApp, model: Model, path: Path
) -> None:
    session_id = spoil_one(path)
    app = make_app(model.endpoint, database=path, session_id=session_id)
    async with running(app) as pilot:
        await until(lambda: any("session is damaged in 1 place" in note for note in told(app)))
        assert "precious" in pane(app)
        await talk(app, pilot, model, "one", "two")
        session = await asyncio.wrap_future(app.store.session(app.chat.conversation.session.id))
        assert session.id == session_id
        assert texts(session)[-2:] == ["one", "two"]
