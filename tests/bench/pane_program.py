"""The programs that bench_pane.py runs in a pty: our pane, Textual's Markdown stream, and one that shows nothing.

python tests/bench/pane_program.py NOTE DESIGN TASK [ARGUMENT ...] writes its figures to NOTE as JSON.
"""

import asyncio
import gc
import json
import resource
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from time import monotonic, process_time
from typing import Any

from rich.console import RenderableType
from textual import events
from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Markdown

from streamtui.core.message import Delta, Message, Role
from streamtui.ui import themes
from streamtui.ui.transcript import Transcript
from streamtui.ui.widgets.prompt import Prompt
from tests.bench.bench_markdown import TOKEN, text_of

RATE = 100
"""Tokens a second."""
STREAMED = 300
"""Tokens streamed for a figure."""


def tokens_of(text: str) -> Iterator[str]:
    """Cuts `text` into tokens of 4 characters."""
    return (text[at : at + TOKEN] for at in range(0, len(text), TOKEN))


class Bench(App[None]):
    """An app with the prompt of the chat and a way to show a reply."""

    CSS = "Transcript, VerticalScroll { height: 1fr; } Prompt { height: 3; }"

    def __init__(self, note: Path, task: str, arguments: list[str]) -> None:
        super().__init__()
        self.note, self.job, self.arguments = note, task, arguments
        self.painted: list[float] = []
        """CPU seconds at every update of the display."""
        self.register_theme(themes.load(themes.theme_files()["midnight"]))
        self.theme = "midnight"

    def compose(self) -> ComposeResult:
        """The pane and the prompt."""
        yield self.pane()
        yield Prompt(id="prompt")

    def pane(self) -> Widget:
        """What shows the reply."""
        return Widget()

    async def show(self, text: str) -> None:
        """Shows `text` as the beginning of the reply."""

    def feed(self, token: str) -> Any:
        """Adds a token to the reply."""

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        super()._display(screen, renderable)
        self.painted.append(process_time())

    def on_mount(self) -> None:
        """Runs the task and ends."""
        self.query_one(Prompt).focus()
        self.run_worker(self.measure(), exit_on_error=True)

    async def measure(self) -> None:
        """Runs the task, writes its figures and ends."""
        await asyncio.sleep(0.3)
        figures = await getattr(self, f"task_{self.job}")(*self.arguments)
        figures["rss"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        self.note.write_text(json.dumps(figures))
        self.exit()

    async def quiet(self) -> None:
        """Waits until nothing is painted any more."""
        before = -1
        while before != len(self.painted):
            before = len(self.painted)
            await asyncio.sleep(0.15)

    async def task_stream(self, kind: str, before: str) -> dict[str, Any]:
        """Streams at 100 tokens a second behind `before` tokens of `kind`."""
        text = text_of(kind, int(before) + STREAMED)
        await self.show(text[: int(before) * TOKEN])
        await self.quiet()
        gc.collect()
        self.note.with_suffix(".go").touch()
        self.painted.clear()
        start, cpu = monotonic(), process_time()
        for number, token in enumerate(tokens_of(text[int(before) * TOKEN :])):
            await asyncio.sleep(max(0.0, start + number / RATE - monotonic()))
            if (waits := self.feed(token)) is not None:
                await waits
        wall, cpu = monotonic() - start, process_time() - cpu
        frames = sorted(b - a for a, b in pairwise(self.painted)) or [0.0]
        return {
            "cpu": cpu / STREAMED,
            "frame": sum(frames) / len(frames),
            "frame_p95": frames[int(0.95 * (len(frames) - 1))],
            "fps": len(self.painted) / wall,
            "frames": len(self.painted),
        }

    async def task_rush(self, kind: str, tokens: str) -> dict[str, Any]:
        """Streams `tokens` tokens as fast as they come."""
        text = text_of(kind, int(tokens))
        await self.show("")
        await self.quiet()
        cpu = process_time()
        for number, token in enumerate(tokens_of(text)):
            if (waits := self.feed(token)) is not None:
                await waits
            if number % 8 == 7:
                await asyncio.sleep(0)
        await self.quiet()
        return {"cpu": process_time() - cpu}


class Null(Bench):
    """Takes the tokens and shows nothing."""

    def feed(self, token: str) -> None:
        """Takes a token."""


class Textual(Bench):
    """Textual's own Markdown stream."""

    def pane(self) -> Widget:
        """A scrolling Markdown."""
        self.markdown = Markdown()
        return VerticalScroll(self.markdown)

    async def show(self, text: str) -> None:
        """Shows the beginning."""
        self.query_one(VerticalScroll).anchor()
        await self.markdown.update(text)
        self.stream = Markdown.get_stream(self.markdown)

    def feed(self, token: str) -> Any:
        """Adds a token."""
        return self.stream.write(token)


class Ours(Bench):
    """The conversation pane."""

    def pane(self) -> Widget:
        """The pane."""
        self.transcript = Transcript()
        return self.transcript

    async def show(self, text: str) -> None:
        """Shows the beginning."""
        self.transcript.add(Message(Role.USER, "A prompt."))
        self.transcript.add(Message(Role.ASSISTANT), growing=True)
        if text:
            self.transcript.append(Delta(text))

    def feed(self, token: str) -> None:
        """Adds a token."""
        self.transcript.append(Delta(token))

    async def task_under(self, kind: str, messages: str) -> dict[str, Any]:
        """Streams under a conversation of `messages` messages."""
        self.transcript.load(conversation(int(messages)))
        return await self.task_stream(kind, "1000")

    async def task_open(self, messages: str) -> dict[str, Any]:
        """Opens a conversation, pages up, turns the wheel, resizes, changes the theme."""
        stored = conversation(int(messages))
        await self.quiet()
        gc.collect()
        gc.freeze()  # as the program does once it is up
        opened = await self._cpu(lambda: self.transcript.load(stored))
        rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        pages = [await self._cpu(lambda: self.transcript.page(-1)) for _ in range(40)]
        turns = [await self._cpu(self._wheel) for _ in range(40)]
        return {
            "open": opened,
            "open_rss": rss,
            "page_p95": p95(pages),
            "wheel_p95": p95(turns),
            **await self._changes(),
        }

    async def task_resize(self, kind: str, tokens: str) -> dict[str, Any]:
        """Resizes with one long message, from its end."""
        self.transcript.load([Message(Role.USER, "A prompt."), Message(Role.ASSISTANT, text_of(kind, int(tokens)))])
        await self.quiet()
        return await self._changes()

    async def _changes(self) -> dict[str, Any]:
        self.note.with_suffix(".resize").touch()
        cpu, before = process_time(), self.size
        while self.size == before:
            cpu = process_time()
            await asyncio.sleep(0.01)
        await self.quiet()
        resized = process_time() - cpu
        self.register_theme(themes.load(themes.theme_files()["paper"]))
        return {"resize": resized, "theme": await self._cpu(lambda: setattr(self, "theme", "paper"))}

    def _wheel(self) -> None:
        width, height = self.transcript.size
        event = events.MouseScrollUp(self.transcript, width // 2, height // 2, 0, 0, 0, False, False, False)
        self.transcript.post_message(event)

    async def _cpu(self, work: Any) -> float:
        """CPU seconds of `work` until its display is painted, the waiting left out."""
        before, cpu = len(self.painted), process_time()
        work()
        while len(self.painted) == before:
            await asyncio.sleep(0.002)
        spent = self.painted[-1] - cpu
        await asyncio.sleep(0.05)
        return spent


def p95(values: list[float]) -> float:
    """The value that 95 of 100 stay under."""
    return sorted(values)[int(0.95 * (len(values) - 1))]


def conversation(count: int) -> list[Message]:
    """`count` messages of 300 tokens, prompts and replies by turns."""
    texts = [text_of("prose", 300 + i)[: 300 * TOKEN] for i in range(50)]
    roles = (Role.USER, Role.ASSISTANT)
    return [Message(roles[i % 2], f"Message {i}. {texts[i % 50]}") for i in range(count)]


if __name__ == "__main__":
    note, design, task, *arguments = sys.argv[1:]
    {"null": Null, "textual": Textual, "ours": Ours}[design](Path(note), task, arguments).run()
