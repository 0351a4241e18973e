"""Text shown on screen is on disk, even if the program is killed at any moment while streaming and another one reads.

STREAMTUI_KILLS sets the number of kills (default: 20). Two thirds are of a conversation without UI; one third is of
streamtui in a terminal, by SIGKILL, SIGTERM, SIGHUP or by closing the terminal.
"""

import asyncio
import os
import random
import re
import signal
import subprocess
import sys
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import pytest

from streamtui.core.session import Session
from streamtui.storage import Store
from streamtui.storage.recovery.check import check
from tests.support.raw_server import DONE, Exchange, event, piece, serving, whole
from tests.support.terminal import EMULATOR, Terminal, child, ends, python

KILLS = int(os.environ.get("STREAMTUI_KILLS", "20"))
IN_TERMINALS = KILLS // 3
ALLOWED = 0.5
"""Seconds of a reply that may be lost."""
WORD = re.compile(rb"k\d+r\d+n\d{5}")
"""The words of replies: program, reply, position. No word occurs twice."""

# Holds a conversation with itself and prints each word with the time.
ENGINE = """
import asyncio, os, random, sys, time
from contextlib import aclosing
from pathlib import Path
from streamtui.config import Endpoint
from streamtui.conversation import Conversation
from streamtui.core.message import Delta, FinishReason
from streamtui.core.session import Session
from streamtui.storage import Store

path, name, chance = Path(sys.argv[1]), sys.argv[2], random.Random(sys.argv[3])

class Model:
    endpoint = Endpoint("here", "http://127.0.0.1", model="m-1")
    replies = 0
    async def stream(self, request):
        pace = chance.choice([0, 0.001, 0.01])
        for n in range(chance.randrange(1, 500)):
            yield Delta(f"{name}r{self.replies}n{n:05} ")
            await asyncio.sleep(chance.random() * pace)
        self.replies += 1
        yield Delta(finish_reason=FinishReason.STOP)

async def main():
    conversation = Conversation(Session(), Model(), Store(path))
    while True:
        conversation.add_prompt(f"{name} go on")
        async with aclosing(conversation.reply()) as deltas:
            async for delta in deltas:
                os.write(1, f"{delta.text}{time.monotonic()}\\n".encode())

asyncio.run(main())
"""

# Reads until its input ends: no reply may have gaps or get shorter.
READER = """
import re, sys, threading
from pathlib import Path
from streamtui.core.message import Role
from streamtui.storage import Store

over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
lengths, reads = {}, 0
with Store(Path(sys.argv[1])) as store:
    while not over.wait(0.05):
        for summary in store.sessions(8).result(60):
            for message in store.session(summary.id).result(60).messages.values():
                if message.role is Role.ASSISTANT:
                    numbers = [int(word[-5:]) for word in message.text.split()]
                    assert numbers == list(range(len(numbers))), message.text
                    assert lengths.get(message.id, 0) <= len(numbers), message.text
                    lengths[message.id] = len(numbers)
                    reads += 1
        store.search("k1", 5).result(60)
print(reads)
"""


class Tally:
    """Counts kills, and characters that were lost."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.kills: Counter[str] = Counter()
        self.due = self.lost = 0

    def count(self, kind: str, session: Session | None, shown: dict[str, float], killed: float) -> None:
        """Compare a session with the words shown and when. Words shown just before the kill may be lost."""
        due = [word for word, when in shown.items() if when < killed - ALLOWED]
        saved = {word for message in session.messages.values() for word in message.text.split()} if session else set()
        self.kills[kind] += 1
        self.due += sum(map(len, due))
        self.lost += sum(len(word) for word in due if word not in saved)

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.kills.items())
        lost = f"{self.lost:,} of {self.due:,}" if self.lost else "0"
        return f"{self.kills.total()} kills, {lost} characters lost beyond half a second ({kinds})"


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Read the database continuously in another process."""
    reader = subprocess.Popen(
        python(READER, str(path)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield
    finally:
        reads, trouble = reader.communicate(timeout=60)
    assert reader.returncode == 0, trouble
    assert int(reads) > 0


def saved(path: Path, name: str) -> Session | None:
    """Return the session with the replies of `name`, None if none is saved yet."""
    with Store(path) as store:
        store.remember("looked for", name)  # the first write makes an interrupted reply searchable
        found = store.search(f"{name}r0n00000").result(60)
        return store.session(found[0].session_id).result(60) if found else None


def report(tally: Tally, capsys: pytest.CaptureFixture[str], seed: int) -> None:
    with capsys.disabled():
        sys.stdout.write(f"{tally}\n")
    assert tally.lost == 0, seed
    assert tally.due > 0
    assert check(tally.path).findings == []


def test_killed_conversation_loses_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seed = random.randrange(10**9)
    chance = random.Random(seed)
    tally = Tally(tmp_path / "sessions.db")
    left = list(range(KILLS - IN_TERMINALS))
    with reading(tally.path):
        while left:
            programs = [Engine(tally, f"k{left.pop()}", chance) for _ in range(min(5, len(left)))]
            for program in programs:
                program.kill_after(chance.randrange(1, 800))
            for program in programs:
                program.count()
    report(tally, capsys, seed)


class Engine:
    """A conversation without a UI."""

    def __init__(self, tally: Tally, name: str, chance: random.Random) -> None:
        self.tally = tally
        self.name = name
        command = python(ENGINE, str(tally.path), name, str(chance.random()))
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def kill_after(self, words: int) -> None:
        """Kill the process after it has shown this many `words`."""
        assert self.process.stdout
        lines = [self.process.stdout.readline() for _ in range(words)]
        self.killed = time.monotonic()
        self.process.kill()
        lines += self.process.communicate()[0].splitlines()
        self.shown = {word: float(when) for word, when in map(str.split, lines)}

    def count(self) -> None:
        """Add the losses to the tally."""
        self.tally.count("of the conversation", saved(self.tally.path, self.name), self.shown, self.killed)


@asynccontextmanager
async def talkative(chance: random.Random) -> AsyncIterator[str]:
    """Serve replies that take a while to stream, and yield the URL."""
    replies: Counter[str] = Counter()

    async def reply(exchange: Exchange) -> None:
        # The prompt may start with a draft left by a killed program.
        if exchange.body is None:  # the list of models
            await whole(b'{"data": []}', content_type="application/json")(exchange)
            return
        name = re.findall(r"k\d+", exchange.body["messages"][0]["content"])[-1]
        number, replies[name] = replies[name], replies[name] + 1
        await exchange.send_head()
        pace = chance.choice([0.0, 0.01, 0.03])
        with suppress(ConnectionError):
            for n in range(chance.randrange(1, 300)):
                await exchange.send_chunks(piece(f"{name}r{number}n{n:05} "))
                await asyncio.sleep(chance.random() * pace)
            await exchange.send_chunks(piece("", "stop"), event({"choices": []}), DONE)
            await exchange.end()

    async with serving(reply) as server:
        yield server.url


async def test_killed_chat_loses_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seed = random.randrange(10**9)
    chance = random.Random(seed)
    tally = Tally(tmp_path / "data" / "streamtui" / "sessions.db")
    left = list(range(IN_TERMINALS))
    async with talkative(chance) as url:
        with reading(tally.path):
            while left:
                names = [f"k{left.pop()}" for _ in range(min(2, len(left)))]
                await asyncio.gather(*(chat_and_kill(tally, name, url, tmp_path, chance) for name in names))
    report(tally, capsys, seed)


async def chat_and_kill(tally: Tally, name: str, url: str, home: Path, chance: random.Random) -> None:
    """Chat in a terminal, then kill the program or the terminal."""
    how = chance.choice(["by SIGKILL", "by SIGKILL", "by SIGTERM", "by SIGHUP", "with the terminal"])
    command = [sys.executable, "-m", "streamtui", "--base-url", url, "--model", "m-1"]
    if how == "with the terminal":
        command = python(EMULATOR, *command)
    env = {"HOME": str(home), "XDG_DATA_HOME": str(home / "data"), "XDG_CONFIG_HOME": str(home / "config")}
    terminal = Terminal(command, {**env, "COLUMNS": "200", "LINES": "60"}, size=(200, 60))
    terminal.keep = True
    try:
        await asyncio.to_thread(terminal.until, "m-1")
        terminal.write(f"{name} go on\r".encode())
        await asyncio.to_thread(terminal.until, f"{name}r0n")
        end = time.monotonic() + chance.uniform(0, 3)
        while (left := end - time.monotonic()) > 0:
            terminal.write(b"go on\r")  # waits for its turn while a reply is under way
            await asyncio.sleep(min(left, 0.7))
        killed = await asyncio.to_thread(kill, terminal, how)
    finally:
        terminal.close()
    shown = words_shown(terminal)
    # A program that is asked to end must save everything.
    tally.count(how, saved(tally.path, name), shown, killed if how == "by SIGKILL" else killed + ALLOWED)


def kill(terminal: Terminal, how: str) -> float:
    """Kill the program or its terminal, wait until the program ends, and return when it was killed."""
    process = terminal.process
    pid = child(process) if how == "with the terminal" else process.pid
    numbers = {"by SIGTERM": signal.SIGTERM, "by SIGHUP": signal.SIGHUP}
    killed = time.monotonic()
    os.kill(process.pid, numbers.get(how, signal.SIGKILL))
    terminal.wait(30)
    assert pid == process.pid or ends(pid), "the program has outlived its terminal"
    return killed


def words_shown(terminal: Terminal) -> dict[str, float]:
    """Return the words of replies shown, and when each was first shown."""
    shown: dict[str, float] = {}
    for match in WORD.finditer(bytes(terminal.output)):
        shown.setdefault(match[0].decode(), terminal.times[bisect_left(terminal.times, (match.end(), 0.0))][1])
    return shown
