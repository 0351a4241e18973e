"""When the disk fails, the store reports why, keeps pending writes, and saves them once it works again."""

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from queue import Queue
from tempfile import TemporaryDirectory

import pytest

from streamtui.core.message import FinishReason, Message, Role
from streamtui.core.session import Session
from streamtui.storage import Draft, Store, StoreError, open_database, schema, worker_threads
from streamtui.storage.recovery.check import check


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_database, "BUSY_TIMEOUT", 0.05)
    monkeypatch.setattr(worker_threads, "RETRY", 0.05)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


def fill(path: Path) -> Session:
    """Create a database with one session."""
    session = Session()
    with Store(path) as store:
        store.save_message(session.id, session.add(Message(Role.USER, "precious")))
        store.save_session(session)
    return session


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def run(code: str, *args: Path) -> str:
    """Run `code` in another process and return its output."""
    done = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def make_text(path: Path) -> None:
    path.write_text("Dear diary, this is no database. " * 100)


def make_folder(path: Path) -> None:
    path.mkdir()


def make_newer(path: Path) -> None:
    fill(path)
    change(path, f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")


def make_other(path: Path) -> None:
    change(path, "CREATE TABLE accounts (amount)")


def make_other_with_our_version(path: Path) -> None:
    make_other(path)
    change(path, "PRAGMA user_version = 1")


def make_damaged(path: Path) -> None:
    fill(path)
    data = path.read_bytes()
    path.write_bytes(data[:4096] + bytes(len(data) - 4096))


def make_unspeakable(path: Path) -> None:
    """Cause damage that SQLite quotes in an error that Python can't decode."""
    fill(path)
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE memory", b"CREATE TABLE m\x80mory"))


def snapshot(path: Path) -> bytes | None:
    return None if path.is_dir() else path.read_bytes()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (make_text, "is damaged or not a database; run “streamtui sessions check --repair”, or move the file"),
        (make_folder, "is a folder; move or rename it"),
        (make_newer, "was written by a newer version; upgrade streamtui"),
        (make_other, "belongs to another program; move or rename it"),
        (make_other_with_our_version, "belongs to another program; move or rename it"),
        (
            make_unspeakable,
            "is damaged; run “streamtui sessions check --repair”, which keeps a copy",
        ),
        (
            make_damaged,
            "is damaged; run “streamtui sessions check --repair”, which keeps a copy",
        ),
    ],
)
def test_unusable_file_is_reported_and_unchanged(path: Path, make: Callable[[Path], None], words: str) -> None:
    make(path)
    before = snapshot(path)
    news: Queue[str] = Queue()
    with Store(path, on_save_error=news.put) as store:
        store.save_message("5e55", Message(Role.USER, "kept"))
        assert news.get(timeout=10) == f"Can't save: {path} {words}."
        assert store.save_error
        with pytest.raises(StoreError) as failure:
            store.session("5e55").result(10)
        assert str(failure.value) == f"Can't read the saved sessions: {path} {words}."
        store.append_delta("none", text="kept too")
        assert snapshot(path) == before
        path.rename(path.with_name("elsewhere"))
        while news.get(timeout=10):  # the move may meet an attempt: one more kind of trouble
            pass
        assert [m.text for m in store.session("5e55").result(10).path()] == ["kept"]
    assert store.close()


def test_close_reports_unsaved_changes(path: Path) -> None:
    path.mkdir()
    store = Store(path)
    store.remember("key", "value")
    assert not store.close()
    path.rmdir()
    store.remember("other", "value")
    assert store.recall("key").result(10) == "value"
    assert store.close()


def test_writes_resume_after_a_lock(path: Path) -> None:
    session = fill(path)
    news: Queue[str] = Queue()
    with closing(sqlite3.connect(path)) as other, Store(path, on_save_error=news.put) as store:
        other.execute("BEGIN IMMEDIATE")
        for n in range(3):
            store.save_message(session.id, session.add(Message(Role.USER, str(n))))
        assert f"{path} is locked by another program; close it." in news.get(timeout=10)
        assert [m.text for m in store.session(session.id).result(10).path()] == ["precious"]
        other.rollback()
        assert news.get(timeout=10) == ""
        store.save_session(session)
        assert store.session(session.id).result(10) == session


FULL_DISK = """
import resource, sys
from pathlib import Path
from queue import Queue
from streamtui.core.message import Message, Role
from streamtui.core.session import Session
from streamtui.storage import Store, worker_threads

worker_threads.RETRY = 0.05
path, news, session = Path(sys.argv[1]), Queue(), Session()
with Store(path, on_save_error=news.put) as store:
    reply = session.add(Message(Role.ASSISTANT, "begun "))
    store.save_message(session.id, reply)
    store.save_session(session)
    assert store.session(session.id).result().path() == [reply]
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.with_name("sessions.db-wal").stat().st_size + 5000, -1))
    while news.empty():
        store.append_delta(reply.id, "x" * 1000)
        reply.text += "x" * 1000
    trouble = news.get()
    assert store.save_error == trouble
    saved = store.session(session.id).result().messages[reply.id].text
    assert reply.text.startswith(saved) and saved.startswith("begun ") and len(saved) < len(reply.text)
    store.append_delta(reply.id, " the end")
    reply.text += " the end"
    resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
    assert news.get(timeout=10) == ""
    assert store.session(session.id).result() == session
print(trouble)
"""


def test_full_disk_blocks_and_loses_nothing(path: Path) -> None:
    out = run(FULL_DISK, path)
    assert "disk I/O error on" in out or "no space left for" in out
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


# Root may write everywhere, so it becomes somebody else.
READ_ONLY = """
import os, sys
from pathlib import Path
from streamtui.core.message import Message, Role
from streamtui.storage import Store

path = Path(sys.argv[1])
path.chmod(0o444)
path.parent.chmod(0o555)
if os.geteuid() == 0:
    os.setuid(65534)
store = Store(path)
store.save_message("5e55", Message(Role.USER, "new"))
print(store.sessions().result()[0].messages, store.search("prec").result()[0].snippet)
print(store.session(sys.argv[2]).result().path()[0].text)
print(store.save_error, store.close())
"""


def test_read_only_folder_is_readable() -> None:
    with TemporaryDirectory() as folder:  # not tmp_path, which lets nobody else in
        path = Path(folder, "sessions.db")
        session = fill(path)
        before = path.read_bytes()
        first, second, third = run(READ_ONLY, path, Path(session.id)).splitlines()
        assert (first, second) == ("1 precious", "precious")
        assert "isn't writable; check the permissions of the file and its folder. False" in third
        assert (path.read_bytes(), os.listdir(folder)) == (before, ["sessions.db"])
        path.parent.chmod(0o700)


def test_exit_without_close_saves_everything(path: Path) -> None:
    code = "import sys, pathlib, streamtui.storage as s; store = s.Store(pathlib.Path(sys.argv[1]))"
    run(code + "; [store.remember('key', str(n)) for n in range(2000)]", path)
    with Store(path) as store:
        assert store.recall("key").result(10) == "1999"


DAMAGE = (
    "UPDATE messages SET usage = '[]' WHERE {one}",
    'UPDATE messages SET usage = \'{{"prompt_tokens": "many"}}\' WHERE {one}',
    "UPDATE messages SET timing = '" + "[" * 100_000 + "' WHERE {one}",
    "UPDATE messages SET recap = '{{\"usage\": 5}}' WHERE {one}",
    "UPDATE messages SET role = 'wizard' WHERE {one}",
    "UPDATE messages SET finish_reason = 'magic' WHERE {one}",
    "UPDATE messages SET created = 'yesterday' WHERE {one}",
    "UPDATE messages SET created = 1e300 WHERE {one}",
    "UPDATE messages SET model = CAST(x'ff41' AS TEXT) WHERE {one}",
    "UPDATE messages SET error = x'ff41' WHERE {one}",
    "UPDATE messages SET text = CAST(x'707265ff' AS TEXT) WHERE {one}",
    "UPDATE sessions SET parameters = '[]'",
    "UPDATE sessions SET title = CAST(x'707265ff' AS TEXT)",
    "UPDATE sessions SET updated = 'soon', endpoint = x'ff'",
)


@pytest.mark.parametrize("damage", DAMAGE, ids=range(len(DAMAGE)))
def test_unreadable_value_costs_only_that_value(path: Path, damage: str) -> None:
    session = fill(path)
    with Store(path) as store:
        store.save_message(session.id, session.add(Message(Role.ASSISTANT, "fine", finish_reason=FinishReason.STOP)))
        store.save_session(session)
    with closing(sqlite3.connect(path)) as connection, connection:
        schema.register_functions(connection)
        connection.execute(damage.format(one="text = 'precious'"))
    assert not check(path).sound
    with Store(path) as store:
        found = store.session(session.id).result(10)
        assert [message.text.replace("pre\ufffd", "precious") for message in found.path()] == ["precious", "fine"]
        assert found.unreadable == 1
        assert [summary.id for summary in store.sessions().result(10)] == [session.id]
        assert len(store.search("pre").result(10)) == 1
        assert store.claim(found.path()[0]).result(10)
        found.path()[0].text += " again"
        store.save_message(found.id, found.path()[0])
        assert len(store.search("again").result(10)) == 1
        assert store.permanent_error == store.save_error == ""
        store.rename(found.id, "named")
        damaged = store.session(found.id).result(10).unreadable
    assert check(path).sound == (not damaged)
    assert check(path, repair=True).sound
    with Store(path) as store:
        assert store.session(session.id).result(10).unreadable == 0


KILLED = """
import os, signal, sys
from pathlib import Path
from streamtui.core.message import Message, Role
from streamtui.core.session import Session
from streamtui.storage import Store, worker_threads

worker_threads.PAUSE = float(sys.argv[3])
store, session = Store(Path(sys.argv[1])), Session(id=sys.argv[2])
for n in range(30):
    store.save_message(session.id, session.add(Message(Role.USER, f"{sys.argv[2]} {n} " * 20)))
store.save_session(session)
store.latest().result()
log = Path(sys.argv[1] + "-wal")
while worker_threads.PAUSE < 60 and log.stat().st_size:
    pass
os.kill(os.getpid(), signal.SIGKILL)
"""


def killed(path: Path, session_id: str, pause: float = 60) -> None:
    """Save a session in a process that is killed before or after the log is checkpointed."""
    subprocess.run([sys.executable, "-c", KILLED, path, session_id, str(pause)], check=False)


def count(path: Path, session_id: str) -> int:
    with Store(path) as store:
        store.remember("key", "value")
        assert store.recall("key").result(10) == "value"
        found = [summary.messages for summary in store.sessions().result(10) if summary.id == session_id]
        assert len(store.search(session_id, 100).result(10)) == sum(found)
        return sum(found)


def test_log_is_checkpointed_in_each_pause(path: Path) -> None:
    killed(path, "aaa", pause=0.05)
    path.with_name("sessions.db-wal").unlink()
    assert count(path, "aaa") == 30
    assert check(path).findings == []


def lose_log(log: Path, shared: Path) -> None:
    log.unlink()


def spoil_log(log: Path, shared: Path) -> None:
    log.write_bytes(os.urandom(log.stat().st_size))


def lose_shared(log: Path, shared: Path) -> None:
    shared.unlink()


def spoil_shared(log: Path, shared: Path) -> None:
    shared.write_bytes(os.urandom(32_768))


def cut_log(log: Path, shared: Path) -> None:
    os.truncate(log, log.stat().st_size // 2)


@pytest.mark.parametrize(
    ("spoil", "least"), [(lose_log, 0), (spoil_log, 0), (lose_shared, 30), (spoil_shared, 30), (cut_log, 0)]
)
def test_log_or_shared_memory_file_missing_or_damaged(
    path: Path, spoil: Callable[[Path, Path], None], least: int
) -> None:
    fill(path)
    killed(path, "aaa")
    spoil(path.with_name("sessions.db-wal"), path.with_name("sessions.db-shm"))
    assert count(path, "aaa") >= least
    assert check(path).findings == []
    with Store(path) as store:
        assert "precious" in [
            m.text for s in store.sessions().result(10) for m in store.session(s.id).result(10).path()
        ]


def test_log_of_another_database(path: Path, tmp_path: Path) -> None:
    """SQLite can't tell which database a log belongs to, but any damage is found and repaired."""
    other = tmp_path / "other.db"
    for n in range(10):
        killed(other, f"bbb{n}", pause=0.01 if n < 9 else 60)
    fill(path)
    path.with_name("sessions.db-wal").write_bytes(other.with_name("other.db-wal").read_bytes())
    assert check(path, repair=True).sound
    assert check(path).findings == []
    with Store(path) as store:
        store.remember("key", "value")
        assert store.recall("key").result(10) == "value"
        assert all(store.session(summary.id).result(10).path() for summary in store.sessions().result(10))


def test_clock_set_back_loses_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(created=4e9)
    with Store(path) as store:
        for n, when in enumerate((4e9, 1e9, 2e9, 5.0)):
            store.save_message(session.id, session.add(Message(Role.USER, f"message {n}", created=when)))
            store.save_session(session)
        store.use_model("here", "m-1")
        monkeypatch.setattr("time.time", lambda: 1.0)
        store.use_model("here", "m-2")
        store.trash(session.id)
        assert store.latest().result(10) is None
        store.save_message(session.id, session.add(Message(Role.USER, "message 4", created=2.0)))
        store.save_session(session)
        store.save_draft(Draft("draft"))
        back = store.session(session.id).result(10)
        assert store.latest().result(10) == session.id
        assert {model.name for model in store.models("here").result(10)} == {"m-1", "m-2"}
    assert [m.text for m in back.path()] == [f"message {n}" for n in range(5)]
    assert list(back.messages) == list(session.messages)
    assert back.updated == 4e9
    with Store(path) as store:
        assert store.claim_draft().result(10) == Draft("draft")


SECOND = ("ALTER TABLE sessions ADD COLUMN colour TEXT", "UPDATE sessions SET title = 'migrated'")


def test_migration_keeps_a_backup(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = fill(path)
    version = len(schema.MIGRATIONS)
    backup = path.with_name(f"sessions.db.v{version}.bak")
    backup.write_text("an older backup")
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, SECOND))
    with Store(path) as store:
        assert store.session(session.id).result(10).title == "migrated"
    assert backup.read_text() == "an older backup"
    copy = path.with_name(f"sessions.db.v{version}.2.bak")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    monkeypatch.undo()
    with Store(copy) as store:
        assert store.session(session.id).result(10) == session
    with Store(path) as store, pytest.raises(StoreError, match="newer version"):
        store.latest().result(10)


def test_failed_migration_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = fill(path)
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, (*SECOND, "UPDATE nowhere SET a = 1")))
    with Store(path) as store, pytest.raises(StoreError, match="no such table: nowhere"):
        store.latest().result(10)
    monkeypatch.undo()
    with Store(path) as store:
        assert store.session(session.id).result(10) == session
