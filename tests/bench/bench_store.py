"""Measures the store with many sessions: python tests/bench/bench_store.py [sessions] [folder to keep]."""

import random
import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory

from streamtui.message import FinishReason, Message, Role
from streamtui.session import Session
from streamtui.store import Store

MESSAGES = 20
"""In each session."""
VOCABULARY = 30_000


def make_words(chance: random.Random) -> tuple[list[str], list[float]]:
    """Returns words, and their weights summed up: the n-th most frequent has 1 / n, as in any language."""
    letters = "etaoinshrdlcumwfgypbvkjxqz"
    weights = [1 / (n + 3) for n in range(len(letters))]
    words: dict[str, None] = {}
    while len(words) < VOCABULARY:
        words["".join(chance.choices(letters, weights, k=chance.randint(2, 10)))] = None
    return list(words), list(accumulate(1 / (n + 1) for n in range(VOCABULARY)))


def fill(store: Store, sessions: int) -> list[str]:
    """Saves the sessions. Returns the words, the most frequent first."""
    chance = random.Random(7)
    words, weights = make_words(chance)
    for s in range(sessions):
        session = Session(created=float(s), endpoint="openai", model="gpt")
        for n in range(MESSAGES):
            role, length = (Role.ASSISTANT, 120) if n % 2 else (Role.USER, 20)
            text = " ".join(chance.choices(words, cum_weights=weights, k=length))
            message = Message(role, text, created=float(s), model="gpt", finish_reason=FinishReason.STOP)
            store.save_message(session.id, session.add(message))
        store.save_session(session)
        if s % 200 == 0:
            store.latest().result()  # else the queue would hold it all in memory
    store.latest().result()
    return words


def measure(what: str, question: Callable[[], object], times: int = 20) -> None:
    """Prints the CPU milliseconds of the first, the median and the slowest of `times` calls."""
    spent: list[float] = []
    for _ in range(times):
        start = time.process_time()
        question()
        spent.append((time.process_time() - start) * 1000)
    first, spent = spent[0], sorted(spent)
    print(f"{what:42} first {first:8.2f}   median {spent[times // 2]:8.2f}   slowest {spent[-1]:8.2f} ms CPU")


def measure_growing(store: Store, session_id: str, pieces: int, length: int) -> None:
    """Prints the cost of saving the last hundred of `pieces` and of the save that ends the reply."""
    reply = Message(Role.ASSISTANT)
    store.save_message(session_id, reply)
    for n in range(pieces):
        if n == pieces - 100:
            store.latest().result()
            start = time.process_time()
        store.grow(reply.id, "word " * (length // 5))
    store.latest().result()
    spent = (time.process_time() - start) * 10
    print(f"{f'grow, after {pieces * length // 1000} KB of text':42} {spent:8.3f} ms CPU each")
    reply.text = "word " * (pieces * length // 5)

    def finish() -> None:
        store.save_message(session_id, reply)
        store.latest().result()

    measure("  the save that ends it", finish, times=1)


def find(store: Store, query: str) -> None:
    """Looks for `query` as the screen does."""
    store.search(query).result()


def run(path: Path, sessions: int) -> None:
    """Makes the database unless it is there, and prints everything."""
    with Store(path) as store:
        start = time.process_time()
        words = make_words(random.Random(7))[0] if path.exists() else fill(store, sessions)
        spent = time.process_time() - start
        print(f"{sessions} sessions of {MESSAGES} messages, {spent:.1f} s CPU to make and save")
    print(f"{path.stat().st_size / 1e6:.0f} MB")
    with Store(path) as store:
        measure("open and list 50", lambda: store.sessions(50).result(), times=1)
        measure("list 200", lambda: store.sessions().result())
        measure("list all", lambda: store.sessions(sessions).result(), times=3)
        measure("list 50 in the middle", lambda: store.sessions(50, sessions // 2).result())
        newest = store.latest().result() or ""
        measure("open a session", lambda: store.session(newest[:8]).result())
        a, b, rare = words[0], words[1], words[-1]
        typed = [
            a,
            f"{a} {b}",
            f"{a} {words[300]}",
            f"{a} {b} {words[40]}",
            words[500],
            rare,
            f"{rare} {a}",
            "zzzzzz",
        ]
        for query in [*typed, *(words[900][:n] for n in (1, 2, 3)), f"{words[20]} e", f"{rare} e"]:
            hits = len(store.search(query).result())
            measure(f"search {query!r}, {hits} hits", partial(find, store, query), times=5)
        for pieces in (200, 4000):
            measure_growing(store, newest, pieces, 80)


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    if len(sys.argv) > 2:
        run(Path(sys.argv[2]) / "sessions.db", count)
    else:
        with TemporaryDirectory() as folder:
            run(Path(folder) / "sessions.db", count)
