"""Counting: what a streamed token costs the counter at 1,000 tokens and at 64,000, and what loading costs.

Run: python -m tests.bench.bench_tokens. The encodings are those at hand: see `streamtui tokens list`.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path
from threading import Thread

from streamtui.core import price_list
from streamtui.tokens import TokenCounter, encodings
from streamtui.tokens.encoding_files import SOURCES

PIECES = 2_000
"""So many pieces are timed at each length."""
LENGTHS = (1_000, 64_000)
MANUAL = (Path(__file__).parents[2] / "streamtui" / "manual.md").read_text("utf-8")
TEXTS = {
    "prose": [word + " " for word in MANUAL.replace("\n", " ").split(" ") if word],
    "code": [MANUAL[at : at + 4] for at in range(0, len(MANUAL), 4)],
    "Japanese": list("日本語のテキストを数える。これは、長い返事です。") * 50,
    "no place to cut": ["QUJDREVGR0hJSktMTU5P"],
}


def cost(make: Callable[[], TokenCounter], pieces: list[str], length: int) -> tuple[float, float]:
    """Returns microseconds of CPU a piece takes after `length` pieces, and a look at the count."""
    counter, endless = make(), cycle(pieces)
    for piece in islice(endless, length):
        counter.add(piece)
    begun = time.process_time()
    for piece in islice(endless, PIECES):
        counter.add(piece)
    added = time.process_time()
    for _ in range(100):
        _ = counter.count
    return (added - begun) / PIECES * 1e6, (time.process_time() - added) / 100 * 1e6


def rows() -> Iterator[str]:
    """Yields the lines of the table."""
    for name, encoding in [("by size", None), *encodings._loaded.items()]:
        for kind, pieces in TEXTS.items():
            figures = [cost(lambda e=encoding: TokenCounter(e), pieces, length) for length in LENGTHS]  # type: ignore[misc]
            yield f"{name:<12}{kind:<16}" + "".join(f"{add:>12.2f}{look:>10.1f}" for add, look in figures)


def longest_gap(load: Callable[[], object]) -> tuple[float, float]:
    """Returns CPU seconds of `load` in a thread, and how long it kept another thread from running at worst."""
    gaps: list[float] = []
    thread = Thread(target=load)
    begun = time.process_time()
    thread.start()
    last = time.perf_counter()
    while thread.is_alive():
        time.sleep(0.001)
        gaps.append(time.perf_counter() - last)
        last = time.perf_counter()
    return time.process_time() - begun, max(gaps, default=0.0)


def main() -> None:
    """Prints what loading costs, then the table."""
    loads: dict[str, Callable[[], object]] = {name: lambda n=name: encodings.load(n) for name in SOURCES}  # type: ignore[misc]
    loads["price list"] = price_list.load
    for name, load in loads.items():
        cpu, gap = longest_gap(load)
        missing = " (not at hand)" if name in SOURCES and name not in encodings._loaded else ""
        print(f"loading {name:<12} {cpu:.2f} s CPU, others wait {gap * 1000:.0f} ms at most{missing}")
    heads = "".join(f"{f'at {length:,}':>12}{'a look':>10}" for length in LENGTHS)
    print(f"\nmicroseconds of CPU a piece\n{'':<28}{heads}")
    print("\n".join(rows()))
    medians = [statistics.median(cost(TokenCounter, TEXTS["prose"], length)[0] for _ in range(5)) for length in LENGTHS]
    print(f"\nby size, prose, at {LENGTHS[1]:,} beside {LENGTHS[0]:,}: {medians[1] / medians[0]:.2f}")


if __name__ == "__main__":
    main()
