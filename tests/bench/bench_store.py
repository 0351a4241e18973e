"""Measures the store with many sessions: python tests/bench/bench_store.py [sessions] [folder to keep]."""

import random
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from itertools import accumulate
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from tempfile import TemporaryDirectory

from streamtui.core.message import FinishReason, Message, Role
from streamtui.core.session import USUAL, Session, SessionFilter
from streamtui.storage import Store

MESSAGES = 20
"""In each session."""
VOCABULARY = 30_000
PAGE = 50
"""Hits the screen asks for at a time."""


def make_words(chance: random.Random) -> tuple[list[str], list[float]]:
    """Returns words, and their weights summed up: the n-th most frequent has 1 / n, as in any language."""
    letters = "etaoinshrdlcumwfgypbvkjxqz"
    weights = [1 / (n + 3) for n in range(len(letters))]
    words: dict[str, None] = {}
    while len(words) < VOCABULARY:
        words["".join(chance.choices(letters, weights, k=chance.randint(2, 10)))] = None
    return list(words), list(accumulate(1 / (n + 1) for n in range(VOCABULARY)))


def make_characters(chance: random.Random) -> tuple[list[str], list[float]]:
    """Returns Chinese characters, and their weights summed up, as `make_words` does."""
    characters = [chr(0x4E00 + n) for n in range(3_000)]
    chance.shuffle(characters)
    return characters, list(accumulate(1 / (n + 1) for n in range(len(characters))))


def fill(store: Store, sessions: int) -> None:
    """Saves the sessions, over two years until now: every tenth in Chinese, models by turns, one of a thousand rare."""
    chance = random.Random(7)
    words, weights = make_words(chance)
    characters, frequencies = make_characters(chance)
    for s in range(sessions):
        when = time.time() - (sessions - s) * 2 * 365 * 86_400 / sessions
        model = "rare" if s % 1000 == 0 else f"model-{s % 7}"
        session = Session(created=when, endpoint=f"server-{s % 3}", model=model, pinned=s % 1500 == 0)
        for n in range(MESSAGES):
            role, length = (Role.ASSISTANT, 120) if n % 2 else (Role.USER, 20)
            text = " ".join(chance.choices(words, cum_weights=weights, k=length))
            if s % 10 == 9:
                text = "".join(chance.choices(characters, cum_weights=frequencies, k=2 * length)) + "。"
            session.add(Message(role, text, created=when + n, model=model, finish_reason=FinishReason.STOP))
        store.save_whole(session)
        if s % 200 == 0:
            store.latest().result()  # else the queue would hold it all in memory
    store.latest().result()


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
    """Prints the cost of the last 800 of `pieces`, each written by itself, and of the save that ends the reply.

    Fewer would not do: every 300 or so the log is worked in.
    """
    reply = Message(Role.ASSISTANT)
    store.save_message(session_id, reply)
    for n in range(pieces):
        if n == pieces - 800:
            start = time.process_time()
        store.append_delta(reply.id, "word " * (length // 5))
        store.latest().result()
    spent = (time.process_time() - start) / 800 * 1000
    print(f"{f'grow, after {pieces * length // 1000} KB of text, read back':42} {spent:8.3f} ms CPU each")
    reply.text = "word " * (pieces * length // 5)

    def finish() -> None:
        store.save_message(session_id, reply)
        store.latest().result()

    measure("  the save that ends it", finish, times=1)


def find(store: Store, query: str, where: SessionFilter = USUAL) -> int:
    """Looks for `query` as the screen does, and returns how many hits there are."""
    titled, hits = store.sessions(PAGE, where=replace(where, words=query)), store.search(query, PAGE, where)
    return len(titled.result()) + len(hits.result())


def measure_searches(store: Store, queries: Iterable[str], where: SessionFilter = USUAL) -> None:
    """Prints what it takes to find the first page of hits."""
    for query in queries:
        hits = find(store, query, where)
        measure(f"search {query!r}, {hits} hits", partial(find, store, query, where), times=5)


def queries() -> list[str]:
    """What may be typed: common and rare words, alone and together, unfinished, Chinese, phrases, symbols."""
    chance = random.Random(7)
    words, characters = make_words(chance)[0], make_characters(chance)[0]
    a, b, rare = words[0], words[1], words[-1]
    typed = [a, f"{a} {b}", f"{a} {words[300]}", f"{a} {b} {words[40]}", words[500], rare, f"{rare} {a}", "zzzzzz"]
    typed += [*(words[900][:n] for n in (1, 2, 3)), f"{words[20]} e", f"{rare} e", f"{words[200]} {words[300]} et"]
    one, two, three = characters[:3]
    typed += [one, one + two, f"{one}{two}{three}", characters[2000] + one, f"{two}{one} {three}{two}"]
    return [*typed, f'"{a} {b}"', f'"{rare} {a}"', f"{a}++", f"{rare}.py", "🚀", "++"]


def run(path: Path, sessions: int) -> None:
    """Makes the database unless it is there, and prints everything."""
    with Store(path) as store:
        start = time.process_time()
        if not path.exists():
            fill(store, sessions)
        spent = time.process_time() - start
        print(f"{sessions} sessions of {MESSAGES} messages, {spent:.1f} s CPU to make and save")
    print(f"{path.stat().st_size / 1e6:.0f} MB")
    with Store(path) as store:
        measure("open and list 50", lambda: store.sessions(50).result(), times=1)
        measure("list 200", lambda: store.sessions().result())
        measure("list all", lambda: store.sessions(sessions).result(), times=3)
        measure("list 50 in the middle", lambda: store.sessions(50, sessions // 2).result())
        measure("list what a model said", lambda: store.sessions(50, where=SessionFilter(model="rare")).result())
        measure("count", lambda: store.count().result())
        measure("what to filter by", lambda: store.facets().result())
        newest = store.latest().result() or ""
        measure("open a session", lambda: store.session(newest[:8]).result())
        measure("glance at a session", lambda: store.preview(newest).result())
        measure_searches(store, queries())
        print("where 1 of 7, 1 of 1,000 and none of the sessions pass the filter:")
        for where in (SessionFilter(model="model-1"), SessionFilter(model="rare"), SessionFilter(archived=True)):
            measure_searches(store, queries()[:4], where)
        measure("the last prompts", lambda: store.prompts().result(), times=5)
        rare = queries()[5]
        measure("prompts with a rare word", lambda: store.prompts(rare).result(), times=5)
        known = frozenset(store.session(newest).result().messages)
        measure("has anything changed?", lambda: store.version().result(), times=100)
        measure("has another window added something?", lambda: store.changes_since(newest, known).result(), times=100)
        for pieces in (800, 8000):
            measure_growing(store, newest, pieces, 80)
    print(f"at most {getrusage(RUSAGE_SELF).ru_maxrss / 1000:.0f} MB of memory")


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    if len(sys.argv) > 2:
        run(Path(sys.argv[2]) / "sessions.db", count)
    else:
        with TemporaryDirectory() as folder:
            run(Path(folder) / "sessions.db", count)
