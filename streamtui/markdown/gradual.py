"""A document parsed in short steps, so that a megabyte of text at once does not hold up the screen."""

from __future__ import annotations

from typing import Any

from streamtui.markdown.blocks import Block
from streamtui.markdown.document import Document

STEP = 100
"""Characters parsed in one step: 0.2 ms for prose, 15 ms for the worst that was found (a code block in every line)."""


class GradualDocument:
    """A `Document` that holds back the text it is given until `work` is called."""

    def __init__(self) -> None:
        self._document = Document()
        self._waiting = ""
        self._at = 0  # what is before has been parsed
        self._ended = False
        self._closed = False
        self._again: Document | None = None
        """The document made anew because links were used before they were defined, as far as it is parsed."""

    @property
    def blocks(self) -> list[Block]:
        """The blocks of what is parsed; always the same list."""
        return self._document.blocks

    @property
    def stable(self) -> int:
        """`blocks[:stable]` never change again, unless `work` returns True."""
        return self._document.stable

    @property
    def source(self) -> str:
        """The whole text, parsed or not."""
        return self._document.source if self._closed else self._document.source + self._waiting[self._at :]

    @property
    def is_working(self) -> bool:
        """Whether `work` has something left to do."""
        return self._at < len(self._waiting) or self._again is not None or self._ended != self._closed

    def feed(self, text: str) -> None:
        """Append text."""
        self._waiting, self._at = self._waiting[self._at :] + text, 0

    def finish(self) -> None:
        """No more text will come."""
        self._ended = True

    def work(self) -> bool:
        """Do one step. Return True if all blocks were made anew by it."""
        step = self._waiting[self._at : self._at + STEP]
        self._at += len(step)
        if self._again is not None:
            return self._parse_again(self._again, step)
        if step:
            self._document.feed(step)
        elif self._ended and not self._closed:
            self._close(self._document.close())
        return False

    def _close(self, references: dict[str, Any] | None) -> None:
        self._closed = True
        if references is not None:
            self._again, self._waiting, self._at = Document(references), self._document.source, 0

    def _parse_again(self, again: Document, step: str) -> bool:
        if step:
            again.feed(step)
            return False
        again.close()
        self._again = None
        self._document.blocks[:] = again.blocks
        return True
