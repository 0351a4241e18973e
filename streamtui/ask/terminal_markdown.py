"""Rendering of streaming Markdown on a terminal, without rewriting finished lines."""

import re
import shutil
from collections.abc import Callable, Iterator
from urllib.parse import quote

from streamtui.ask.output import Output, Writer
from streamtui.core.message import Delta, Message
from streamtui.core.sanitize import clean, clean_line
from streamtui.core.session import Session
from streamtui.core.styled_text import Run
from streamtui.markdown.document import Block, CodeBlock, Document, TableBlock

# The 16 colors of the terminal's palette, readable on light and dark backgrounds.
_STYLES = {
    "em": "3", "strong": "1", "s": "9", "code": "33", "link": "4;36", "bullet": "34", "quote": "36", "quoted": "2",
    "rule": "2", "task": "32", "tex": "36", "h1": "1;4;34", "h2": "1;34", "h3": "1;36", "h4": "1;36", "h5": "1",
    "h6": "1;2", "tok:c": "3;2", "tok:k": "35", "tok:s": "32", "tok:sd": "3;32", "tok:n": "33", "tok:nf": "34",
    "tok:nc": "1;33", "tok:nd": "36", "tok:nb": "36", "tok:gi": "32", "tok:gd": "31", "tok:gh": "1;34", "tok:err": "31",
}  # fmt: skip
_CODE_INDENT = "  "
_CHUNKS = re.compile(r"\|[^\n]*\n?|[^\n|]*\n|[^\n|]+")
"""Lines, split in two where they may become the header of a table."""
_URL_CHARACTERS = "%:/?#[]@!$&'()*+,;=~-._"


class MarkdownOutput(Output):
    """Markdown rendered on a terminal. Each line is written once later text can't change it.

    A table is written when it is complete, because its column widths depend on all rows.
    """

    def __init__(self, out: Writer, *, color: bool = True, width: int | None = None) -> None:
        """Render to `out`, with `width` cells per line (default: the width of the terminal)."""
        self._out = out
        self._color = color
        self._fixed_width = width
        self._width = 0
        """Width of the current block."""
        self._document = Document()
        self._blocks = self._lines = 0
        """Number of blocks written, and of lines written of the next one."""
        self._begun: object = None
        """Identity of that next block."""
        self._margin = False
        """Whether text that turned out to be reasoning was written before."""

    def on_delta(self, delta: Delta) -> None:
        """Write the lines that the delta has completed."""
        if delta.text_was_reasoning:
            self._end_document()
        # Fixed chunks, so that the output doesn't depend on how the text is split into deltas.
        for chunk in _CHUNKS.findall(delta.text):
            self._document.feed(chunk)
            self._write()

    def on_end(self, session: Session, reply: Message) -> None:
        """Write the remaining lines."""
        self._end_document()
        self._out.flush()

    def _end_document(self) -> None:
        self._document.finish(relink=False)  # written lines can't be changed
        self._write()
        self._margin = bool(self._margin or self._blocks)
        self._document = Document()
        self._blocks = self._lines = 0
        self._begun = None

    def _write(self) -> None:
        document, before = self._document, (self._blocks, self._lines)
        for block in document.blocks[self._blocks : document.stable]:
            self._write_block(block)
            self._blocks += 1
            self._lines = 0
        if len(document.blocks) > self._blocks and not isinstance(document.blocks[-1], TableBlock):
            self._write_block(document.blocks[-1], lambda: document.settled)
        if (self._blocks, self._lines) != before:
            self._out.flush()

    def _write_block(self, block: Block, settled: Callable[[], int] | None = None) -> None:
        """Write the remaining lines of `block`, or only those that are `settled`."""
        # An underline turns a paragraph into a heading, a new block with the same text. Other new blocks start over.
        identity = getattr(block, "inline", block)
        if not self._lines or self._begun is not identity:
            self._begun, self._lines = identity, 0
            self._width = self._fixed_width or shutil.get_terminal_size().columns
        if isinstance(block, CodeBlock):
            block.layout(self._width, wrap=False)  # so that code copied from the terminal is unchanged
        else:
            block.layout(self._width)
        for index in range(self._lines, settled() if settled else block.lines_count):
            for line in self._line(block, index):
                self._out.write(line.rstrip() + "\n")
            self._lines = index + 1

    def _line(self, block: Block, index: int) -> Iterator[str]:
        """Yield the line at `index`, after the margin if it is the first."""
        if index == 0 and (self._blocks or self._margin):
            yield from [self._styled(block.prefix(-1))] * (block.margin if self._blocks else 1)
        indent = _CODE_INDENT if isinstance(block, CodeBlock) else ""
        yield self._styled(block.prefix(index)) + indent + self._styled(block.line(index)[1], block.base)

    def _styled(self, runs: list[Run], base: str = "") -> str:
        return "".join(self._run(text, f"{base} {names}") for text, names in runs)

    def _run(self, text: str, names: str) -> str:
        # The text is sanitized, but character references such as “&#x202e;” are decoded afterwards.
        text = text if text.isascii() and text.isprintable() else clean(text).replace("\n", " ")
        if not self._color or not text:
            return text
        styles = names.split()
        codes = ";".join(filter(None, (_STYLES.get("link" if name.startswith("link:") else name) for name in styles)))
        shown = f"\x1b[{codes}m{text}\x1b[0m" if codes else text
        url = next(
            (quote(clean_line(name[5:]), safe=_URL_CHARACTERS) for name in styles if name.startswith("link:")), ""
        )
        return f"\x1b]8;;{url}\x1b\\{shown}\x1b]8;;\x1b\\" if url else shown
