"""Import from databases of Elia, oterm and LLM with their real schemas."""

import base64
import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from streamtui.core.message import FinishReason, Role, Usage
from streamtui.core.sanitize import clean
from streamtui.core.session import Session
from streamtui.core.transfer_error import TransferError
from streamtui.importers.detection import open_source
from streamtui.importers.import_report import Kind, ParsedSession, UnreadableEntry
from streamtui.storage import Store
from tests.importers.test_streamtui_json import sound
from tests.support.samples import database

PNG = b"\x89PNG\r\n\x1a\n"


def read(path: Path, kind: Kind | None = None) -> list[ParsedSession]:
    """Return the sessions in a database, all of which must be readable."""
    with open_source(path, kind) as source:
        found = list(source)
        assert source.progress == 1
    assert not [entry for entry in found if isinstance(entry, UnreadableEntry)]
    return [entry for entry in found if isinstance(entry, ParsedSession)]


def said(session: Session) -> list[tuple[str, str]]:
    return [(message.role.value, message.text) for message in session.path()]


def elia(path: Path, **more: Any) -> Path:
    messages = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi \x1b[2J"},
        {"role": "user", "content": "Bye"},
    ]
    chats = [
        {"id": 1, "model": "gpt-4o", "title": "First", "started_at": "2024-05-01 12:00:00.250000", "archived": 0},
        {"id": 2, "model": "gpt-4o", "title": None, "started_at": None, "archived": 1},
    ]
    rows = [
        {"id": n, "chat_id": 1, "timestamp": f"2024-05-01 12:00:0{n}", "model": "gpt-4o", "meta": "{}", **message}
        for n, message in enumerate(messages, 1)
    ]
    rows.append({"id": 9, "chat_id": 2, "role": "user", "content": "Alone", "timestamp": None, "model": None})
    return database(path, "elia", {"chat": chats, "message": more.get("message", rows)})


def test_elia(tmp_path: Path) -> None:
    first, second = (found.session for found in read(elia(tmp_path / "elia.sqlite")))
    assert (first.title, first.model, first.endpoint, first.system) == ("First", "gpt-4o", "elia", "Be kind.")
    assert said(first) == [("user", "Hello"), ("assistant", "Hi ␛[2J"), ("user", "Bye")]
    assert first.created == 1_714_564_800.25
    assert [message.created - first.created for message in first.path()] == [1.75, 2.75, 3.75]
    assert first.path()[1].finish_reason is FinishReason.STOP
    assert (second.title, second.archived, second.created) == ("Alone", True, 0.0)


def test_elia_with_branches(tmp_path: Path) -> None:
    rows = [
        {"id": 1, "chat_id": 1, "role": "user", "content": "Q"},
        {"id": 2, "chat_id": 1, "role": "assistant", "content": "A", "parent_id": 1},
        {"id": 3, "chat_id": 1, "role": "assistant", "content": "B", "parent_id": 1},
        {"id": 4, "chat_id": 1, "role": "tool", "content": "?"},
    ]
    found = read(elia(tmp_path / "elia.sqlite", message=rows))[0]
    assert list(found.session.variants().values()) == [(1, 2), (2, 2)]
    assert found.lost == 1


def oterm(path: Path, author: str = "user") -> Path:
    chats = [
        {"id": 1, "name": "chat #1", "model": "llama3.2", "system": "Be kind.", "provider": "ollama",
         "parameters": json.dumps({"temperature": 0.5, "num_predict": 100, "top_k": 3, "seed": "no"})},
        {"id": 2, "name": "chat #2", "model": "gpt-5", "provider": "openai-chat"},
    ]  # fmt: skip
    pictures = json.dumps([base64.b64encode(PNG).decode(), "?"])
    messages = [
        {"chat_id": 1, "author": author, "text": "Look [Image #1]", "images": pictures},
        {"chat_id": 1, "author": "assistant", "text": "Nice."},
        {"chat_id": 2, "author": "user", "text": "Second", "images": "no json"},
    ]
    return database(path, "oterm", {"chat": chats, "message": messages})


def test_oterm(tmp_path: Path) -> None:
    path = oterm(tmp_path / "store.db")
    os.utime(path, (2_000_000.0, 2_000_000.0))
    first, second = read(path)
    session = first.session
    assert (session.title, session.model, session.endpoint, session.system) == (
        "chat #1",
        "llama3.2",
        "ollama",
        "Be kind.",
    )
    assert session.parameters.as_dict() == {"temperature": 0.5, "max_tokens": 100}
    assert said(session) == [("user", "Look [Image #1]"), ("assistant", "Nice.")]
    attachment = session.path()[0].attachments[0]
    assert (attachment.name, attachment.media_type, attachment.data) == ("image-1.png", "image/png", PNG)
    assert first.lost == 1
    assert session.created < second.session.created == 2_000_000.0
    assert second.session.endpoint == "openai-chat"


def test_old_oterm(tmp_path: Path) -> None:
    path = oterm(tmp_path / "store.db", author="me")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE message SET author = 'ollama' WHERE author = 'assistant'")
        for column in ("provider", "parameters"):
            connection.execute(f"ALTER TABLE chat DROP COLUMN {column}")
        connection.execute("ALTER TABLE message DROP COLUMN images")
    session = read(path)[0].session
    assert said(session) == [("user", "Look [Image #1]"), ("assistant", "Nice.")]
    assert session.endpoint == "ollama"


def llm_responses(path: Path) -> Path:
    usual = {"conversation_id": "01a", "model": "m"}
    return database(
        path,
        "llm_responses",
        {
            "conversations": [{"id": "01a", "name": "First", "model": "gpt-4o"}],
            "responses": [
                {**usual, "id": "r1", "prompt": "Hello", "system": "Be kind.", "response": "Hi", "duration_ms": 1500,
                 "datetime_utc": "2025-01-01T10:00:00.5", "input_tokens": 10, "output_tokens": 5,
                 "token_details": '{"completion_tokens_details": {"reasoning_tokens": 3}}'},
                {**usual, "id": "r2", "prompt": "What time?", "response": "", "datetime_utc": "2025-01-01T10:01:00"},
                {**usual, "id": "r3", "prompt": "", "response": "Noon.", "datetime_utc": "2025-01-01T10:01:01"},
            ],
            "attachments": [
                {"id": "x" * 9, "type": "image/png", "content": PNG},
                {"id": "y" * 9, "type": "image/png", "path": "/etc/passwd"},
            ],
            "prompt_attachments": [
                {"response_id": "r1", "attachment_id": "y" * 9, "order": 1},
                {"response_id": "r1", "attachment_id": "x" * 9, "order": 0},
            ],
            "fragments": [{"id": 1, "content": "A long text"}],
            "prompt_fragments": [{"response_id": "r1", "fragment_id": 1, "order": 0}],
            "tool_calls": [{"response_id": "r2", "name": "clock", "arguments": '{"zone": "UTC"}'}],
            "tool_results": [{"response_id": "r3", "name": "clock", "output": "12:00"}],
        },
    )  # fmt: skip


def test_llm_responses(tmp_path: Path) -> None:
    session = read(llm_responses(tmp_path / "logs.db"))[0].session
    assert (session.title, session.model, session.endpoint, session.system) == ("First", "gpt-4o", "llm", "Be kind.")
    assert said(session) == [
        ("user", "A long text\nHello\n📎 /etc/passwd"),
        ("assistant", "Hi"),
        ("user", "What time?"),
        ("assistant", "Noon."),
    ]
    prompt, reply, _, last = session.path()
    assert [(file.name, file.data) for file in prompt.attachments] == [("attachment.png", PNG)]
    assert (reply.usage, reply.timing and reply.timing.total) == (Usage(10, 5, 3, 0), 1.5)
    assert last.reasoning == '**clock**\n\n```json\n{"zone": "UTC"}\n```\n\n**clock** result\n\n```\n12:00\n```'
    assert session.created == 1_735_725_600.5


def test_llm_logs(tmp_path: Path) -> None:
    rows = [
        {"id": 1, "model": "m", "prompt": "Q", "system": "S", "response": "A", "datetime_utc": "2023-06-01 10:00:00"},
        {"id": 2, "model": "m", "prompt": "R", "response": "B", "chat_id": 1, "datetime_utc": "2023-06-01 10:01:00"},
        {"id": 3, "model": "m", "prompt": "T", "response": "C", "datetime_utc": "2023-06-02 10:01:00"},
    ]
    first, second = (found.session for found in read(database(tmp_path / "logs.db", "llm_logs", {"logs": rows})))
    assert said(first) == [("user", "Q"), ("assistant", "A"), ("user", "R"), ("assistant", "B")]
    assert (first.title, first.system) == ("Q", "S")
    assert said(second) == [("user", "T"), ("assistant", "C")]


def llm_threads(path: Path) -> Path:
    def part(message: str, position: int, type_: str, text: str | None = None, **payload: Any) -> dict[str, Any]:
        name = payload.pop("tool_name", None)
        return {
            "message_hash": message, "position": position, "type": type_, "text": text, "tool_name": name,
            "payload": json.dumps(payload) if payload else None,
        }  # fmt: skip

    roles = {
        "s": "system",
        "u1": "user",
        "a1": "assistant",
        "t1": "tool",
        "a2": "assistant",
        "u3": "user",
        "a3": "assistant",
    }
    parents = {"s": None, "u1": "s", "a1": "u1", "t1": "a1", "a2": "t1", "u3": "u1", "a3": "u3"}
    turn = {"model": "m", "resolved_model": "m-1"}
    return database(
        path,
        "llm_threads",
        {
            "messages": [{"hash": h, "parent_hash": parents[h], "role": role} for h, role in roles.items()],
            "fragments": [{"id": 7, "content": "LONG"}],
            "attachments": [{"id": "x", "type": "image/png", "content": PNG}],
            "parts": [
                part("s", 0, "text", "Be kind."),
                part("u1", 0, "text", text_ref=[{"fragment": 7}, {"literal": " what time?"}]),
                part("u1", 1, "attachment", attachment={"id": "x"}),
                part("a1", 0, "reasoning", "I ask the clock."),
                part("a1", 1, "tool_call", tool_name="clock", name="clock", arguments={"zone": "UTC"}),
                part("t1", 0, "tool_result", tool_name="clock", name="clock", output="12:00"),
                part("a2", 0, "text", "Noon."),
                part("u3", 0, "text", "Never mind."),
                part("a3", 0, "text", "Fine."),
            ],
            "threads": [
                {"id": "01a", "name": "First", "tip_message_hash": "a2", "datetime_utc": "2026-01-01 10:00:00+00:00"},
                {"id": "01b", "name": "Fork", "tip_message_hash": "a3", "datetime_utc": "2026-01-02 10:00:00+00:00"},
            ],
            "conversations": [{"id": "01a", "name": "moved to a thread", "model": "m"}],
            "turns": [
                {**turn, "id": "t0", "thread_id": "01a", "parent_message_hash": "u1", "tip_message_hash": "a1",
                 "datetime_utc": "2026-01-01T10:00:00+00:00"},
                {**turn, "id": "t1", "thread_id": "01a", "parent_message_hash": "t1", "tip_message_hash": "a2",
                 "datetime_utc": "2026-01-01T10:00:05+00:00", "input_tokens": 7, "output_tokens": 2,
                 "duration_ms": 900},
            ],
        },
    )  # fmt: skip


def test_llm_threads(tmp_path: Path) -> None:
    first, fork = (found.session for found in read(llm_threads(tmp_path / "logs.db")))
    assert (first.title, first.system, first.model) == ("First", "Be kind.", "m")
    assert said(first) == [("user", "LONG what time?"), ("assistant", "Noon.")]
    prompt, reply = first.path()
    assert [file.data for file in prompt.attachments] == [PNG]
    assert reply.reasoning == (
        'I ask the clock.\n\n**clock**\n\n```json\n{"zone": "UTC"}\n```\n\n**clock** result\n\n```\n12:00\n```'
    )
    assert (reply.model, reply.usage, reply.created - prompt.created) == ("m-1", Usage(7, 2), 5.0)
    assert said(fork) == [("user", "LONG what time?"), ("user", "Never mind."), ("assistant", "Fine.")]
    assert fork.path()[0].created == fork.created == 1_767_348_000.0
    assert not first.messages.keys() & fork.messages.keys()


MAKERS = {Kind.ELIA: elia, Kind.OTERM: oterm, Kind.LLM: llm_threads}


@pytest.mark.parametrize("kind", MAKERS)
def test_import_is_repeatable_and_changes_nothing(kind: Kind, tmp_path: Path) -> None:
    path = MAKERS[kind](tmp_path / "a.db")
    before = path.read_bytes()
    assert read(path) == read(path, kind)
    assert (path.read_bytes(), [file.name for file in tmp_path.iterdir() if file.is_file()]) == (before, ["a.db"])


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("value", [None, 7, -1.5, "\x1b]52;c;x\x07", b"\xff\xfe", "9" * 400])
def test_wrong_types_in_any_column_are_harmless(kind: Kind, value: object, tmp_path: Path) -> None:
    path = MAKERS[kind](tmp_path / "a.db")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;")
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for _, column, type_, needed, _, key in connection.execute(f"PRAGMA table_info({table})").fetchall():
                if not (needed or key or column.endswith(("_id", "hash")) or table.startswith("sqlite_")) and type_:
                    connection.execute(f'UPDATE {table} SET "{column}" = ?', (value,))
    with open_source(path) as source:
        for entry in source:
            if isinstance(entry, ParsedSession):
                sound(entry.session)
            else:
                assert clean(entry.problem) == entry.problem


def test_damaged_page_affects_only_some_chats(tmp_path: Path) -> None:
    rows = [{"id": n, "chat_id": 1 + n % 2, "role": "user", "content": "word " * 2000} for n in range(1, 60)]
    path = elia(tmp_path / "elia.sqlite", message=rows)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 20_000] = b"\xa5" * 20_000
    path.write_bytes(data)
    with open_source(path) as source:
        broken = [entry for entry in source if isinstance(entry, UnreadableEntry)]
    assert broken
    assert all("can't read the database" in entry.problem for entry in broken)


def test_streamtui_database_is_refused(tmp_path: Path) -> None:
    with Store(tmp_path / "sessions.db") as store:
        store.sessions().result()
    with pytest.raises(TransferError, match="is a streamtui database"), open_source(tmp_path / "sessions.db"):
        pass


def test_unknown_database_is_refused(tmp_path: Path) -> None:
    path = database(tmp_path / "x.db", "llm_logs", {})
    with pytest.raises(TransferError, match="is not a database of elia"), open_source(path, Kind.ELIA):
        pass
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE logs")
    with pytest.raises(TransferError, match="is not a database of"), open_source(path):
        pass


def test_view_is_not_a_table(tmp_path: Path) -> None:
    """A view could run forever."""
    path = tmp_path / "x.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        endless = "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) SELECT id, id AS started_at FROM n"
        connection.execute(f"CREATE VIEW chat AS {endless}")
        connection.execute("CREATE TABLE message (id, chat_id, role, content)")
    with pytest.raises(TransferError, match="is not a database of"), open_source(path):
        pass


def test_write_ahead_log_is_read_and_none_is_left_behind(tmp_path: Path) -> None:
    path = elia(tmp_path / "elia.sqlite")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("UPDATE chat SET title = 'in the log' WHERE id = 1")
        connection.commit()
        assert read(path)[0].session.title == "in the log"  # while the program runs
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["elia.sqlite"]
    assert read(path)[0].session.title == "in the log"
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["elia.sqlite"]


def test_roles_are_kept(tmp_path: Path) -> None:
    assert {message.role for message in read(elia(tmp_path / "e"))[0].session.path()} == {Role.USER, Role.ASSISTANT}
