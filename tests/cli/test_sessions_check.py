"""The `streamtui sessions check` command."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from streamtui import paths
from streamtui.cli import main
from streamtui.core.message import Message, Role
from streamtui.core.session import Session
from streamtui.storage import Store


@pytest.fixture
def session() -> Session:
    """Return a saved session."""
    session = Session()
    with Store(paths.database()) as store:
        store.save_session(session)
        store.save_message(session.id, session.add(Message(Role.USER, "precious " * 2000)))
    return session


def test_nothing_to_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sessions", "check", "--repair"]) == 0
    assert capsys.readouterr() == (f"No saved sessions: {paths.database()} does not exist.\n", "")
    assert not paths.database().parent.exists()


def test_database_without_problems(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sessions", "check"]) == 0
    assert capsys.readouterr() == (f"{paths.database()} has no problems: 1 session, 1 message.\n", "")


def test_problems_are_reported_and_repaired(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    path = paths.database()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE sessions SET message_count = 7")
    path.chmod(0o644)
    assert main(["sessions", "check"]) == 1
    out, err = capsys.readouterr()
    problems = ["Sessions with a wrong message count: 1.", f"Other users of this computer can access {path}."]
    assert out.splitlines() == problems
    assert err == f"streamtui: {path} has problems. To fix them, run streamtui sessions check --repair.\n"
    assert main(["sessions", "check", "--repair"]) == 0
    out, err = capsys.readouterr()
    remedies = ["Recounted.", "Access removed."]
    assert out.splitlines()[:-1] == [f"{problem} {remedy}" for problem, remedy in zip(problems, remedies, strict=True)]
    assert out.splitlines()[-1] == f"{path} has no problems: 1 session, 1 message."
    assert err == ""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_damaged_file(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    path = paths.database()
    with path.open("r+b") as file:
        file.write(b"\xff" * 100)
    assert main(["sessions", "list"]) == 1
    assert "or not a database; run “streamtui sessions check --repair”" in capsys.readouterr().err
    assert main(["sessions", "check", "--repair"]) == 0
    out = capsys.readouterr().out
    assert f"Recovered 1 message into a new file; the damaged file is now {path}.damaged." in out
    with Store(path) as store:
        assert store.session(session.id).result(10).path() == session.path()


def test_repair_that_fails(capsys: pytest.CaptureFixture[str]) -> None:
    paths.database().mkdir(parents=True)
    assert main(["sessions", "check", "--repair"]) == 1
    reason = f"{paths.database()} is a folder; move or rename it"
    assert capsys.readouterr() == ("", f"streamtui: Can't repair the saved sessions: {reason}.\n")


def run_unprivileged(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `streamtui sessions` so that file permissions hold, for root too."""
    command = [sys.executable, "-m", "streamtui", "sessions", *arguments]
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("needs setpriv, so that permissions hold for root")
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@contextmanager
def mode_of(path: Path, mode: int) -> Iterator[None]:
    """Set the permissions of `path` for a while."""
    before = path.stat().st_mode
    path.chmod(mode)
    try:
        yield
    finally:
        path.chmod(before)


def test_unreadable_directory_is_reported(session: Session) -> None:
    path = paths.database()
    with mode_of(path.parent, 0o000):
        done = run_unprivileged("check")
    assert (done.returncode, done.stdout) == (1, "")
    reason = f"{path} isn't readable; check the permissions of the file and its folder"
    assert done.stderr == f"streamtui: Can't check the saved sessions: {reason}.\n"


def test_unreadable_file_is_reported(session: Session) -> None:
    path = paths.database()
    with mode_of(path, 0o000):
        done = run_unprivileged("check")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"Can't check the saved sessions: {path} isn't readable; check the permissions" in done.stderr


@pytest.mark.parametrize("log", [False, True])
def test_read_only_database_is_checked(session: Session, log: bool) -> None:
    path = paths.database()
    with closing(sqlite3.connect(path)) as writer:
        if log:  # another program has the database open, so that its log is beside it
            writer.execute("CREATE TABLE t (x)")
        with mode_of(path, 0o400), mode_of(path.parent, 0o500):
            done = run_unprivileged("check")
    assert (done.stdout, done.stderr, done.returncode) == (
        f"{path} has no problems: 1 session, 1 message. "
        "The file is read-only, so the search index was not checked.\n", "", 0,
    )  # fmt: skip


def test_read_only_database_cannot_be_repaired(session: Session) -> None:
    path = paths.database()
    with mode_of(path, 0o400), mode_of(path.parent, 0o500):
        done = run_unprivileged("check", "--repair")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Can't repair the saved sessions" in done.stderr
    assert "isn't writable; check the permissions" in done.stderr
