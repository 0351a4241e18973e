"""The block machine: takes each line once, through a stack of containers, into leaf blocks."""

from __future__ import annotations

import re
from html import unescape
from typing import Any, TypeVar

from streamtui.core.styled_text import Run
from streamtui.markdown.blocks import Block, Frame, RuleBlock, TextBlock
from streamtui.markdown.code_block import CodeBlock
from streamtui.markdown.containers import (
    BAR,
    CODE_INDENT,
    Container,
    Cursor,
    Item,
    Items,
    Marker,
    Quote,
    item,
)
from streamtui.markdown.inline import Inline
from streamtui.markdown.leaf_blocks import Fence, Heading, Indented, Leaf, Paragraph, Table
from streamtui.markdown.table import TableBlock, alignments

# What a line that begins a block other than a paragraph can begin with.
_starts = frozenset(">#`~*-+_=|:0123456789")
_heading = re.compile(r"(#{1,6})(?:[ \t]+|$)").match
# A longer info string is text: what a line is must be clear before too much of it has been held back.
_fence = re.compile(r"(`{3,}+)([^`]{0,300})|(~{3,}+)(.{0,300})").fullmatch
_rule = re.compile(r"([-_*])(?:[ \t]*+\1){2,}+[ \t]*+").fullmatch
_setext = re.compile(r"(=+|-+)[ \t]*").fullmatch
_task = re.compile(r"\[([ xX])\][ \t]+(?=\S)").match
_escaped = re.compile(r"\\([!-/:-@\[-`{-~])")

DEEPEST = 40  # containers in one another; deeper marks are text
LONG_HELD = 500  # characters from which a held start of a line is not looked at again for more of the same

B = TypeVar("B", bound=Block)

# The start of a line that does not tell yet what the line is: marks of containers, then what may become one.
_unclear = re.compile(
    r"(?>(?:[ \t>]++|[-+*][ \t]|\d{1,9}[.)][ \t])*)"
    r"(?:[-+*]|\d{1,9}[.)]?|`{1,2}|~{1,2}|#{1,6}[ \t]*+|`{3,}+[^`]{0,300}|~{3,}+.{0,300}"
    r"|([-_*])(?:[ \t]*+\1)*+[ \t]*+|=+[ \t]*|[|:\- \t]++"
    r"|\[[ xX]?\]?[ \t]*|\[[^\[\]]{0,60}(?:\](?::.{0,300})?)?)?"
).fullmatch


class Parser:
    """Feeds lines to leaves. `blocks` are those begun so far; the last is open as long as `leaf` shows it."""

    def __init__(self, env: dict[str, Any]) -> None:
        """`env`: link definitions, as markdown-it keeps them."""
        self.env = env
        self.blocks: list[Block] = []
        self.leaf: Leaf | None = None
        self._stack: list[Container] = []
        self._blank = False  # the line before was blank
        self._held = ""  # the start of a line that is not clear yet
        self._begun = False  # the present line is clear, its text goes to the leaf

    def feed(self, text: str) -> None:
        """Take in text; lines end in \\n."""
        start = 0
        while (end := text.find("\n", start)) >= 0:
            if self._begun:
                if end > start:
                    self._leaf.append(text[start:end])
                self._end_line()
            else:
                self._line(self._held + text[start:end])
                self._held = ""
            start = end + 1
        rest = text[start:] if start else text
        if not rest:
            return
        if self._begun:
            self._leaf.append(rest)
            return
        same = len(self._held) > LONG_HELD and not rest.strip(self._held[-1] + " ")
        self._held += rest
        if not same and self._is_clear(self._held):
            self._begin(self._held)
            self._held, self._begun = "", True

    def finish(self) -> None:
        """The document ends here."""
        if self._begun:
            self._end_line()
        elif self._held:
            self._line(self._held)
            self._held = ""
        self._close_leaf()
        self._close_containers(0)

    @property
    def stable(self) -> int:
        """How many blocks can't change any more."""
        return len(self.blocks) - (self.leaf is not None and self.leaf.block is not None)

    @property
    def settled(self) -> int:
        """How many lines of the block after those keep their text, as it was laid out last."""
        return self.leaf.settled if self.leaf is not None and self.leaf.block is not None else 0

    @property
    def _leaf(self) -> Leaf:
        assert self.leaf is not None
        return self.leaf

    # Lines

    def _line(self, text: str) -> None:
        if self._begin(text):
            self._end_line()

    def _end_line(self) -> None:
        self._begun = False
        if self.leaf is not None:
            self.leaf.end_line()
            if isinstance(self.leaf, Heading):
                self._close_leaf()

    def _is_clear(self, text: str) -> bool:
        if isinstance(self.leaf, Fence) and not self._stack:
            return not self.leaf.may_close(text)
        return not _unclear(text)

    def _begin(self, text: str) -> bool:
        """Give a line, or the start of one that is clear, to the leaf it belongs to; False if none got it."""
        cursor = Cursor(text)
        matched = self._match(cursor)
        complete = matched == len(self._stack)
        if complete and isinstance(self.leaf, Fence):
            return self._fence_line(self.leaf, cursor)
        if cursor.blank:
            self._blank_line(cursor, matched, complete)
            return False
        fed = self._content(cursor, matched)
        self._blank = False
        return fed

    def _match(self, cursor: Cursor) -> int:
        """How many of the open containers the line goes on; their marks are eaten."""
        for index, container in enumerate(self._stack):
            if not container.match(cursor, cursor.blank):
                return index
        return len(self._stack)

    def _fence_line(self, fence: Fence, cursor: Cursor) -> bool:
        if fence.closes(cursor.text, cursor.indent):
            self._close_leaf()
            return False
        cursor.eat_columns(fence.indent)
        fence.append(cursor.text)
        return True

    def _blank_line(self, cursor: Cursor, matched: int, complete: bool) -> None:
        if complete and isinstance(self.leaf, Indented):
            cursor.eat_columns(CODE_INDENT)
            self.leaf.blank(cursor.text)
        else:
            self._close(matched)
        self._blank = True

    def _content(self, cursor: Cursor, matched: int) -> bool:
        """A line that is not blank, its known containers' marks eaten: new containers, then a leaf."""
        while cursor.indent < CODE_INDENT and cursor.text[cursor.skip] in _starts:
            whole = matched == len(self._stack)
            paragraph = self.leaf if whole and isinstance(self.leaf, Paragraph) else None
            if (paragraph and paragraph.formula) or len(self._stack) > DEEPEST:
                break
            text = cursor.text[cursor.skip :]
            if Quote.begin(cursor):
                self._open(Quote(), matched)
            elif (fed := self._leaf_start(text, cursor.indent, matched, paragraph)) is not None:
                return fed
            elif not self._item_start(cursor, matched, paragraph is not None):
                break
            matched = len(self._stack)
            if cursor.blank:
                return False
        return self._text(cursor, matched)

    # What a line can begin

    def _leaf_start(self, text: str, indent: int, matched: int, paragraph: Paragraph | None) -> bool | None:
        """Begin a leaf other than a paragraph: whether it takes text of this line, None if there is none."""
        sign = text[0]
        if sign == "#" and (heading := _heading(text)):
            level = len(heading[1])
            self._close(matched)
            self.leaf = Heading(self._add(TextBlock(self._frame(), Inline(self.env), f"h{level}", level)))
            self.leaf.append(text[heading.end() :])
            return True
        if sign in "`~" and (fence := _fence(text)):
            self._close(matched)
            info = unescape(_escaped.sub(r"\1", fence[2] or fence[4] or "")).split()
            block = self._add(CodeBlock(self._frame(), info[0] if info else ""))
            self.leaf = Fence(block, fence[1] or fence[3], indent)
            return False
        if paragraph and sign in "|:-=" and self._table_or_setext(text, paragraph):
            return False
        if sign in "-_*" and _rule(text):
            self._close(matched)
            self._add(RuleBlock(self._frame()))
            return False
        return None

    def _table_or_setext(self, text: str, paragraph: Paragraph) -> bool:
        """What a line makes of the paragraph before it; False if nothing."""
        header = paragraph.header
        aligns = alignments(header, text.rstrip()) if header else None
        if aligns:
            self._table(header, aligns, paragraph)
            return True
        if not _setext(text):
            return False
        if not paragraph.define():
            self._drop(paragraph)
            return False
        level = 1 if text[0] == "=" else 2
        block = self.blocks.pop()
        assert isinstance(block, TextBlock)
        self.blocks.append(TextBlock(block.frame, block.inline, f"h{level}", level))
        self._close_leaf()
        return True

    def _table(self, header: str, aligns: list[str], paragraph: Paragraph) -> None:
        if paragraph.take_header():
            self._close_leaf()
            frame = self._frame()
        else:
            frame = paragraph.block.frame if paragraph.block else self._frame()
            self._drop(paragraph)
        self.leaf = Table(self._add(TableBlock(frame, header, aligns, self.env)))

    def _item_start(self, cursor: Cursor, matched: int, interrupts: bool) -> bool:
        """Begin a list item. One that interrupts a paragraph has content, and number 1 if it is numbered."""
        marker = Marker.find(cursor)
        if marker is None:
            return False
        empty = not cursor.text[cursor.skip + marker.size :].strip(" \t")
        if interrupts and (empty or (marker.ordered and marker.number != 1)):
            return False
        self._close(matched, keep_list=True)
        top = self._stack[-1] if self._stack else None
        if not isinstance(top, Items) or (top.mark, top.ordered) != (marker.mark, marker.ordered):
            depth = sum(
                isinstance(container, Items) for container in self._stack[: -1 if isinstance(top, Items) else None]
            )
            top = Items(marker.mark, marker.ordered, depth, marker.number)
            self._open(top, len(self._stack))
        self._begin_child()
        self._stack.append(item(top, marker.eat(cursor)))
        return True

    def _text(self, cursor: Cursor, matched: int) -> bool:
        """Text that begins nothing but perhaps a paragraph or indented code."""
        whole = matched == len(self._stack)
        text = cursor.text[cursor.skip :]
        if isinstance(self.leaf, Paragraph):  # goes on, even where marks of containers are missing
            self.leaf.start_line(header=whole and cursor.indent < CODE_INDENT)
        elif cursor.indent >= CODE_INDENT:
            cursor.eat_columns(CODE_INDENT)
            text = cursor.text
            if not (whole and isinstance(self.leaf, Indented)):
                self._close(matched)
                self.leaf = Indented(self._add(CodeBlock(self._frame(), "")))
        elif not (whole and isinstance(self.leaf, Table)):
            self._close(matched)
            text = self._paragraph(text)
        self._leaf.append(text)
        return True

    def _paragraph(self, text: str) -> str:
        """Open a paragraph; its text without the box of a task."""
        top = self._stack[-1] if self._stack else None
        if isinstance(top, Item) and not top.begun and (task := _task(text)):
            top.check(task[1] != " ")
            text = text[task.end() :]
        self._begin_child()
        blank = self._blank
        self.leaf = Paragraph(self.env, lambda inline: self._add(TextBlock(self._frame(blank), inline)))
        return text

    # Opening and closing

    def _open(self, container: Container, matched: int) -> None:
        self._close(matched)
        self._begin_child()
        self._stack.append(container)

    def _begin_child(self) -> None:
        top = self._stack[-1] if self._stack else None
        if isinstance(top, Item):
            top.begun = True

    def _close(self, matched: int, keep_list: bool = False) -> None:
        """Close the leaf and all containers but the first `matched`; a list too, unless its item follows."""
        self._close_leaf()
        self._close_containers(matched)
        if not keep_list and self._stack and isinstance(self._stack[-1], Items):
            self._stack.pop()

    def _close_containers(self, matched: int) -> None:
        while len(self._stack) > matched:
            top = self._stack[-1]
            if isinstance(top, Item) and not top.used:
                self._add(TextBlock(self._frame(), Inline(self.env)))
            self._stack.pop()

    def _close_leaf(self) -> None:
        leaf, self.leaf = self.leaf, None
        if isinstance(leaf, Paragraph) and not leaf.define():
            self._drop(leaf)
        elif leaf is not None:
            leaf.close()

    def _drop(self, paragraph: Paragraph) -> None:
        """Take a paragraph back: all of it was something else."""
        self.leaf = None
        if paragraph.block is not None:
            self.blocks.pop()

    def _frame(self, blank: bool | None = None) -> Frame:
        """What stands around the next block. Margins in a list are as written, elsewhere one line."""
        blank = self._blank if blank is None else blank
        first: list[Run] = []
        rest: list[Run] = []
        gap: list[Run] = []
        outer: Items | None = None
        fresh = quoted = False
        for container in self._stack:
            if isinstance(container, Items):
                if outer is None:
                    outer, fresh = container, not container.used
            else:
                quoted = quoted or isinstance(container, Quote)
                pad = [BAR] if isinstance(container, Quote) else container.pad
                first += container.marker if isinstance(container, Item) and not container.used else pad
                rest += pad
                gap += pad if container.used else []
            container.used = True
        margin = int(bool(self.blocks) and (outer is None or fresh or blank))
        return Frame(margin, first, rest, gap, quoted)

    def _add(self, block: B) -> B:
        self._begin_child()
        self.blocks.append(block)
        return block
