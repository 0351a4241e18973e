"""Disks that are full or lack features: everything possible is saved, and nothing is lost."""

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from queue import Queue

import pytest

from streamtui.core.message import FinishReason, Message, Role
from streamtui.core.session import Session
from streamtui.storage import Store, open_database, worker_threads
from streamtui.storage.recovery.check import check
from tests.support import ROOT
from tests.support.disks import small_disk


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_database, "BUSY_TIMEOUT", 0.2)
    monkeypatch.setattr(worker_threads, "RETRY", 0.05)


@pytest.fixture
def disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """Mount a small disk if running as root; the parameter is its block size."""
    with small_disk(tmp_path, block=getattr(request, "param", 4096)) as disk:
        yield disk


def fill_up(disk: Path, but: int = 0, name: str = "ballast") -> Path:
    """Fill the disk up to `but` free bytes and return the file used for that."""
    ballast = disk / name
    with ballast.open("wb", buffering=0) as file:
        with suppress(OSError):
            while True:
                file.write(bytes(4096))
        assert shutil.disk_usage(disk).free < 4096
        file.truncate(file.tell() - but)
    return ballast


def test_disk_fills_up_while_a_reply_streams(disk: Path) -> None:
    path, news, session = disk / "sessions.db", Queue[str](), Session()
    with Store(path, on_save_error=news.put) as store:
        reply = session.add(Message(Role.ASSISTANT, "begun "))
        store.save_message(session.id, reply)
        store.save_session(session)
        assert store.session(session.id).result(20) == session
        ballast = fill_up(disk, but=200_000)
        while news.empty():
            store.append_delta(reply.id, "x" * 2000)
            reply.text += "x" * 2000
            store.latest().result(20)
        assert news.get() == (f"Can't save: no space left for {path}; free some disk space.")
        saved = store.session(session.id).result(20).messages[reply.id].text
        assert reply.text.startswith(saved)
        assert 10_000 < len(saved) < len(reply.text)
        store.append_delta(reply.id, " the end")
        reply.text += " the end"
        ballast.unlink()
        assert news.get(timeout=20) == ""
        assert store.session(session.id).result(20) == session
    assert check(path).findings == []


@pytest.mark.parametrize("disk", [1024, 4096], indirect=True, ids=["small blocks", "usual blocks"])
def test_disk_full_from_the_start(disk: Path) -> None:
    path, news, session = disk / "streamtui" / "sessions.db", Queue[str](), Session()
    ballast = fill_up(disk)
    with Store(path, on_save_error=news.put) as store:
        store.save_message(session.id, session.add(Message(Role.USER, "hello")))
        store.save_session(session)
        assert "no space left for" in news.get(timeout=20)
        ballast.unlink()
        assert news.get(timeout=20) == ""
        assert store.session(session.id).result(20) == session


@pytest.mark.parametrize("disk", [1024], indirect=True)
def test_full_disk_with_small_blocks_does_not_crash(disk: Path) -> None:
    path = disk / "sessions.db"
    with Store(path) as store:
        store.remember("key", "value")
    ballast = fill_up(disk)
    news: Queue[str] = Queue()
    with Store(path, on_save_error=news.put) as store:
        assert store.recall("key").result(20) == "value"
        store.remember("key", "other")
        assert "no space left for" in news.get(timeout=20)
        assert store.recall("key").result(20) == "value"
        ballast.unlink()
        assert news.get(timeout=20) == ""
        assert store.recall("key").result(20) == "other"


def test_log_is_kept_if_the_checkpoint_fails(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_threads, "PAUSE", 0.01)
    path, log, session = disk / "sessions.db", disk / "sessions.db-wal", Session()
    with Store(path) as store, Store(path) as other:
        store.save_session(session)
        assert store.latest().result(20) is None
        assert other.latest().result(20) is None
        fill_up(disk, but=1_500_000)
        for _ in range(40):
            reply = session.add(Message(Role.ASSISTANT, os.urandom(1000).hex(), finish_reason=FinishReason.STOP))
            store.save_message(session.id, reply)
        store.save_session(session)
        assert store.session(session.id).result(20) == session
        fill_up(disk, name="more")
        store.close(20)
        assert other.session(session.id).result(20) == session
        assert log.stat().st_size > 100_000
    assert log.stat().st_size > 100_000
    with Store(path) as store:
        assert store.session(session.id).result(20) == session
    (disk / "ballast").unlink()
    assert check(path).findings == []
    with Store(path) as store:
        assert store.session(session.id).result(20) == session


def test_migration_without_space_for_the_backup_changes_nothing(disk: Path) -> None:
    path = disk / "sessions.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(Path(__file__).with_name("version_1.sql").read_text(encoding="utf-8"))
    before = path.read_bytes()
    news: Queue[str] = Queue()
    ballast = fill_up(disk, but=20_000)
    with Store(path, on_save_error=news.put) as store:
        store.remember("key", "value")
        assert "no space left for" in news.get(timeout=20)
        assert path.read_bytes() == before
        ballast.unlink()
        assert news.get(timeout=20) == ""
        assert store.recall("theme").result(20) == "paper"
    assert path.with_name("sessions.db.v1.bak").exists()
    assert not list(disk.glob("*.part"))


@pytest.fixture(scope="module")
def poor_disk(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Build a library that disables shared memory or file locks."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("needs a C compiler on Linux, to take away what disks usually have")
    library = tmp_path_factory.mktemp("library") / "poor_disk.so"
    source = ROOT / "tests" / "support" / "poor_disk.c"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return str(library)


USE = """
import sys
from pathlib import Path
from streamtui.storage import Store, StoreError, open_database
open_database.BUSY_TIMEOUT = 0.2
with Store(Path(sys.argv[1])) as store, Store(Path(sys.argv[1])) as other:
    store.remember("key", "value")
    try:
        print(store.recall("key").result(20), other.recall("key").result(20), store.version().result(20) != (0, 0))
    except StoreError as error:
        print(error)
    print(store.save_error)
"""


def use(path: Path, library: str, **lacks: str) -> list[str]:
    """Use the database in a process whose disk lacks a feature, and return its output."""
    env = {**os.environ, **lacks, "LD_PRELOAD": library}
    done = subprocess.run([sys.executable, "-c", USE, path], capture_output=True, text=True, env=env, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize("existing", [False, True])
def test_disk_without_shared_memory(tmp_path: Path, poor_disk: str, existing: bool) -> None:
    path = tmp_path / "sessions.db"
    if existing:
        with Store(path) as store:
            store.remember("old", "kept")
            assert store.recall("old").result(20) == "kept"
    assert use(path, poor_disk, NO_SHM="1") == ["value value True", ""]
    assert use(path, poor_disk, NO_SHM="1") == ["value value True", ""]
    with Store(path) as store:  # back on a disk that has it
        assert store.recall("key").result(20) == "value"
        assert store.recall("old").result(20) == ("kept" if existing else None)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL])
def test_disk_without_locks_is_reported(tmp_path: Path, poor_disk: str, number: int) -> None:
    path = tmp_path / "sessions.db"
    reason = f"{path} is on a disk without file locks; set XDG_DATA_HOME to a folder on another disk."
    assert use(path, poor_disk, NO_LOCKS=str(number)) == [
        f"Can't read the saved sessions: {reason}",
        f"Can't save: {reason}",
    ]


POWER_CUT = """
import os, shutil, sys, time
from pathlib import Path
from streamtui.core.message import FinishReason, Message, Role
from streamtui.core.session import Session
from streamtui.storage import Store

path, synced, session = Path(sys.argv[1]), Path(os.environ["SYNCED"]), Session(id="5e55")

def power_fails(name):
    shutil.copytree(synced, path.with_name(name))

with Store(path) as store:
    store.save_session(session)
    store.save_message(session.id, session.add(Message(Role.USER, "a prompt")))
    store.session(session.id).result(20)
    power_fails("after the prompt")
    reply = session.add(Message(Role.ASSISTANT))
    store.save_session(session)
    store.save_message(session.id, reply)
    store.session(session.id).result(20)
    deadline, n = time.monotonic() + 20, 0
    # Without a pause, in which all is synced anyway.
    while b"piece 3," not in (synced / "sessions.db-wal").read_bytes() and time.monotonic() < deadline:
        store.append_delta(reply.id, f"piece {n},")
        n += 1
        time.sleep(0.05)
    power_fails("during the reply")
    reply.text, reply.finish_reason = "the whole reply", FinishReason.STOP
    store.save_message(session.id, reply)
    store.session(session.id).result(20)
    power_fails("after the reply")
"""


def test_power_failure_loses_at_most_the_end_of_a_streaming_reply(tmp_path: Path, poor_disk: str) -> None:
    path, synced = tmp_path / "sessions.db", tmp_path / "synced"
    synced.mkdir()
    env = {**os.environ, "SYNCED": str(synced), "LD_PRELOAD": poor_disk}
    subprocess.run([sys.executable, "-c", POWER_CUT, path], env=env, check=True, timeout=60)
    found = []
    for moment in ("after the prompt", "during the reply", "after the reply"):
        with Store(tmp_path / moment / "sessions.db") as store:
            found.append([message.text for message in store.session("5e55").result(20).path()])
    prompt, during, after = found
    assert (prompt, after) == (["a prompt"], ["a prompt", "the whole reply"])
    assert during[0] == "a prompt"
    assert during[1].startswith("piece 0,piece 1,piece 2,piece 3,")
