"""Instances that share a database see each other's changes and never overwrite them."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from streamtui.core.message import Attachment, FinishReason, Message, Role
from streamtui.core.parameters import Parameters
from streamtui.core.session import Session
from streamtui.storage import Draft, Store
from streamtui.storage.instance_lock import InstanceLock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


@pytest.fixture
def left(path: Path) -> Iterator[Store]:
    with Store(path) as store:
        yield store


@pytest.fixture
def right(path: Path) -> Iterator[Store]:
    with Store(path) as store:
        yield store


def saved(store: Store, *texts: str) -> Session:
    """Return a session saved by `store`."""
    session = Session(endpoint="here", model="m-1")
    for n, text in enumerate(texts):
        role = Role.ASSISTANT if n % 2 else Role.USER
        store.save_message(session.id, session.add(Message(role, text, finish_reason=FinishReason.STOP)))
    store.save_session(session)
    assert store.latest().result(20)
    return session


def read(store: Store, session: Session) -> Session:
    return store.session(session.id).result(20)


def test_instance_writes_only_its_own_changes(left: Store, right: Store) -> None:
    session = saved(left, "one", "two")
    other = read(right, session)
    session.parameters = Parameters(temperature=0.5)
    session.add(Message(Role.USER, "three"))
    left.save_message(session.id, session.messages[session.leaf_id or ""])
    left.save_session(session)
    read(left, session)
    other.model = "m-2"
    right.save_session(other)
    back = read(right, session)
    assert (back.model, back.parameters, back.leaf_id) == ("m-2", session.parameters, session.leaf_id)
    session.system = "Be brief."
    left.save_session(session)
    assert (read(left, session).model, read(left, session).system) == ("m-2", "Be brief.")


def test_session_deleted_by_another_instance_is_saved_completely_again(left: Store, right: Store) -> None:
    session = saved(left, "one")
    right.delete_session(session.id)
    assert right.latest().result(20) is None
    left.save_session(session)
    left.save_message(session.id, session.path()[0])
    assert left.latest().result(20)
    assert read(right, session) == session


def test_version_changes_with_every_write_only(left: Store, right: Store) -> None:
    saved(left, "one")
    read_by_left, read_by_right = left.version().result(20), right.version().result(20)
    assert left.latest().result(20)
    assert (left.version().result(20), right.version().result(20)) == (read_by_left, read_by_right)
    right.remember("key", "value")
    assert right.recall("key").result(20)
    assert left.version().result(20) != read_by_left
    assert right.version().result(20) != read_by_right


def test_version_changes_when_the_file_is_replaced(left: Store, path: Path) -> None:
    saved(left, "one")
    before = left.version().result(20)
    path.rename(path.with_name("elsewhere.db"))
    assert left.version().result(20) != before


def test_writes_go_to_the_file_at_the_path_after_a_move(left: Store, path: Path) -> None:
    saved(left, "one")
    assert left.latest().result(20)
    moved = path.with_name("moved.db")
    path.rename(moved)
    left.remember("key", "value")
    assert left.recall("key").result(20) == "value"
    with Store(path) as store:
        assert store.recall("key").result(20) == "value"


def test_changes_since_returns_only_new_messages(left: Store, right: Store) -> None:
    session = saved(left, "one", "two")
    known = frozenset(session.messages)
    assert right.changes_since(session.id, known).result(20).messages == ()
    file = Attachment("a.txt", "text/plain", b"file")
    new = Message(Role.USER, "three", parent_id=session.leaf_id, attachments=(file,))
    left.save_message(session.id, new)
    left.rename(session.id, "renamed")
    assert left.latest().result(20)
    beside = right.changes_since(session.id, known).result(20)
    assert (beside.messages, beside.missing, beside.title) == ((new,), frozenset(), "renamed")
    left.delete_session(session.id)
    assert left.latest().result(20) is None
    beside = right.changes_since(session.id, known).result(20)
    assert (beside.messages, beside.missing, beside.title) == ((), known, "")


def test_reply_streaming_in_another_instance_is_not_interrupted(left: Store, right: Store) -> None:
    session = saved(left, "one")
    reply = session.add(Message(Role.ASSISTANT, "Half"))
    left.save_message(session.id, reply)
    left.append_delta(reply.id, " of it")
    assert left.latest().result(20)
    other = read(right, session)
    assert other.elsewhere == {reply.id}
    assert right.changes_since(session.id, frozenset(other.messages)).result(20).elsewhere == {reply.id}
    assert read(left, session).elsewhere == frozenset()
    left.close()
    assert read(right, session).elsewhere == frozenset()
    left.save_message(session.id, replace(reply, text="All of it", finish_reason=FinishReason.STOP))
    assert left.latest().result(20)
    assert read(right, session).elsewhere == frozenset()
    assert not right.changes_since(session.id, frozenset()).result(20).elsewhere


WRITES = """
import os, sys
from pathlib import Path
from streamtui.core.message import Message, Role
from streamtui.storage import Draft, Store
store = Store(Path(sys.argv[1]))
store.save_message("5e55", Message(Role.ASSISTANT, "Half"))
store.save_draft(Draft("not sent"))
store.latest().result()
print("ready", flush=True)
sys.stdin.read()
"""


def test_killed_instance_counts_as_ended(right: Store, path: Path) -> None:
    program = subprocess.Popen([sys.executable, "-c", WRITES, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert program.stdout
    assert program.stdout.readline() == b"ready\n"
    assert len(right.session("5e55").result(20).elsewhere) == 1
    assert right.claim_draft().result(20) is None
    program.kill()
    program.communicate()
    assert right.session("5e55").result(20).elsewhere == frozenset()
    assert right.claim_draft().result(20) == Draft("not sent")


def test_only_one_instance_claims_a_reply(left: Store, right: Store) -> None:
    session = saved(left, "one", "Half")
    mine = session.path()[-1]
    theirs = read(right, session).path()[-1]
    assert left.claim(mine).result(20)
    assert not right.claim(theirs).result(20)
    left.release(mine.id)
    assert left.latest().result(20)
    assert right.claim(theirs).result(20)
    theirs.text = "Half of it"
    right.save_message(session.id, theirs)
    assert right.latest().result(20)
    assert not left.claim(mine).result(20)
    assert left.claim(read(left, session).path()[-1]).result(20)
    assert left.claim(Message(Role.ASSISTANT, "never saved")).result(20)


def test_each_instance_has_its_own_draft(path: Path) -> None:
    files = (Attachment("a.txt", "text/plain", b"a" * 10_000), Attachment("b.txt", "text/plain", b"b"))
    with Store(path) as left, Store(path) as right:
        assert left.claim_draft().result(20) is None
        left.save_draft(Draft("left"))
        left.save_draft(Draft("left, later", files))
        right.save_draft(Draft("right", files[:1]))
        assert right.latest().result(20) is None
    for expected in (Draft("right", files[:1]), Draft("left, later", files), None):
        store = Store(path)
        assert store.claim_draft().result(20) == expected
        store.save_draft(Draft())
        assert store.close()


def test_each_session_has_its_own_draft(path: Path) -> None:
    file = Attachment("a.txt", "text/plain", b"a")
    first, second = Session(title="first"), Session(title="second")
    with Store(path) as store:
        for session in (first, second):
            session.add(Message(Role.USER, "hello"))
            store.save_whole(session)
        store.save_draft(Draft("of the new one"))
        store.save_draft(Draft("of the first", (file,)), first.id)
        store.save_draft(Draft("of the second"), second.id)
        assert store.claim_draft(first.id).result(20) == Draft("of the first", (file,))
    with Store(path) as store:
        store.delete_session(second.id)
        assert store.claim_draft(second.id).result(20) is None
        assert store.claim_draft(first.id).result(20) == Draft("of the first", (file,))
        assert store.claim_draft().result(20) == Draft("of the new one")


def test_draft_is_claimed_by_one_instance_only(path: Path) -> None:
    with Store(path) as store:
        store.save_draft(Draft("mine"))
    stores = [Store(path) for _ in range(4)]
    drafts = [draft.result(20) for draft in [store.claim_draft() for store in stores]]
    assert sorted(drafts, key=bool) == [None, None, None, Draft("mine")]
    for store in stores:
        store.close()
    with Store(path) as store:
        assert store.claim_draft().result(20) == Draft("mine")


def test_draft_files_are_kept_while_in_use(path: Path) -> None:
    import sqlite3
    from contextlib import closing

    def blobs() -> int:
        assert store.latest().result(20) is None or True
        with closing(sqlite3.connect(path)) as connection:
            return int(connection.execute("SELECT count(*) FROM blobs").fetchone()[0])

    file = Attachment("a.txt", "text/plain", b"a")
    with Store(path) as store:
        store.save_draft(Draft("text", (file,)))
        store.save_draft(Draft("other text", (file,)))
        assert blobs() == 1
        store.save_message("5e55", Message(Role.USER, "text", attachments=(file,)))
        store.save_draft(Draft())
        assert blobs() == 1
        store.save_draft(Draft("again", (file,)))
        store.delete_session("5e55")
        assert blobs() == 1
        store.save_draft(Draft("without"))
        assert blobs() == 0


def test_lock_file_is_private_and_removed_on_close(path: Path) -> None:
    folder = path.with_name("sessions.db-windows")
    before = os.umask(0)
    try:
        window, other = InstanceLock(path), InstanceLock(path)
        window.open()
        other.open()
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert window.is_other_running(other.id)
    assert not window.is_other_running(window.id)
    other.close()
    assert not window.is_other_running(other.id)
    window.close()
    assert not folder.exists()


@pytest.mark.parametrize("id", [None, "", "unknown", "../sessions.db", "..", "a/b"])
def test_unknown_id_is_not_running(path: Path, id: str | None) -> None:
    path.write_bytes(b"precious")
    window = InstanceLock(path)
    window.open()
    assert not window.is_other_running(id)
    assert path.read_bytes() == b"precious"
    window.close()


def test_lock_file_of_killed_instance_is_removed(path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from streamtui.storage.instance_lock import InstanceLock;"
        "window = InstanceLock(Path(sys.argv[1]));"
        f"window.open(); print(window.id, flush=True); os.kill(os.getpid(), {signal.SIGKILL:d})"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=False)
    left = path.with_name("sessions.db-windows") / done.stdout.strip()
    assert left.exists()
    window = InstanceLock(path)
    window.open()
    assert [file.name for file in left.parent.iterdir()] == [window.id]
    window.close()
