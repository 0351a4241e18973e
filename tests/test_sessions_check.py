"""`streamtui sessions check`: what it prints, and its exit codes."""

import sqlite3
import stat
from contextlib import closing

import pytest

from streamtui import paths
from streamtui.cli import main
from streamtui.message import Message, Role
from streamtui.session import Session
from streamtui.store import Store


@pytest.fixture
def session() -> Session:
    """A session that is saved."""
    session = Session()
    with Store(paths.database()) as store:
        store.save_session(session)
        store.save_message(session.id, session.add(Message(Role.USER, "precious " * 2000)))
    return session


def test_nothing_to_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sessions", "check", "--repair"]) == 0
    assert capsys.readouterr() == (f"Nothing is saved yet: there is no {paths.database()}.\n", "")
    assert not paths.database().parent.exists()


def test_what_is_sound(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sessions", "check"]) == 0
    assert capsys.readouterr() == (f"{paths.database()} is sound: 1 session, 1 message.\n", "")


def test_what_is_not_sound_is_told_and_repaired(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    path = paths.database()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE sessions SET message_count = 7")
    path.chmod(0o644)
    assert main(["sessions", "check"]) == 1
    out, err = capsys.readouterr()
    problems = ["The number of messages is wrong in 1 session.", f"Other users of this computer may look into {path}."]
    assert out.splitlines() == problems
    assert err == f"streamtui: {path} is not sound; streamtui sessions check --repair mends it.\n"
    assert main(["sessions", "check", "--repair"]) == 0
    out, err = capsys.readouterr()
    remedies = ["Counted again.", "They may no longer."]
    assert out.splitlines()[:-1] == [f"{problem} {remedy}" for problem, remedy in zip(problems, remedies, strict=True)]
    assert out.splitlines()[-1] == f"{path} is sound: 1 session, 1 message."
    assert err == ""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_damaged_file(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    path = paths.database()
    with path.open("r+b") as file:
        file.write(b"\xff" * 100)
    assert main(["sessions", "list"]) == 1
    assert "or damaged; try “streamtui sessions check --repair”" in capsys.readouterr().err
    assert main(["sessions", "check", "--repair"]) == 0
    out = capsys.readouterr().out
    assert f"What can be read, 1 message, is in a new file now; the damaged one is kept as {path}.damaged." in out
    with Store(path) as store:
        assert store.session(session.id).result(10).path() == session.path()


def test_what_can_not_be_repaired(capsys: pytest.CaptureFixture[str]) -> None:
    paths.database().mkdir(parents=True)
    assert main(["sessions", "check", "--repair"]) == 1
    assert capsys.readouterr().out == (
        f"The saved sessions can't be checked: {paths.database()} is a folder; move it away.\n"
    )
