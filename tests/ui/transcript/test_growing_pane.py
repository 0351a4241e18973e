"""A reply that grows: after every delta the screen looks as if its text had been painted for the first time."""

import asyncio
from collections.abc import Iterable, Iterator
from datetime import datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import RenderableType
from rich.segment import ControlType, Segment
from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.screen import Screen

from streamtui.core.message import Delta, Message, Role
from streamtui.ui.transcript.view import TranscriptView
from tests.markdown.test_stream import documents

WIDTH, HEIGHT = 46, 22
Cell = tuple[str, str]


class TwoPanes(App[None]):
    """The same reply twice: the left pane gets it delta by delta, the right one is painted anew.

    Keeps what a terminal would show, as only the regions that the compositor sends are written there.
    """

    CSS = "TranscriptView { width: 1fr; height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self.cells: list[list[Cell]] = [[(" ", "")] * (2 * WIDTH) for _ in range(HEIGHT)]
        self.panes = TranscriptView(), TranscriptView()

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield from self.panes

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        super()._display(screen, renderable)
        if renderable is not None and not self._batch_count:
            self._write(self.console.render(renderable))

    def _write(self, segments: Iterable[Segment]) -> None:
        x = y = 0
        for text, style, control in segments:
            if control:
                for kind, *place in control:
                    if kind is ControlType.CURSOR_MOVE_TO:
                        x, y = map(int, place)
            elif text == "\n":
                x, y = 0, y + 1
            else:
                for char in text:
                    if y < HEIGHT and x < 2 * WIDTH and (size := cell_len(char)):
                        self.cells[y][x : x + size] = [(char, str(style))] * size
                        x += size

    def shown(self, left: bool) -> list[list[Cell]]:
        """Return the cells of a pane, without its scrollbar."""
        first = 0 if left else WIDTH
        return [row[first : first + WIDTH - 1] for row in self.cells]


@pytest.fixture(scope="module")
def two_panes() -> Iterator[tuple[asyncio.Runner, TwoPanes]]:
    app = TwoPanes()
    with asyncio.Runner() as runner:
        running = app.run_test(size=(2 * WIDTH, HEIGHT))
        runner.run(running.__aenter__())
        yield runner, app
        runner.run(running.__aexit__(None, None, None))


async def compare(app: TwoPanes, deltas: list[str]) -> None:
    """Stream a reply and compare the screen after each of its `deltas`."""
    grown, fresh = app.panes
    now = datetime(2026, 1, 1).timestamp()
    text = ""
    start(grown, now)
    for delta in deltas:
        text += delta
        grown.append(Delta(delta))
        grown._flush()
        start(fresh, now)
        fresh.append(Delta(text))
        fresh._flush()
        fresh.refresh()
        await painted(app)
        assert lines(app.shown(left=True)) == lines(app.shown(left=False)), text
        assert app.shown(left=True) == app.shown(left=False), text


def start(pane: TranscriptView, now: float) -> None:
    pane.load([])
    pane.add(Message(Role.ASSISTANT, "", created=now), growing=True)


async def painted(app: TwoPanes) -> None:
    """Wait until the compositor has sent what has changed."""
    done = asyncio.Event()
    app.screen.call_after_refresh(done.set)
    await done.wait()


def lines(cells: list[list[Cell]]) -> list[str]:
    return ["".join(char for char, _ in row).rstrip() for row in cells]


WORDS = st.sampled_from(
    ["a", "name", "**bold**", "a longer cell of many words", "日本語", "`x|y`", "a<br>b", "1", "👍🏽", "**op"]
)
ROWS = st.lists(
    st.lists(WORDS | st.just(""), min_size=1, max_size=4).map(lambda cells: f"| {' | '.join(cells)} |"), max_size=5
)
TABLES = st.tuples(
    st.sampled_from(["", "Words first.\n\n", "- item\n\n"]),
    st.sampled_from(["| h | i |\n|---|--:|\n", "| h |\n|-|\n", "|a|b|c|\n|:-:|-|-|\n"]),
    ROWS.map("\n".join),
    st.sampled_from(["", "\n", "\n\nAnd then."]),
).map("".join)


@settings(max_examples=40, deadline=None)
@example(
    "| h | i |\n|---|---|\n| a cell of many words that is far wider than its header | of many words too |\n", [5] * 40
)
@example("# Above\nText\nof a heading\n---\nBelow", [16, 4, 6, 3, 4, 4])
@given(TABLES | documents, st.lists(st.integers(1, 40), max_size=40))
def test_the_screen_after_each_delta_is_that_of_a_fresh_paint(
    two_panes: tuple[asyncio.Runner, TwoPanes], text: str, sizes: list[int]
) -> None:
    runner, app = two_panes
    runner.run(compare(app, list(pieces(text, sizes))))


def pieces(text: str, sizes: list[int]) -> Iterator[str]:
    start = 0
    for size in sizes:
        if start < len(text):
            yield text[start : start + size]
        start += size
    if start < len(text):
        yield text[start:]
