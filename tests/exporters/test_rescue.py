"""Sessions that could not be saved are written to an importable file."""

import resource
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streamtui.core.message import FinishReason, Message, Role
from streamtui.core.session import Session
from streamtui.exporters.rescue import rescue
from streamtui.importers.detection import open_source
from streamtui.importers.importer import Outcome, import_sessions
from streamtui.storage import Store
from tests.support.raw_server import serving
from tests.support.terminal import Terminal
from tests.ui.conftest import Model, until


@pytest.fixture
async def model() -> AsyncIterator[Model]:
    """A server that sends what the test tells it to."""
    model = Model()
    async with serving(model.serve) as model.raw:
        yield model


def texts(session: Session) -> list[str]:
    return [message.text for message in session.path()]


def imported(file: Path, store: Store) -> list[Outcome]:
    with open_source(file) as source:
        return [result.outcome for result in import_sessions(source, store)]


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs Linux, to limit the files of another process")
async def test_full_disk(model: Model, tmp_path: Path) -> None:
    """A file size limit acts like a full disk: the database log can't grow."""
    import asyncio

    data = tmp_path / "data" / "streamtui"
    env = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data"), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    command = [sys.executable, "-m", "streamtui", "--base-url", model.raw.url, "--model", "m-1"]
    terminal = Terminal(command, env, size=(120, 24))
    terminal.keep = True
    try:
        await asyncio.to_thread(terminal.until, "m-1")
        terminal.write(b"one\r")
        await until(lambda: model.bodies)
        model.say("begun ")
        await asyncio.to_thread(terminal.until, "begun")
        await until(lambda: (data / "sessions.db-wal").exists())
        resource.prlimit(terminal.process.pid, resource.RLIMIT_FSIZE, (9_000, resource.RLIM_INFINITY))
        for n in range(4):
            model.say(f"word{n} " * 300)
            await asyncio.to_thread(terminal.until, f"word{n}")
        await asyncio.to_thread(terminal.until, "not saved")
        await asyncio.to_thread(terminal.until, "Can't save")
        resource.prlimit(terminal.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await asyncio.to_thread(terminal.until, "Saving works again")
        resource.prlimit(terminal.process.pid, resource.RLIMIT_FSIZE, (9_000, resource.RLIM_INFINITY))
        model.say("the end. " * 20)
        model.finish()
        await asyncio.to_thread(terminal.until, "1,234")
        terminal.write(b"\x11")
        assert await asyncio.to_thread(terminal.wait, 30) == 1
    finally:
        terminal.close()
    (file,) = data.glob("streamtui-rescued-*.json")
    assert f"streamtui: The conversation was written to {file}".encode() in terminal.output.replace(b"\r\n", b"\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with Store(data / "sessions.db") as store:
        assert imported(file, store) == [Outcome.UPDATED]
        session = store.session(store.latest().result(10) or "").result(10)
        whole = "begun " + "".join(f"word{n} " * 300 for n in range(4)) + "the end. " * 20
        assert [message.text for message in session.path()] == ["one", whole]
        assert imported(file, store) == [Outcome.UNCHANGED]


def test_first_writable_directory_is_used(tmp_path: Path) -> None:
    session = Session()
    session.add(Message(Role.USER, "precious"))
    taken = tmp_path / "file"
    taken.write_text("a file, no folder")
    home = tmp_path / "home"
    home.mkdir()
    file = rescue([session], (taken, tmp_path / "nowhere", home))
    assert file is not None
    assert file.parent == home
    with Store(tmp_path / "sessions.db") as store:
        assert imported(file, store) == [Outcome.ADDED]
        assert texts(store.session(session.id).result(10)) == ["precious"]


def test_complete_reply_is_not_replaced(tmp_path: Path) -> None:
    session = Session()
    reply = session.add(Message(Role.ASSISTANT, "Half of it", finish_reason=FinishReason.STOPPED))
    file = rescue([session], (tmp_path,))
    assert file is not None
    for saved, finish, outcome in (
        ("Half of it, and more", FinishReason.STOP, Outcome.UNCHANGED),
        ("Another", None, Outcome.UNCHANGED),
        ("Half", None, Outcome.UPDATED),
    ):
        reply.text, reply.finish_reason = saved, finish
        with Store(tmp_path / f"{saved}.db") as store:
            store.save_whole(session)
            assert imported(file, store) == [outcome], saved
