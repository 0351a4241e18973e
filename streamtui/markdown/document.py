"""Streaming Markdown: text becomes blocks of styled lines, at a constant cost per token."""

from __future__ import annotations

import re
from typing import Any

from streamtui.core.styled_text import Run
from streamtui.markdown.blocks import Block, RuleBlock, TextBlock
from streamtui.markdown.code_block import CodeBlock
from streamtui.markdown.parser import Parser
from streamtui.markdown.table import TableBlock

__all__ = ["Block", "CodeBlock", "Document", "RuleBlock", "Run", "TableBlock", "TextBlock", "parse"]

_line_end = re.compile("\r\n?")


class Document:
    """A message's text as blocks, growing. However the text is cut into feeds, the same blocks come out."""

    def __init__(self, references: dict[str, Any] | None = None) -> None:
        """`references` are link definitions, as `close` returns them, that hold from the beginning."""
        self.blocks: list[Block] = []
        self._pieces: list[str] = []
        self._held = ""  # a carriage return that may be half of a line end
        self._parser = Parser({"references": references} if references else {})
        self._has_references = bool(references)
        self._parser.blocks = self.blocks
        self._finished = False

    @property
    def stable(self) -> int:
        """`blocks[:stable]` never change again (but see `finish`)."""
        return len(self.blocks) if self._finished else self._parser.stable

    @property
    def settled(self) -> int:
        """How many lines of `blocks[stable]`, as laid out last, keep their text whatever follows (but see `finish`)."""
        return 0 if self._finished else self._parser.settled

    @property
    def source(self) -> str:
        """The whole text as it was fed."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    def feed(self, text: str) -> None:
        """Append text. Raises ValueError after `finish`."""
        if self._finished:
            raise ValueError("the document is finished")
        self._pieces.append(text)
        self._parser.feed(self._clean(text))

    def finish(self, *, relink: bool = True) -> bool:
        """No more text will come, all blocks are stable.

        True if all blocks were made anew, because links were used before they were defined (`[text][1]`); never
        without `relink`.
        """
        references = self.close()
        if references is None or not relink:
            return False
        again = Document(references)
        again.feed(self.source)
        again.close()
        self.blocks[:] = again.blocks
        return True

    def close(self) -> dict[str, Any] | None:
        """Finish as `finish` does, but return the link definitions if all blocks should be made anew with them."""
        if self._finished:
            return None
        self._finished = True
        self._parser.feed(self._held.replace("\r", "\n"))
        self._parser.finish()
        references: dict[str, Any] = self._parser.env.get("references", {})
        if self._has_references or self.source.count("[") <= len(references):
            return None
        return references or None

    def _clean(self, text: str) -> str:
        if self._held or "\r" in text:
            text = self._held + text
            self._held = "\r" if text.endswith("\r") else ""
            text = _line_end.sub("\n", text.removesuffix("\r") if self._held else text)
        return text.replace("\0", "\ufffd") if "\0" in text else text


def parse(text: str) -> list[Block]:
    """The blocks of a whole text."""
    document = Document()
    document.feed(text)
    document.finish()
    return document.blocks
