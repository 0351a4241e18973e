"""Several processes write at once."""

import subprocess
import sys
from pathlib import Path

import pytest

from streamtui.core.message import Message, Role
from streamtui.core.session import Session
from streamtui.storage import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


WRITE = """
import sys
from pathlib import Path
from streamtui.core.message import Message, Role
from streamtui.storage import Store

with Store(Path(sys.argv[1])) as store:
    session = store.session(sys.argv[2]).result(20)
    print("ready", flush=True)
    sys.stdin.readline()
    for n in range(200):
        message = session.add(Message(Role.ASSISTANT, f"{sys.argv[3]} "))
        store.save_message(session.id, message)
        for piece in "abcde":
            store.append_delta(message.id, piece)
        store.save_session(session)
        store.latest().result(20)
"""


def test_two_processes_write_the_same_session(path: Path) -> None:
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


def test_processes_create_the_database_at_once(path: Path) -> None:
    code = """
import sys
from pathlib import Path
from streamtui.storage import Store
sys.stdin.readline()
with Store(Path(sys.argv[1])) as store:
    store.remember(sys.argv[2], "here")
print(repr(store.save_error), end="")
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
