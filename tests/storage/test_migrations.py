"""Databases of every earlier version are migrated without losses, and a backup is kept."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from streamtui.core.message import Attachment, FinishReason, Message, Role, Timing, Usage
from streamtui.core.parameters import Parameters
from streamtui.core.session import Session, SessionFilter
from streamtui.storage import Draft, Store, schema
from streamtui.storage.recovery.check import check

FIRST = Session(
    "a000000000000001", "Tell me of Quetzalcoatl", "openai", "gpt", "Be brief.", 1.5, 3.5, "b000000000000003",
    parameters=Parameters(temperature=0.5), pinned=True,
    messages={
        "b000000000000001": Message(
            Role.USER, "Tell me of Quetzalcoatl", "b000000000000001", created=1.5,
            attachments=(Attachment("hello.txt", "text/plain", b"hello"),),
        ),
        "b000000000000002": Message(
            Role.ASSISTANT, "A feathered serpent", "b000000000000002", "b000000000000001", 2.5, "Hmm", "openai", "gpt"
        ),
        "b000000000000003": Message(
            Role.ASSISTANT, "A god.", "b000000000000003", "b000000000000001", 3.5, "", "openai", "gpt",
            FinishReason.STOP, usage=Usage(5, 2, 0, 1), timing=Timing(0.25, 0.25, 0.5),
        ),
    },
)  # fmt: skip
SECOND = Session(
    "a000000000000002", "羽毛のある蛇", "ollama", "qwen", created=10, updated=11, leaf_id="b000000000000004",
    messages={"b000000000000004": Message(Role.USER, "羽毛のある蛇", "b000000000000004", created=10)},
)  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a database of version 1, as left by a killed program."""
    path = tmp_path / "sessions.db"
    schema.create(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(Path(__file__).with_name("version_1.sql").read_text(encoding="utf-8"))
    return path


def sessions(store: Store) -> list[Session]:
    return [store.session(summary.id).result(20) for summary in store.sessions().result(20)]


def test_version_1_is_migrated_with_all_data(path: Path) -> None:
    with Store(path) as store:
        assert sessions(store) == [FIRST, SECOND]
        store.remember("any", "write")
        assert store.recall("theme").result(20) == "paper"
        assert store.recall("draft").result(20) is None
        assert store.claim_draft().result(20) == Draft("not sent")
        assert [(model.name, model.favorite) for model in store.models("openai").result(20)] == [("gpt", True)]
        for words in ("quetzal", "serpent", "毛の"):
            assert len(store.search(words).result(20)) == 1, words
    assert check(path).findings == []


def test_backup_is_unchanged(path: Path) -> None:
    with Store(path) as store:
        store.remember("any", "write")
        assert store.recall("any").result(20) == "write"
    copy = path.with_name("sessions.db.v1.bak")
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert connection.execute("SELECT value FROM memory WHERE key = 'draft'").fetchone() == ("not sent",)
        assert connection.execute("SELECT count(*) FROM pieces").fetchone() == (2,)


def test_check_leaves_version_1_unchanged_and_repair_migrates_it(path: Path) -> None:
    before = path.read_bytes()
    assert check(path).messages == 4
    assert path.read_bytes() == before
    assert check(path, repair=True).findings == []
    with Store(path) as store:
        assert sessions(store) == [FIRST, SECOND]


def test_damaged_version_1_is_recovered_and_migrated(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 100)  # the root of the table of sessions
    report = check(path, repair=True)
    assert report.sound, report
    assert check(path).findings == []
    with Store(path) as store:
        back = {session.title: [m.text for m in session.path()] for session in sessions(store)}
        assert [m.text for m in store.session(SECOND.id).result(20).path()] == ["羽毛のある蛇"]
    assert sorted(back) == ["Tell me of Quetzalcoatl", "羽毛のある蛇"]


def test_sessions_of_version_5_have_no_address_until_saved(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    schema.create(path)
    with closing(sqlite3.connect(path)) as connection:
        schema.register_functions(connection)
        for statement in (statement for step in schema.MIGRATIONS[:5] for statement in step):
            connection.execute(statement)
        connection.execute("INSERT INTO sessions (id, created, updated, endpoint) VALUES ('a', 1, 1, 'work')")
        connection.execute("PRAGMA user_version = 5")
        connection.commit()
    with Store(path) as store:
        session = store.session("a").result(20)
        assert (session.endpoint, session.address) == ("work", "")
        session.address = "https://work.example/v1"
        store.save_session(session)
        assert store.session("a").result(20).address == "https://work.example/v1"
    with closing(sqlite3.connect(path.with_name("sessions.db.v5.bak"))) as connection:
        assert "address" not in [column[1] for column in connection.execute("PRAGMA table_info(sessions)")]
    assert check(path).findings == []


def test_concurrent_stores_migrate_once(path: Path) -> None:
    stores = [Store(path) for _ in range(4)]
    found = [store.session(FIRST.id) for store in stores]
    assert [session.result(30) for session in found] == [FIRST] * 4
    for store in stores:
        store.close()
    assert [file.name for file in path.parent.glob("*.bak")] == ["sessions.db.v1.bak"]


def test_texts_and_titles_of_version_5_are_reindexed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.unlink()
    monkeypatch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:5])
    session = Session(title="ΌΝΕΙΡΟ")
    with Store(path) as store:
        assert store.latest().result(20) is None
    with closing(sqlite3.connect(path)) as connection, connection:
        schema.register_functions(connection)
        row = (session.id, session.title, 1.0, 1.0)
        connection.execute("INSERT INTO sessions (id, title, created, updated) VALUES (?, ?, ?, ?)", row)
        message = ("m1", session.id, "user", "ёлка in C++, ข้าวผัด, 東京都", "", "", "", 1.0, "")
        columns = "id, session_id, role, text, reasoning, endpoint, model, created, error"
        connection.execute(f"INSERT INTO messages ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", message)
        connection.execute("UPDATE messages SET error = CAST(x'ff' AS TEXT)")
        connection.execute("DROP TRIGGER message_respaced")  # can't be called with what is no UTF-8
        connection.execute("UPDATE messages SET text = CAST(CAST(text AS BLOB) || x'ff' AS TEXT)")
    monkeypatch.undo()
    with Store(path) as store:
        for words in ("елка", "c++", "ผัด", "京都"):
            assert [hit.session_id for hit in store.search(words).result(20)] == [session.id], words
        assert [found.id for found in store.sessions(where=SessionFilter(words="ονειρο")).result(20)] == [session.id]
    assert path.with_name("sessions.db.v5.bak").exists()
    assert check(path, repair=True).sound
    assert check(path).findings == []


def test_schema_documentation_names_every_object_and_column(path: Path) -> None:
    with Store(path) as store:
        assert store.latest().result(20)
    documentation = Path(schema.__file__).with_name("SCHEMA.md").read_text(encoding="utf-8")
    assert f"schema version {len(schema.MIGRATIONS)}." in documentation
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT type, name FROM sqlite_master WHERE name NOT GLOB ? AND name NOT GLOB ?"
        objects = connection.execute(query, ("sqlite_*", "message_index_*")).fetchall()
        names = {name for _, name in objects}
        for kind, name in objects:
            if kind == "table" and name != "message_index":
                names |= {column[1] for column in connection.execute(f"PRAGMA table_info({name})")}
    missing = {name for name in names if not re.search(rf"\b{name}\b", documentation)}
    assert missing == set()
