"""Checks find damage to the saved sessions; repairs fix it without overwriting the original."""

import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamtui import paths
from streamtui.core.message import Attachment, Message, Role
from streamtui.core.sanitize import clean_line
from streamtui.core.session import Session
from streamtui.storage import Store, StoreError, schema
from streamtui.storage.recovery.check import check

PAGE = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


def chat(chance: random.Random, length: int = 3000) -> Session:
    """Return a session of four messages, the first with a file; some are longer than a page."""
    session = Session()
    for n in range(4):
        files = () if n else (Attachment("a.bin", "image/png", chance.randbytes(chance.randrange(9000))),)
        text = f"message {n} " + "word " * chance.randrange(length)
        session.add(Message(Role.ASSISTANT if n % 2 else Role.USER, text, attachments=files))
    return session


def fill(path: Path, count: int = 12) -> list[Session]:
    chance = random.Random(1)
    sessions = [chat(chance) for _ in range(count)]
    with Store(path) as store:
        for session in sessions:
            store.save_session(session)
            for message in session.messages.values():
                store.save_message(session.id, message)
        store.remember("theme", "paper")
        store.set_favorite("here", "m-1", True)
    return sessions


def change(path: Path, *statements: str) -> None:
    """Modify the database as another program might."""
    with closing(sqlite3.connect(path)) as connection, connection:
        schema.register_functions(connection)
        for statement in statements:
            connection.execute(statement)


def overwrite(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def saved(path: Path) -> list[Session]:
    with Store(path) as store:
        found = store.sessions(1000).result(20)
        return [store.session(summary.id).result(20) for summary in found]


def files(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.parent.iterdir() if file.is_file()}


def test_missing_database_is_sound(path: Path) -> None:
    report = check(path, repair=True)
    assert (report.sound, report.findings, report.sessions) == (True, [], 0)
    assert not path.exists()


def test_check_of_sound_database_finds_and_changes_nothing(path: Path) -> None:
    sessions = fill(path)
    with Store(path) as store:
        store.append_delta(sessions[0].leaf_id or "", " and a piece")
        store.delete_session(sessions[1].id)
        store.save_session(sessions[2])
    before = files(path)
    for repair in (False, True):
        report = check(path, repair=repair)
        assert report.findings == []
        assert (report.sound, report.sessions, report.messages) == (True, 11, 44)
    assert files(path) == before


FIRST = "(SELECT min(seq) FROM messages)"
LOST = f"DELETE FROM messages WHERE seq = {FIRST}"
FAULTY = {
    "Missing schema objects: 1.": ["DROP TRIGGER message_indexed"],
    "Missing schema objects: 2.": ["DROP TABLE message_index", "DROP TABLE memory"],
    "Messages without a session: 4.": ["DELETE FROM sessions WHERE rowid = 2"],
    "Messages with a missing parent: 1.": [LOST],
    "Reply deltas without a message: 2.": [
        f"INSERT INTO pieces SELECT id, 7, 'lost and', '' FROM messages WHERE seq = {FIRST}",
        f"INSERT INTO pieces SELECT id, 8, ' found', '' FROM messages WHERE seq = {FIRST}",
        LOST,
    ],
    "Attachments without a message: 1.": [LOST],
    "Attachments without content: 1.": ["DELETE FROM blobs WHERE rowid = 2"],
    "Attachments with modified content: 1.": ["UPDATE blobs SET data = x'00' WHERE rowid = 2"],
    "Unused attachment contents: 1.": ["INSERT INTO blobs VALUES (x'00', x'00')"],
    "Messages with invalid values: 29.": [
        "UPDATE messages SET role = 'wizard' WHERE seq > 40",
        "UPDATE messages SET finish_reason = 'eaten' WHERE seq IN (35, 36)",
        "UPDATE messages SET usage = '[]' WHERE seq IN (31, 32, 33)",
        "UPDATE messages SET timing = '{' WHERE seq = 34",
        "UPDATE messages SET recap = '1' WHERE seq = 30",
        "UPDATE messages SET text = text || char(27) || ']0;title' WHERE seq <= 4",
        "UPDATE messages SET text = x'ff00ff' WHERE seq IN (5, 6, 7, 8, 9)",
        "UPDATE messages SET model = char(155) WHERE seq IN (10, 11)",
        "UPDATE messages SET created = 'yesterday' WHERE seq IN (12, 13, 14)",
    ],
    "Sessions with invalid values: 3.": [
        "UPDATE sessions SET parameters = '{\"heat\": 1}' WHERE rowid = 2",
        "UPDATE sessions SET parameters = '' WHERE rowid = 3",
        "UPDATE sessions SET title = char(27) || 'c' WHERE rowid = 4",
    ],
    "Cycles of messages: 12.": [
        "UPDATE messages SET parent_id = (SELECT id FROM messages m WHERE m.session_id = messages.session_id"
        " ORDER BY seq DESC LIMIT 1) WHERE parent_id IS NULL"
    ],
    "Cycles of messages: 1.": [f"UPDATE messages SET parent_id = id WHERE seq = {FIRST}"],
    "Sessions with a wrong message count: 12.": ["UPDATE sessions SET message_count = 99"],
    "Search index errors: 1.": ["INSERT INTO message_index(message_index) VALUES ('delete-all')"],
}


@pytest.mark.parametrize(("words", "statements"), FAULTY.items(), ids=FAULTY)
def test_damaged_rows_are_found_and_repaired(path: Path, words: str, statements: list[str]) -> None:
    fill(path)
    change(path, *statements)
    with closing(sqlite3.connect(path)) as connection:
        (spoilt,) = connection.execute("SELECT count(*) FROM messages").fetchone()
    found = check(path)
    assert words in [finding.problem for finding in found.findings]
    assert not any(finding.remedy for finding in found.findings)
    assert not found.sound
    done = check(path, repair=True)
    assert done.sound, done
    assert words in [finding.problem for finding in done.findings]
    assert check(path).findings == []
    sessions = saved(path)
    assert sum(len(session.messages) for session in sessions) >= spoilt
    assert all(message.text for session in sessions for message in session.path())
    backup = path.with_name("sessions.db.unrepaired.bak")
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert check(backup).findings == found.findings


def test_deltas_without_message_are_collected_in_a_session(path: Path) -> None:
    fill(path)
    change(path, *FAULTY["Reply deltas without a message: 2."])
    check(path, repair=True)
    assert [m.text for m in saved(path)[-1].path()] == ["lost and found"]


@pytest.mark.parametrize("stored", ["char(27) || substr(id, 2)", "CAST(x'ff4142' AS TEXT)", "x'ff4142'"])
def test_session_with_damaged_id_is_found_by_the_listed_id_and_repaired(path: Path, stored: str) -> None:
    session, *_ = fill(path, 2)
    change(
        path,
        f"UPDATE messages SET session_id = (SELECT {stored} FROM sessions WHERE id = '{session.id}')"
        f" WHERE session_id = '{session.id}'",
        f"UPDATE sessions SET id = {stored} WHERE id = '{session.id}'",
    )
    with Store(path) as store:
        listed = [clean_line(summary.id) for summary in store.sessions().result(20)]
        for id_ in listed:
            try:
                assert len(store.session(id_).result(20).path()) == 4
            except StoreError as error:
                assert "streamtui sessions check --repair" in str(error)  # noqa: PT017 - either outcome is right
    assert "Invalid session IDs: 1." in [finding.problem for finding in check(path).findings]
    assert check(path, repair=True).sound
    assert check(path).findings == []
    with Store(path) as store:
        ids = [summary.id for summary in store.sessions().result(20)]
        assert all(clean_line(id_) == id_ for id_ in ids)
        texts = {tuple(message.text for message in store.session(id_).result(20).path()) for id_ in ids}
    assert tuple(message.text for message in session.path()) in texts


PLACES = {
    "the head": (0, 100),
    "the first page": (0, PAGE),
    "the roots of all tables": (2 * PAGE, 8 * PAGE),
    "the middle": (None, 2 * PAGE),
    "the end": (-3 * PAGE, 3 * PAGE),
}


@pytest.mark.parametrize(("at", "length"), PLACES.values(), ids=PLACES)
def test_damaged_file_is_recovered_into_a_new_one(path: Path, at: int | None, length: int) -> None:
    sessions = {session.id: session for session in fill(path, 30)}
    size = path.stat().st_size
    at = size // 2 if at is None else at % size
    overwrite(path, at, random.Random(7).randbytes(length))
    before = path.read_bytes()
    assert [finding.problem[:24] for finding in check(path).findings] == ["The database is damaged "]
    assert path.read_bytes() == before
    report = check(path, repair=True)
    assert report.sound, report
    assert path.with_name("sessions.db.damaged").read_bytes() == before
    assert check(path).findings == []
    back = saved(path)
    whole = sum(session == sessions.get(session.id) for session in back)
    if at < 3 * PAGE:  # the roots only lead to the rows
        assert whole == len(sessions)
    assert whole > len(sessions) // 2
    for session in back:
        for message in session.messages.values():
            original = sessions[session.id].messages[message.id].text if session.id in sessions else ""
            assert message.text == original or "\ufffd" in message.text


def test_message_with_lost_pages_is_recovered_up_to_the_loss(path: Path) -> None:
    session = Session()
    with Store(path) as store:
        store.save_session(session)
        store.save_message(session.id, session.add(Message(Role.USER, "begin " + "word " * 4 * PAGE, model="m-1")))
    at = path.read_bytes().rindex(b"word " * 800) // PAGE * PAGE
    overwrite(path, at, b"\xff" * PAGE)  # with the number of the page that goes on
    assert check(path, repair=True).sound
    (text,) = [message.text for message in saved(path)[0].path()]
    assert text.startswith("begin word word ")
    assert text[:-1] in "begin " + "word " * 4 * PAGE
    assert text.endswith("\ufffd")
    assert len(text) > 2 * PAGE


def test_recovery_does_not_restore_deleted_sessions(path: Path) -> None:
    kept, *deleted = fill(path)
    with Store(path) as store:
        for session in deleted:
            store.delete_session(session.id)
    overwrite(path, 12 * PAGE, bytes(PAGE))
    check(path, repair=True)
    assert {session.id for session in saved(path)} <= {kept.id}


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.floats(0, 0.999), st.binary(min_size=1, max_size=3 * PAGE)), min_size=1, max_size=4),
    st.floats(0, 1),
)
def test_random_damage_is_reported_and_kept(
    tmp_path_factory: pytest.TempPathFactory, damage: list[tuple[float, bytes]], kept: float
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "sessions.db"
    fill(path, 4)
    size = path.stat().st_size
    for place, data in damage:
        overwrite(path, int(place * size), data)
    if kept < 0.5:
        os.truncate(path, int(size * kept * 2))
    before = path.read_bytes()
    assert not before or check(path).path == path
    assert path.read_bytes() == before or not before
    report = check(path, repair=True)
    if report.sound:
        assert check(path).findings == []
        assert all(session.path() for session in saved(path))
    if any("damaged" in finding.problem for finding in report.findings):
        assert before in files(path).values()


HOLDS = """
import sys
from pathlib import Path
from streamtui.storage import Store
with Store(Path(sys.argv[1])) as store:
    store.remember("key", "value")
    print(store.recall("key").result(), flush=True)
    sys.stdin.read()
"""


def test_damaged_file_in_use_is_not_replaced(path: Path) -> None:
    fill(path)
    program = subprocess.Popen([sys.executable, "-c", HOLDS, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert program.stdout
    assert program.stdout.readline() == b"value\n"
    overwrite(path, path.stat().st_size // 2, bytes(4 * PAGE))
    before = path.read_bytes()
    report = check(path, repair=True)
    assert "Another program is using it: close that program, then repair again." in report.findings[0].problem
    assert path.read_bytes() == before
    program.communicate(b"")
    assert check(path, repair=True).sound


def test_recovery_includes_the_log_of_a_killed_program(path: Path) -> None:
    fill(path)
    code = HOLDS.replace("sys.stdin.read()", f"import os; os.kill(os.getpid(), {signal.SIGKILL:d})")
    subprocess.run([sys.executable, "-c", code, path], check=False, stdout=subprocess.DEVNULL)
    assert path.with_name("sessions.db-wal").stat().st_size
    overwrite(path, 4 * PAGE, bytes(PAGE))  # the root of the table of messages
    assert check(path, repair=True).sound
    assert path.with_name("sessions.db.damaged-wal").exists()
    with Store(path) as store:
        assert store.recall("key").result(10) == "value"


def make_text(path: Path) -> None:
    path.write_text("Dear diary, this is no database. " * 1000)


def make_folder(path: Path) -> None:
    path.mkdir()


def make_newer(path: Path) -> None:
    fill(path, 1)
    change(path, "PRAGMA user_version = 1000")


def make_other(path: Path) -> None:
    change(path, "CREATE TABLE accounts (amount)")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (make_text, "file is not a database). Nothing could be recovered, so the file was left unchanged."),
        (make_folder, "is a folder; move or rename it."),
        (make_newer, "was written by a newer version; upgrade streamtui."),
        (make_other, "belongs to another program; move or rename it."),
    ],
)
def test_foreign_file_is_unchanged(path: Path, make: Callable[[Path], None], words: str) -> None:
    make(path)
    before = files(path), path.stat().st_mode
    report = check(path, repair=True)
    assert words in report.failure or words in report.findings[0].problem
    assert not report.sound
    assert (files(path), path.stat().st_mode) == before


def test_repair_restricts_permissions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = paths.database()
    fill(path, 1)
    path.chmod(0o644)
    path.parent.chmod(0o755)
    report = check(path)
    assert [finding.problem for finding in report.findings] == [
        f"Other users of this computer can access {file}." for file in (path, path.parent)
    ]
    assert check(path, repair=True).sound
    assert modes(path) == [0o600, 0o700]


def test_opening_restricts_permissions(tmp_path: Path) -> None:
    path, elsewhere = paths.database(), tmp_path / "shared" / "sessions.db"
    for database in (path, elsewhere):
        fill(database, 1)
        database.chmod(0o644)
        database.parent.chmod(0o755)
        with Store(database) as store:
            assert store.latest().result(20)
    assert modes(path) == [0o600, 0o700]
    assert modes(elsewhere) == [0o600, 0o755]


def modes(path: Path) -> list[int]:
    return [stat.S_IMODE(file.stat().st_mode) for file in (path, path.parent)]


NO_ROOM = """
import resource, sys
from pathlib import Path
from streamtui.storage.recovery.check import check
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), -1))
report = check(Path(sys.argv[1]), repair=True)
print(report.sound, report.failure)
"""


@pytest.mark.parametrize("damaged", [True, False])
def test_repair_on_full_disk_changes_nothing(path: Path, damaged: bool) -> None:
    fill(path)
    if damaged:
        overwrite(path, path.stat().st_size // 2, bytes(2 * PAGE))
    else:
        change(path, "UPDATE sessions SET message_count = 99")
    before = path.read_bytes()
    size = str(path.stat().st_size // 2)
    done = subprocess.run([sys.executable, "-c", NO_ROOM, path, size], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("False Can't repair the saved sessions: ")
    assert path.read_bytes() == before
    assert {name for name in files(path) if not name.endswith(("-wal", "-shm"))} == {"sessions.db"}
    assert check(path, repair=True).sound
