"""The screen of the sessions with 10,000 of them and 200,000 messages: python -m tests.bench.bench_sessions [folder].

The folder keeps the database that bench_store.py makes, for the next time.
"""

import asyncio
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Input

from streamtui.config import DEMO, Config
from streamtui.providers.demo.provider import demo_provider
from streamtui.storage import Store
from streamtui.ui.app import StreamTUI
from streamtui.ui.screens.sessions.screen import SessionsScreen
from streamtui.ui.screens.sessions.sessions_list import SessionsList
from tests.bench.bench_store import fill, queries
from tests.support.terminal import Terminal, python

SESSIONS = 10_000
ROUNDS = 5
LETTERS = 0x0531
"""From here on there are letters that nothing holds."""
PROGRAM = """
import sys
from pathlib import Path
from streamtui.config import DEMO, Config
from streamtui.providers.demo.provider import demo_provider
from streamtui.ui.app import StreamTUI

app = StreamTUI(Config(DEMO), Path(sys.argv[1]), connect=demo_provider)
app.run()
app.close()
"""


def row(name: str, value: str, goal: str = "") -> None:
    """Prints a row of the table."""
    print(f"{name:<60}{value:>30}   {goal}", flush=True)


def ms(seconds: list[float]) -> str:
    """The median and what 95 of 100 stay under, in milliseconds."""
    ordered = sorted(seconds)
    return f"{ordered[len(ordered) // 2] * 1000:.1f} / {ordered[int(0.95 * (len(ordered) - 1))] * 1000:.1f} ms"


def memory() -> float:
    """MB that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


class Lateness:
    """How late a clock of 2 ms ticks: what keeps the loop busy keeps keys waiting."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self._task = asyncio.create_task(self._tick())

    async def _tick(self) -> None:
        while True:
            due = time.monotonic() + 0.002
            await asyncio.sleep(0.002)
            self.late.append(time.monotonic() - due)

    def take(self) -> list[float]:
        """What was noted since the last time."""
        self.late, late = [], self.late
        return late


async def until(condition: Callable[[], object]) -> float:
    """Waits until `condition` is true and returns the seconds that took."""
    start = time.monotonic()
    while not condition():
        await asyncio.sleep(0.001)
    return time.monotonic() - start


def shown(app: StreamTUI) -> SessionsScreen | None:
    """The screen, once it lists something."""
    screen = app.screen
    there = isinstance(screen, SessionsScreen) and screen.query(SessionsList) and screen.sessions.rows
    return screen if there and isinstance(screen, SessionsScreen) else None


async def opening(app: StreamTUI, pilot: Pilot[None], lateness: Lateness) -> SessionsScreen:
    """ctrl+s until the list is there."""
    walls, spent = [], []
    for _ in range(ROUNDS):
        await pilot.press("escape")
        await pilot.pause(0.3)
        cpu = time.process_time()
        app.simulate_key("ctrl+s")
        walls.append(await until(lambda: shown(app)))
        spent.append(time.process_time() - cpu)
        await pilot.pause(0.3)
    row("ctrl+s until the list is there, the first time", f"{walls[0] * 1000:.1f} ms, {spent[0] * 1000:.1f} ms CPU")
    row("  later, median / p95", f"{ms(walls[1:])}, {ms(spent[1:])} CPU", "50 ms")
    lateness.take()
    screen = shown(app)
    assert screen is not None
    return screen


async def found(screen: SessionsScreen, query: str) -> float:
    """Types `query` at once; seconds until what it finds is there."""
    before = screen.sessions.rows
    screen.query_one("#search", Input).value = query
    return await until(lambda: screen.sessions.rows is not before)


async def searching(pilot: Pilot[None], screen: SessionsScreen, lateness: Lateness) -> None:
    """Words typed at once, until their first hits are there; then letter by letter."""
    walls: list[float] = []
    spent: list[float] = []
    for query in queries() * ROUNDS:
        cpu = time.process_time()
        walls.append(await found(screen, query))
        spent.append(time.process_time() - cpu)
        await pilot.pause(0.2)
    row("one to three words until the first hits, median / p95", ms(walls), "50 ms")
    row("  CPU", ms(spent))
    lateness.take()
    for query in queries() * 2:
        for end in range(1, len(query) + 1):
            screen.query_one("#search", Input).value = query[:end]
            await asyncio.sleep(0.06)
    row("the loop is late while words are typed, median / p95", ms(lateness.take()), "p95 10 ms")


async def walking(pilot: Pilot[None], screen: SessionsScreen, lateness: Lateness) -> None:
    """Down the list with the preview following, and to its end."""
    screen.query_one("#search", Input).value = ""
    await pilot.pause(0.3)
    lateness.take()
    for _ in range(100):
        screen.action_move(1)
        await asyncio.sleep(0.1)
    row("the loop is late while the preview follows, median / p95", ms(lateness.take()))
    cpu = time.process_time()
    for _ in range(300):
        screen.action_move(1)
        await asyncio.sleep(0)
    row("a step down", f"{(time.process_time() - cpu) / 300 * 1000:.2f} ms CPU")
    start = time.monotonic()
    screen.action_to_end()
    await until(lambda: screen._listing.complete)
    row("to the end of the list", f"{(time.monotonic() - start) * 1000:.0f} ms")
    row("  the loop is late meanwhile, at most", f"{max(lateness.take()) * 1000:.0f} ms")


async def inside(database: Path) -> None:
    """What can be seen from inside the app."""
    app = StreamTUI(Config(DEMO), database, connect=demo_provider)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause(2)
        lateness = Lateness()
        screen = await opening(app, pilot, lateness)
        await searching(pilot, screen, lateness)
        before = memory()
        for query in queries() * 10:
            screen.query_one("#search", Input).value = query
            await pilot.pause(0.03)
        row(
            f"memory, and what {len(queries()) * 10} searches add to it",
            f"{before:.0f} MB, {memory() - before:+.1f} MB",
        )
        await walking(pilot, screen, lateness)
    app.close()


def echoing(database: Path) -> None:
    """How long a letter takes to show while the search for the one before is under way."""
    with tempfile.TemporaryDirectory() as folder:
        terminal = Terminal(python(PROGRAM, str(database)), {"HOME": folder, "TEXTUAL_FPS": "120"})
        terminal.keep = True
        terminal.until("Write a prompt")
        time.sleep(2)
        for at, name, word in ((0, "before anything is searched", ""), (40, "while it searches", queries()[3])):
            before = terminal.bytes
            terminal.write(b"\x13")
            terminal.until("10,000 sessions", before)
            echoes = [echo(terminal, n, word) for n in range(at, at + 35)]
            row(f"key echo in a terminal {name}, median / p95", ms(echoes))
            terminal.write(b"\x15\x1b\x1b")
            time.sleep(0.5)
        terminal.close()


def echo(terminal: Terminal, number: int, word: str) -> float:
    """Types `word`, a moment later a letter never seen, and returns the seconds until it is seen."""
    terminal.write(b"\x15" + word.encode())
    time.sleep(0.012 if word else 0.05)
    letter = chr(LETTERS + number)
    before, start = terminal.bytes, time.monotonic()
    terminal.write(letter.encode())
    terminal.until(letter, before)
    took = time.monotonic() - start
    time.sleep(0.1)
    return took


def main() -> None:
    """Makes the database unless it is there, and prints the table."""
    with tempfile.TemporaryDirectory() as folder:
        database = Path(sys.argv[1] if len(sys.argv) > 1 else folder) / "sessions.db"
        if not database.exists():
            with Store(database) as store:
                fill(store, SESSIONS)
        row("figure (120x40)", "measured", "goal")
        asyncio.run(inside(database))
        echoing(database)


if __name__ == "__main__":
    main()
