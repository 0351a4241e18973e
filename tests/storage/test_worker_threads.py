"""The store's threads survive every error and resolve every future; canceled queries are dropped."""

import logging
import sqlite3
import threading
from concurrent.futures import Future
from pathlib import Path
from queue import Queue

import pytest

from streamtui.storage import Store, StoreError, open_database, worker_threads
from streamtui.storage.worker_threads import Reader, Writer

FOREVER = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"


def test_canceling_interrupts_a_query(tmp_path: Path) -> None:
    started = threading.Event()

    def count_forever(connection: sqlite3.Connection) -> None:
        connection.set_progress_handler(started.set, 1000)
        connection.execute(FOREVER).fetchone()

    writer = Writer(tmp_path / "sessions.db", lambda _: None)
    reader = Reader(tmp_path / "sessions.db", writer)
    running = reader.ask(count_forever)
    waiting = reader.ask(count_forever)
    assert started.wait(10)
    assert waiting.cancel()
    assert running.cancel()
    assert reader.ask(lambda connection: connection.execute("SELECT 7").fetchone()[0]).result(10) == 7
    reader.close(10)


def test_too_large_value_does_not_block_the_queue(tmp_path: Path) -> None:
    def too_large(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO memory VALUES ('key', zeroblob(2000000000))")

    news: list[str] = []
    writer = Writer(tmp_path / "sessions.db", news.append)
    reader = Reader(tmp_path / "sessions.db", writer)
    for operation in (
        lambda connection: connection.execute("INSERT INTO memory VALUES ('before', '1')"),
        too_large,
        lambda connection: connection.execute("INSERT INTO memory VALUES ('after', '2')"),
    ):
        writer.add(operation)
    keys = reader.ask(lambda connection: connection.execute("SELECT key FROM memory ORDER BY key").fetchall())
    assert keys.result(10) == [("after",), ("before",)]
    assert writer.close(10)
    assert news[0].startswith("A change couldn't be saved (")
    reader.close(10)


def note(connection: sqlite3.Connection, key: str) -> None:
    connection.execute("INSERT INTO memory VALUES (?, 'noted')", (key,))


def test_unexpected_write_error_is_rolled_back_alone_and_reported(tmp_path: Path) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        note(connection, "half done")
        raise KeyError("surprise")

    errors: Queue[tuple[str, Exception]] = Queue()
    news: Queue[str] = Queue()
    with Store(tmp_path / "sessions.db", news.put, on_error=lambda *error: errors.put(error)) as store:
        result: Future[None] = Future()
        store.remember("before", "noted")
        store._writer.add(fail, result=result)
        store.remember("after", "noted")
        with pytest.raises(StoreError, match=r"couldn't be saved \(unexpected error, KeyError: 'surprise'\)"):
            result.result(10)
        saved = [store.recall(key).result(10) for key in ("before", "half done", "after")]
        assert saved == ["noted", None, "noted"]
        doing, error = errors.get(timeout=10)
        assert (doing, repr(error)) == ("saving a change", "KeyError('surprise')")
        assert news.get(timeout=10) == store.permanent_error != ""
        store.remember("later", "noted")
        assert store.recall("later").result(10) == "noted"
        assert store.save_error == ""
        assert not store.close()
    assert news.empty()


def test_unexpected_read_error_is_raised_and_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        raise AttributeError("surprise")

    with Store(tmp_path / "sessions.db") as store, caplog.at_level(logging.ERROR, "streamtui"):
        with pytest.raises(StoreError, match="saved sessions: unexpected error, AttributeError: surprise"):
            store._reader.ask(fail).result(10)
        assert store.sessions().result(10) == []
    assert "Unexpected error while reading saved sessions" in caplog.text
    assert "AttributeError: surprise" in caplog.text


def test_unexpected_errors_in_connect_or_listener_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_threads, "RETRY", 0.05)
    fails, opening = [RuntimeError("surprise")], open_database.connect

    def connect(path: Path) -> sqlite3.Connection:
        if fails:
            raise fails.pop()
        return opening(path)

    told: Queue[str] = Queue()

    def listen(news: str) -> None:
        told.put(news)
        raise KeyError("listener")

    monkeypatch.setattr(worker_threads, "connect", connect)
    errors: Queue[str] = Queue()
    store = Store(tmp_path / "sessions.db", listen, on_error=lambda doing, error: errors.put(f"{doing}: {error}"))
    store.remember("key", "value")
    assert "unexpected error, RuntimeError: surprise" in told.get(timeout=10)
    assert told.get(timeout=10) == ""
    assert store.recall("key").result(10) == "value"
    assert store.close()
    assert errors.get(timeout=10) == "saving sessions: surprise"
    assert errors.get(timeout=10) == "reporting whether sessions can be saved: 'listener'"


def test_failure_to_start_threads_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    store = Store(tmp_path / "sessions.db", on_error=lambda *_: None)
    store.remember("key", "value")
    assert "can't start another thread" in store.save_error
    with pytest.raises(StoreError, match="can't start another thread"):
        store.recall("key").result(10)
    assert not store.close()
    monkeypatch.undo()
    assert store.recall("key").result(10) is None
    store.remember("other", "value")
    assert [store.recall(key).result(10) for key in ("key", "other")] == ["value", "value"]
    assert store.close()
