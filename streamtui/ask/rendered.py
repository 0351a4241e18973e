"""Rendered: Markdown on a terminal, block by block as they are finished; nothing written is ever changed."""

import shutil
from collections.abc import Iterator
from typing import TextIO
from urllib.parse import quote

from streamtui.ask.output import Output
from streamtui.markdown.document import Block, CodeBlock, Document
from streamtui.markdown.runs import Run
from streamtui.message import Delta, Message
from streamtui.sanitize import clean, clean_line
from streamtui.session import Session

# The 16 colours of the terminal's own palette: readable on a bright ground and on a dark one.
_LOOKS = {
    "em": "3", "strong": "1", "s": "9", "code": "33", "link": "4;36", "bullet": "34", "quote": "36", "quoted": "2",
    "rule": "2", "task": "32", "tex": "36", "h1": "1;4;34", "h2": "1;34", "h3": "1;36", "h4": "1;36", "h5": "1",
    "h6": "1;2", "tok:c": "3;2", "tok:k": "35", "tok:s": "32", "tok:sd": "3;32", "tok:n": "33", "tok:nf": "34",
    "tok:nc": "1;33", "tok:nd": "36", "tok:nb": "36", "tok:gi": "32", "tok:gd": "31", "tok:gh": "1;34", "tok:err": "31",
}  # fmt: skip
_CODE_INDENT = "  "
_IN_URLS = "%:/?#[]@!$&'()*+,;=~-._"


class Rendered(Output):
    """Writes a block when it is finished: a paragraph at its end, a code block at its last line."""

    def __init__(self, out: TextIO, *, colour: bool = True, width: int | None = None) -> None:
        """`colour`: whether to say how text looks; `width`: cells of a line, by default the terminal's."""
        self._out = out
        self._colour = colour
        self._width = width
        self._document = Document()
        self._written = 0
        self._margin = False
        """Whether something has been written before the document."""

    def tap(self, data: str) -> None:
        """Not shown."""

    def piece(self, delta: Delta) -> None:
        """Writes the blocks that the piece has finished."""
        if delta.text_was_reasoning:
            self._end_document()
        if delta.text:
            self._document.feed(delta.text)
            self._write(self._document.stable)

    def end(self, session: Session, reply: Message) -> None:
        """Writes the rest."""
        self._end_document()
        self._out.flush()

    def _end_document(self) -> None:
        # Links that were used before they were defined make the blocks anew: what is written stays as it is.
        before = len(self._document.blocks)
        self._document.finish()
        if len(self._document.blocks) >= before:
            self._write(len(self._document.blocks))
        self._margin = bool(self._margin or self._written)
        self._document, self._written = Document(), 0

    def _write(self, until: int) -> None:
        if until <= self._written:
            return
        width = self._width or shutil.get_terminal_size().columns
        for block in self._document.blocks[self._written : until]:
            for line in self._lines(block, width):
                self._out.write(line.rstrip() + "\n")
        self._written = until
        self._out.flush()

    def _lines(self, block: Block, width: int) -> Iterator[str]:
        is_code = isinstance(block, CodeBlock)
        if isinstance(block, CodeBlock):
            block.layout(width, wrap=False)  # so that a copy from the terminal is what it was
        else:
            block.layout(width)
        is_first = not self._written and block is self._document.blocks[0]
        margin = int(self._margin) if is_first else block.margin
        for _ in range(margin):
            yield self._styled(block.prefix(-1))
        for index in range(block.lines_count):
            indent = _CODE_INDENT if is_code else ""
            _, runs = block.line(index)
            yield self._styled(block.prefix(index)) + indent + self._styled(runs, block.base)

    def _styled(self, runs: list[Run], base: str = "") -> str:
        return "".join(self._run(text, f"{base} {names}") for text, names in runs)

    def _run(self, text: str, names: str) -> str:
        # Text is clean, but Markdown's “&#x202e;” is made of clean text.
        text = text if text.isascii() and text.isprintable() else clean(text).replace("\n", " ")
        if not self._colour or not text:
            return text
        styles = names.split()
        codes = ";".join(filter(None, (_LOOKS.get("link" if name.startswith("link:") else name) for name in styles)))
        shown = f"\x1b[{codes}m{text}\x1b[0m" if codes else text
        url = next((quote(clean_line(name[5:]), safe=_IN_URLS) for name in styles if name.startswith("link:")), "")
        return f"\x1b]8;;{url}\x1b\\{shown}\x1b]8;;\x1b\\" if url else shown
