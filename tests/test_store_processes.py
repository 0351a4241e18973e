"""Several programs write at once, and are killed at any moment; what was on the screen is on the disk.

STREAMTUI_KILLS sets how many are killed (20).
"""

import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from streamtui.message import Message, Role
from streamtui.session import Session
from streamtui.store import Store

KILLS = int(os.environ.get("STREAMTUI_KILLS", "20"))
AT_ONCE = 5
ALLOWED = 0.5
"""Seconds of a reply that may be lost."""

# Streams one reply after the other, 500 pieces a second, and says after each piece when it was shown.
STREAM = """
import os, sys, time
from pathlib import Path
from streamtui.message import FinishReason, Message, Role
from streamtui.session import Session
from streamtui.store import Store

store, session = Store(Path(sys.argv[1])), Session(id=sys.argv[2])
for r in range(1000):
    reply = Message(Role.ASSISTANT)
    for n in range(300):
        piece = f"{r}.{n} "
        reply.text += piece
        if n:
            store.grow(reply.id, piece)
        else:
            store.save_message(session.id, session.add(reply))
            store.save_session(session)
        os.write(1, f"{piece}{time.monotonic()}\\n".encode())
        time.sleep(0.002)
    reply.finish_reason = FinishReason.STOP
    store.save_message(session.id, reply)
"""


class Streaming:
    """A program that streams until it is killed."""

    def __init__(self, path: Path) -> None:
        self.session = Session()
        command = [sys.executable, "-c", STREAM, str(path), self.session.id]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def kill_after(self, pieces: int) -> None:
        """Kills it when it has shown `pieces`, and keeps what must not be lost."""
        assert self.process.stdout
        shown = [self.process.stdout.readline() for _ in range(pieces)]
        killed = time.monotonic()
        self.process.kill()
        shown += self.process.communicate()[0].splitlines()
        timed = [line.split() for line in shown]
        self.due = [piece for piece, when in timed if float(when) < killed - ALLOWED]
        self.shown = [piece for piece, _ in timed]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


def batches(total: int, size: int) -> Iterator[int]:
    while total > 0:
        yield min(total, size)
        total -= size


def test_kill_9_loses_nothing(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seed = random.randrange(10**9)
    chance = random.Random(seed)
    due = lost = 0
    with Store(path) as store:
        for size in batches(KILLS, AT_ONCE):
            programs = [Streaming(path) for _ in range(size)]
            for program in programs:
                program.kill_after(chance.randrange(1, 500))
                store.sessions().result(20)
            for program in programs:
                saved = words(store, program.session.id) if program.due else []
                assert saved[: len(program.due)] == program.due[: len(saved)], seed
                due += len("".join(program.due))
                lost += len("".join(program.due[len(saved) :]))
    with capsys.disabled():
        sys.stdout.write(f"{KILLS} kills, {lost} of {due} characters lost beyond half a second\n")
    assert lost == 0, seed
    assert due > 0
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.execute("INSERT INTO message_index(message_index, rank) VALUES ('integrity-check', 1)")


def words(store: Store, session_id: str) -> list[str]:
    return " ".join(message.text for message in store.session(session_id).result(20).path()).split()


WRITE = """
import sys
from pathlib import Path
from streamtui.message import Message, Role
from streamtui.store import Store

with Store(Path(sys.argv[1])) as store:
    session = store.session(sys.argv[2]).result(20)
    print("ready", flush=True)
    sys.stdin.readline()
    for n in range(200):
        message = session.add(Message(Role.ASSISTANT, f"{sys.argv[3]} "))
        store.save_message(session.id, message)
        for piece in "abcde":
            store.grow(message.id, piece)
        store.save_session(session)
        store.latest().result(20)
"""


def test_two_programs_write_the_same_session(path: Path) -> None:
    session = Session()
    with Store(path) as store:
        store.save_message(session.id, session.add(Message(Role.USER, "question")))
        store.save_session(session)
        assert store.latest().result(20) == session.id
        programs = [
            subprocess.Popen(
                [sys.executable, "-c", WRITE, path, session.id, name],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            for name in ("left", "right")
        ]
        for program in programs:
            assert program.stdout
            assert program.stdout.readline() == b"ready\n"
        for program in programs:
            assert program.stdin
            program.stdin.write(b"go\n")
            program.stdin.flush()
        assert [program.communicate(timeout=60)[0] for program in programs] == [b"", b""]
        assert [program.returncode for program in programs] == [0, 0]
        back = store.session(session.id).result(20)
        texts = [message.text for message in back.path()]
        assert texts[0] == "question"
        assert len(texts) == 201
        assert set(texts[1:]) in ({"left abcde"}, {"right abcde"})
        assert sorted(m.text for m in back.messages.values()).count("left abcde") == 200
        assert store.sessions().result(20)[0].messages == len(back.messages) == 401


def test_many_programs_make_the_database_at_once(path: Path) -> None:
    code = """
import sys
from pathlib import Path
from streamtui.store import Store
sys.stdin.readline()
with Store(Path(sys.argv[1])) as store:
    store.remember(sys.argv[2], "here")
print(repr(store.trouble), end="")
"""
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", code, path, str(n)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(4)
    ]
    for program in programs:
        assert program.stdin
        program.stdin.write("go\n")
        program.stdin.flush()
    assert [program.communicate(timeout=60)[0] for program in programs] == ["''"] * 4
    with Store(path) as store:
        assert [store.recall(str(n)).result(20) for n in range(4)] == ["here"] * 4
