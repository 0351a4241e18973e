"""Entry: a message in the pane: who said it, its reasoning, its text, how it ended."""

import math
from collections.abc import Iterator
from datetime import datetime
from enum import IntEnum
from time import thread_time
from typing import TYPE_CHECKING, NamedTuple

from streamtui.core.message import Delta, Message, Role
from streamtui.tokens import size_of, tokens_in
from streamtui.ui.transcript.notes import Hints, Label, LineBlock, attached, endings, left_out
from streamtui.ui.transcript.stack import Stack

if TYPE_CHECKING:
    # Imported with the first message: it takes 60 ms CPU.
    from streamtui.markdown.gradual import GradualDocument

SLICE = 0.004
"""Seconds of CPU for which text is parsed before it is laid out; layout can take several times as long."""
_ESTIMATE_FACTOR = 1.12
"""Estimated heights were 12 % low on the average, measured over replies of prose, lists and code."""


class Section(IntEnum):
    """The parts of an entry, top to bottom."""

    HEAD = 0
    THOUGHT = 1
    BODY = 2
    FOOT = 3


class Spot(NamedTuple):
    """A line of a block of an entry."""

    section: Section
    number: int
    """Which block of the section."""
    line: int
    """Which line of the block."""
    block: LineBlock

    @property
    def text(self) -> str:
        """The text of the line."""
        return "".join(text for text, _ in self.block.line(self.line)[1])

    @property
    def is_code(self) -> bool:
        """Whether it is code."""
        return self.block.kind == "code"


class Entry:
    """What the pane knows of a message. Blocks are made when they are first looked at."""

    __slots__ = (
        "_begin",
        "_hints",
        "_labelled",
        "_lines",
        "_stacks",
        "_thought",
        "_thought_size",
        "above",
        "body",
        "growing",
        "height",
        "message",
        "open",
        "size",
        "variant",
        "width",
    )

    def __init__(
        self,
        message: Message,
        *,
        growing: bool = False,
        variant: tuple[int, int] | None = None,
        above: int = 0,
    ) -> None:
        self.message = message
        self.above = above
        """How many messages stand above it."""
        self.variant = variant
        """Which of how many siblings it is; None for the only one."""
        self.growing = growing
        self.open = False
        """Whether the reasoning, or the summary that is sent, is unfolded."""
        self.height = 0
        self.width = 0
        self.size = self._begin = len(message.text)
        self._lines = message.text.count("\n")
        self._thought_size = size_of(message.reasoning)
        self.body: GradualDocument | None = None
        self._thought: GradualDocument | None = None
        self._stacks: list[Stack] | None = None
        self._labelled = ""
        self._hints: Hints | None = None

    @property
    def is_laid_out(self) -> bool:
        """Whether its blocks exist."""
        return self._stacks is not None

    def estimate(self, width: int) -> int:
        """About how many lines it takes at `width` cells, without making its blocks."""
        return (
            3
            + len(self.message.attachments)
            + 3 * (self.message.recap is not None)
            + int((self.size / max(10, width) + self._lines * 0.7) * _ESTIMATE_FACTOR)
        )

    def feed(self, delta: Delta) -> None:
        """Adds a piece of the reply, which `parse` then shows."""
        self._make()
        assert self.body is not None
        if delta.reasoning:
            self._thinking().feed(delta.reasoning)
            self._thought_size += size_of(delta.reasoning)
        if delta.text:
            self.body.feed(delta.text)
            self.size += len(delta.text)
            self._lines += delta.text.count("\n")

    def take_text_as_reasoning(self) -> None:
        """Makes the text by which it grew reasoning."""
        self._make()
        assert self.body is not None
        text = self.body.source
        if self._thought is None and not self._begin:
            self._thought, self.body = self.body, _document()
        else:
            gap, self.body = "\n\n" if self._thought is not None else "", _document()
            self.body.feed(text[: self._begin])
            self._thinking().feed(gap + text[self._begin :])
        self._thought_size += size_of(text[self._begin :])
        self.size, self._lines = self._begin, text[: self._begin].count("\n")
        self._restack()
        self.width = 0

    def end(self) -> None:
        """Notes that nothing more will come, and how it ended."""
        self.growing = False
        for document in self._documents:
            document.finish()
        if self._stacks is not None:
            self._restack()
        self.width = 0

    @property
    def _documents(self) -> "list[GradualDocument]":
        return [document for document in (self._thought, self.body) if document is not None]

    @property
    def is_parsing(self) -> bool:
        """Whether some of its text is not shown yet."""
        return any(document.is_working for document in self._documents)

    def parse(self, seconds: float = SLICE) -> None:
        """Parses for so many seconds of CPU, at least one step."""
        until = thread_time() + seconds
        for document in self._documents:
            while document.is_working:
                if document.work() and self._stacks is not None:
                    self._restack()
                if thread_time() >= until:
                    return

    def resume(self) -> None:
        """Lets it grow again, from the message as it is now."""
        self.forget()
        self.growing = True
        self._begin = len(self.message.text)

    def is_last(self, hints: Hints | None) -> None:
        """Takes what keys do about the last reply; None: it is the last no longer."""
        self._hints = hints
        if self._stacks is not None:
            self._stacks[Section.FOOT].replace(self._foot())
            self.width = 0

    def forget(self) -> None:
        """Lets the blocks go; they are made again when looked at."""
        if not self.growing:
            self.body = self._thought = self._stacks = None
            self.width = 0

    def toggle(self) -> None:
        """Folds or unfolds the reasoning, or the summary."""
        self.open = not self.open
        if self._stacks is not None:
            self._restack()
        self.width = 0

    def layout(self, width: int, *, wrap: bool = True) -> int:
        """Lays out for `width` cells, sets `height` and returns the first line that may have changed."""
        self._make()
        assert self._stacks is not None
        if self.growing or self.is_parsing:
            self._renew()
        first, y, same_width = None, 0, width == self.width
        for section, stack in enumerate(self._stacks):
            before = stack.height
            changed = stack.layout(width, self._stable(Section(section)), wrap=wrap)
            if first is None and (changed < before or stack.height != before):
                first = y + changed
            y += stack.height
        self.width, self.height = width, y + 1
        return (first if first is not None else y) if same_width else 0

    def _renew(self) -> None:
        """Brings the lines up to date that say who answers and how long it thinks."""
        assert self._stacks is not None
        if self._labelled != self.message.model:
            self._stacks[Section.HEAD].replace(self._head())
        if self._thought is None:
            return
        thought, stack = self._thought_blocks(), self._stacks[Section.THOUGHT]
        if not stack.blocks or thought[0].plain() != stack.blocks[0].plain():
            stack.replace(thought)
        else:
            stack.blocks = thought

    def locate(self, line: int) -> Spot | None:
        """What stands at `line` of the entry; None for the empty ones."""
        if self._stacks is None or not 0 <= line < self.height:
            return None
        for section, stack in enumerate(self._stacks):
            if line < stack.height:
                index, row = stack.locate(line)
                return Spot(Section(section), index, row, stack.blocks[index]) if row >= 0 else None
            line -= stack.height
        return None

    def blocks(self) -> Iterator[tuple[Section, int, LineBlock]]:
        """Every block with its place, top to bottom."""
        self._make()
        if self.is_parsing:
            self.parse(math.inf)
            self.width = 0
        for section, stack in enumerate(self._stacks or ()):
            for index, block in enumerate(stack.blocks):
                yield Section(section), index, block

    @property
    def begin(self) -> int:
        """The line in which the message itself begins, below what is said of those above."""
        if self.message.recap is None or self._stacks is None:
            return 0
        return self.top_of(Section.HEAD, -1 - len(self.message.attachments))

    @property
    def label(self) -> str:
        """Who said it, and when."""
        return self._label().plain()

    @property
    def text(self) -> str:
        """The message as it was written, what has come of it."""
        return self.body.source if self.body is not None else self.message.text

    def line_of(self, section: Section, index: int, character: int) -> int:
        """The line of the entry where a character of a block stands."""
        block = self._stacks[section].blocks[index] if self._stacks else None
        lines = range(block.height - block.margin) if block is not None else range(0)
        row = next((i for i in reversed(lines) if block and block.line(i)[0] <= character), 0)
        return self.top_of(section, index) + row

    def top_of(self, section: Section, index: int) -> int:
        """The first line of a block, its margin not counted."""
        assert self._stacks is not None
        above = sum(stack.height for stack in self._stacks[:section])
        stack = self._stacks[section]
        return above + stack.tops[index] + stack.blocks[index].margin

    def _stable(self, section: Section) -> int:
        document = {Section.BODY: self.body, Section.THOUGHT: self._thought}.get(section)
        if document is None or not (self.growing or document.is_working):
            return len(self._stacks[section].blocks) if self._stacks else 0
        if section is Section.THOUGHT:
            return document.stable if self.open else 0
        return document.stable

    def _make(self) -> None:
        if self._stacks is not None:
            return
        self.body = _document()
        if self.message.reasoning:
            self._thinking().feed(self.message.reasoning)
        if self.message.text:
            self.body.feed(self.message.text)
        if not self.growing:
            self.end()
        self.parse()
        self._restack()

    def _thinking(self) -> "GradualDocument":
        if self._thought is None:
            self._thought = _document()
            if self._stacks is not None:
                self._restack()
        return self._thought

    def _restack(self) -> None:
        assert self.body is not None
        self._stacks = [
            Stack(self._head()),
            Stack(self._thought_blocks()),
            Stack(self.body.blocks),
            Stack(self._foot()),
        ]

    def _head(self) -> list[LineBlock]:
        recap, files = self.message.recap, [attached(file) for file in self.message.attachments]
        if recap is None:
            return [self._label(), *files]
        summary: list[LineBlock] = []
        if recap.text and self.open:
            from streamtui.markdown.document import parse

            summary = [*parse(recap.text)]
        return [*left_out(recap, self.above, unfolded=self.open), *summary, Label(), self._label(), *files]

    def _label(self) -> Label:
        message, self._labelled = self.message, self.message.model
        place = f"  {self.variant[0]}/{self.variant[1]}" if self.variant else ""
        time = datetime.fromtimestamp(message.created).strftime("%H:%M")
        if message.role is Role.USER:
            return Label(("You", "user"), (f"  {time}", "faint"), (place, "ending"))
        name = message.model or "…"
        return Label(
            (name, "assistant"), ("  ".join(["", *filter(None, [message.endpoint]), time]), "faint"), (place, "ending")
        )

    def _thought_blocks(self) -> list[LineBlock]:
        if self._thought is None:
            return []
        head = Label(("▾ " if self.open else "▸ ", "fold"), (self._thinking_facts(), "fold"), folds=True)
        return [head, *self._thought.blocks] if self.open else [head]

    def _thinking_facts(self) -> str:
        tokens = f"~{tokens_in(self._thought_size):,} tokens"
        timing = self.message.timing
        seconds = None if timing is None else timing.thinking
        if seconds is None:
            return f"thinking · {tokens}" if self.growing and not self.size else f"thought · {tokens}"
        return f"thought for {max(0.0, seconds):.1f} s · {tokens}"

    def _foot(self) -> list[LineBlock]:
        if self.growing:
            return []
        return [*endings(self.message, self._hints, margin=1 if self.size else 0)]


def _document() -> "GradualDocument":
    from streamtui.markdown.gradual import GradualDocument

    return GradualDocument()
