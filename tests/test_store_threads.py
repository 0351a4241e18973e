"""A question that nobody waits for any more is dropped, or stopped in the middle."""

import sqlite3
import threading
from pathlib import Path

from streamtui.store.threads import Reader, Writer

FOREVER = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"


def test_cancelling_interrupts_a_query(tmp_path: Path) -> None:
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


def test_something_too_large_holds_up_nothing(tmp_path: Path) -> None:
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
    assert not writer.close(10)
    assert news[0].startswith("Something can't be saved and is left out (")
    reader.close(10)
