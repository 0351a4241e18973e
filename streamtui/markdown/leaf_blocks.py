"""Open leaves: what takes in the text of a document's lines and shows it as a block."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from streamtui.markdown.blocks import Block, TextBlock
from streamtui.markdown.code_block import CodeBlock
from streamtui.markdown.inline import Inline, Mark
from streamtui.markdown.table import TableBlock

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

HEADER = 2000  # characters up to which a line can be a table's header
DEFINITIONS = 4000  # characters up to which a paragraph can be link definitions
_definition = re.compile(r"\[[^\[\]]{0,999}(?:\](?::\s*+(\S++\s*+(?:[\"'(][^\n]*+)?)?(?:\n|$)?)?)?")


@cache
def _definition_parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("zero").enable(["reference", "paragraph"])


class Leaf(Protocol):
    """An open leaf. `append` is given text of one line, `end_line` ends it, `close` ends the leaf."""

    @property
    def block(self) -> Block | None:
        """The block that shows it, if it is shown yet."""

    @property
    def settled(self) -> int:
        """How many lines of the block, as laid out last, keep their text whatever follows."""

    def append(self, text: str) -> None:
        """Add text of the present line."""

    def end_line(self) -> None:
        """The present line is complete."""

    def close(self) -> None:
        """The leaf is complete."""


class Paragraph:
    """A paragraph: its last line may turn out to be a table's header, all of it a heading or definitions."""

    def __init__(self, env: dict[str, Any], show: Callable[[Inline], TextBlock]) -> None:
        """`show` makes the block appear: at once, or when it is clear that the text is no link definition."""
        self._env = env
        self._show = show
        self._inline = Inline(env)
        self._spaces = ""  # trailing white space, shown if more follows in the line
        self._line = ""  # the present line, as long as it can be a header
        self._mark: Mark | None = None  # before it
        self._may_head = True
        self._preview = False  # it is shown as a table's header already
        self._raw: str | None = None  # all text as long as it can be definitions
        self._definition = 0  # where the last one in it begins
        self.block: TextBlock | None = None
        self.formula = ""  # what ends the formula whose lines are no lists or headings: \\] or $$

    @property
    def settled(self) -> int:
        """None while it can turn out to be link definitions, or its last line a table's header."""
        return 0 if self._raw is not None or self.header else self._inline.flow.settled

    def append(self, text: str) -> None:
        """Add text of the present line."""
        if self.block is None and self._raw is None:
            self._raw = "" if text[0] == "[" else None
            if self._raw is None:
                self.block = self._show(self._inline)
                self._preview = text[0] == "|"
        if len(self._line) <= HEADER:
            self._line += text
        if self._preview and self.block is not None and len(self._line) <= HEADER:
            self.block.preview = self._line
            return
        self._end_preview()
        if self._raw is not None:
            self._remember(text)
        self._feed(text)

    def _feed(self, text: str) -> None:
        body = text.rstrip(" \t")
        if body:
            self._inline.feed((self._spaces + body).replace("\t", "    "))
            self._spaces = text[len(body) :]
        else:
            self._spaces += text

    def _end_preview(self) -> None:
        """It is no table: show the text as it is."""
        if self._preview and self.block is not None:
            self._preview, text, self.block.preview = False, self.block.preview, ""
            self._feed(text)

    def _remember(self, text: str) -> None:
        raw = (self._raw or "") + text
        self._raw = raw if len(raw) <= DEFINITIONS else None
        if self.block is None:
            self._definition = -1 if self._raw is None else _last_definition(raw, self._definition)
            if self._definition < 0:
                self.block = self._show(self._inline)

    def start_line(self, header: bool) -> None:
        """A further line begins; `header`: it can be a table's."""
        self._end_preview()
        self._mark = self._inline.mark()
        self._line = self._spaces = ""
        self._may_head = header
        if self._raw is not None:
            self._raw += "\n"
        self._inline.feed("\n")

    def end_line(self) -> None:
        """The present line is complete."""
        self._spaces = ""
        line = self._line.strip()
        if self._mark is None:
            self.formula = {"\\[": "\\]", "$$": "$$"}.get(line, "")
        elif self.formula and self.formula in line:
            self.formula = ""

    @property
    def header(self) -> str:
        """The last line if it can be the header of a table, else nothing."""
        return self._line if self._may_head and "|" in self._line and len(self._line) <= HEADER else ""

    def take_header(self) -> bool:
        """The last line is a table's: forget it. False if nothing is left."""
        if self._mark is None:
            return False
        self._inline.rewind(self._mark)
        if self._raw is not None:
            self._raw = self._raw[: self._raw.rfind("\n")]
        return True

    def define(self) -> bool:
        """Take the link definitions at the start out; False if nothing is left."""
        self._end_preview()
        raw, self._raw = self._raw, None
        if raw is None:
            return True
        if "]:" in raw:
            env: dict[str, Any] = {}
            tokens = _definition_parser().parse(raw, env)
            for name, value in env.get("references", {}).items():
                self._env.setdefault("references", {}).setdefault(name, value)
            if not tokens:
                return False
            first = (tokens[0].map or [0])[0]
            if first:
                self._restart("\n".join(raw.split("\n")[first:]))
        if self.block is None:
            self.block = self._show(self._inline)
        return True

    def _restart(self, text: str) -> None:
        self._inline = Inline(self._env)
        self._inline.feed(text.replace("\t", "    "))
        if self.block is not None:
            self.block.inline = self._inline

    def close(self) -> None:
        """The paragraph is complete."""
        self._inline.finish()


def _last_definition(raw: str, at: int) -> int:
    """Where the last link definition begins if raw[at:] is, or may become, nothing but definitions; -1 if it is not."""
    while (match := _definition.match(raw, at)) and match.end() > at:
        if match.end() == len(raw):
            return at
        if match[1] is None:
            return -1
        at = match.end()
    return -1


class Heading:
    """An ATX heading: its closing #s are left out."""

    def __init__(self, block: TextBlock) -> None:
        self.block = block
        self.settled = 0
        self._held = ""  # what may be the closing sequence
        self._last = ""

    def append(self, text: str) -> None:
        """Add text of the line."""
        text = self._held + text
        end = len(text.rstrip(" \t").rstrip("#").rstrip(" \t"))
        if text[end : end + 1] == "#" and (text[end - 1] if end else self._last):
            end = len(text.rstrip(" \t"))  # C# is no closing sequence
        if end:
            self.block.inline.feed(text[:end].replace("\t", "    "))
            self._last = text[end - 1]
        self._held = text[end:]

    def end_line(self) -> None:
        """The heading is complete."""

    def close(self) -> None:
        """The heading is complete."""
        self.block.inline.finish()


class Fence:
    """A fenced code block."""

    def __init__(self, block: CodeBlock, fence: str, indent: int) -> None:
        self.block = block
        self.sign = fence[0]
        self.indent = indent
        self._closer = re.compile(rf"[ \t]*{re.escape(self.sign)}{{{len(fence)},}}[ \t]*").fullmatch
        self._may_close = re.compile(rf" {{0,3}}{re.escape(self.sign)}*[ \t]*").fullmatch
        self.append = block.grow
        self.end_line = block.end_row
        self.close = block.close

    @property
    def settled(self) -> int:
        """How many lines stay as they are."""
        return self.block.settled

    def closes(self, text: str, indent: int) -> bool:
        """Whether a line is the closing fence."""
        return indent <= 3 and bool(self._closer(text))

    def may_close(self, text: str) -> bool:
        """Whether the start of a line may become the closing fence."""
        return bool(self._may_close(text))


class Indented:
    """An indented code block; blank lines at its end are not part of it."""

    def __init__(self, block: CodeBlock) -> None:
        self.block = block
        self._blanks: list[str] = []
        self.end_line = block.end_row
        self.close = block.close

    @property
    def settled(self) -> int:
        """How many lines stay as they are."""
        return self.block.settled

    def append(self, text: str) -> None:
        """Add text of the present row."""
        for blank in self._blanks:
            self.block.push(blank)
        self._blanks.clear()
        self.block.grow(text)

    def blank(self, text: str) -> None:
        """A blank row."""
        self._blanks.append(text)


class Table:
    """A table."""

    def __init__(self, block: TableBlock) -> None:
        self.block = block
        self.settled = 0  # a later row may widen the columns
        self.append = block.grow
        self.end_line = block.end_row

    def close(self) -> None:
        """The table is complete."""
