"""The containers of a Markdown line, quotes and list items, and a cursor that eats their marks."""

from __future__ import annotations

import re
from dataclasses import dataclass

from streamtui.core.styled_text import Run

BAR: Run = ("▌ ", "quote")
BULLETS = "•◦▪"
CODE_INDENT = 4
_marker = re.compile(r"([-+*])(?=[ \t]|$)|(\d{1,9})([.)])(?=[ \t]|$)")


class Cursor:
    """A line and how much of it is eaten. Tabs reach to columns of 4; one eaten in part becomes spaces."""

    __slots__ = ("column", "indent", "skip", "text")

    def __init__(self, text: str) -> None:
        self.text = text  # what is left
        self.column = 0  # where that begins
        self.measure()

    def measure(self) -> None:
        """Set `skip` and `indent`: the characters and columns of white space at the start of what is left."""
        text = self.text
        self.skip = len(text) - len(text.lstrip(" \t"))
        column = self.column
        for char in text[: self.skip]:
            column += 4 - column % 4 if char == "\t" else 1
        self.indent = column - self.column

    @property
    def blank(self) -> bool:
        return self.skip == len(self.text)

    def eat(self, characters: int) -> None:
        """Eat characters that are no tabs."""
        self.text = self.text[characters:]
        self.column += characters
        self.measure()

    def eat_columns(self, columns: int) -> None:
        """Eat white space, `columns` wide at most."""
        columns = min(columns, self.indent)
        at = 0
        while columns > 0:
            size = 4 - self.column % 4 if self.text[at] == "\t" else 1
            at += 1
            if size > columns:
                self.text = " " * (size - columns) + self.text[at:]
                self.column += columns
                at = columns = 0
                break
            self.column += size
            columns -= size
        self.text = self.text[at:]
        self.measure()


@dataclass(slots=True)
class Quote:
    """A block quote."""

    used: bool = False  # a block was shown in it

    def match(self, cursor: Cursor, blank: bool) -> bool:
        """Eat the quote's mark at the start of its next line; False if there is none."""
        return self.begin(cursor)

    @staticmethod
    def begin(cursor: Cursor) -> bool:
        if cursor.indent >= CODE_INDENT or cursor.text[cursor.skip : cursor.skip + 1] != ">":
            return False
        cursor.eat_columns(cursor.indent)
        cursor.eat(1)
        if cursor.indent:
            cursor.eat_columns(1)
        return True


@dataclass(slots=True)
class Items:
    """A list: what its items have in common."""

    mark: str  # - + * . or )
    ordered: bool
    depth: int  # lists around it
    number: int  # of the next item
    used: bool = False

    def match(self, cursor: Cursor, blank: bool) -> bool:
        """A list goes on as long as its item, or another like it follows."""
        return True


@dataclass(slots=True)
class Item:
    """A list item."""

    content: int  # columns its content is indented by
    marker: list[Run]
    pad: list[Run]
    used: bool = False
    begun: bool = False  # it has content

    def match(self, cursor: Cursor, blank: bool) -> bool:
        """Eat the indentation of the item's next line; False if it ends, as an empty one does at a blank."""
        if blank:
            cursor.eat_columns(self.content)
            return self.begun
        if cursor.indent < self.content:
            return False
        cursor.eat_columns(self.content)
        return True

    def check(self, done: bool) -> None:
        """Make it an item of a task list."""
        box: Run = ("☑ " if done else "☐ ", "task")
        self.marker = [box] if self.marker[0][0][0] in BULLETS else [*self.marker, box]
        self.pad = [(" " * sum(len(text) for text, _ in self.marker), "")]


Container = Quote | Items | Item


@dataclass(slots=True)
class Marker:
    """A list marker found at the start of a line."""

    mark: str
    ordered: bool
    number: int
    size: int

    @staticmethod
    def find(cursor: Cursor) -> Marker | None:
        """The marker at the start of what is left, after its indentation."""
        match = _marker.match(cursor.text, cursor.skip)
        if match is None:
            return None
        bullet, number, delimiter = match.groups()
        if bullet:
            return Marker(bullet, False, 0, 1)
        return Marker(delimiter, True, int(number), len(number) + 1)

    def eat(self, cursor: Cursor) -> int:
        """Eat the marker and the space behind it; the columns its content is indented by."""
        indent = cursor.indent
        cursor.eat_columns(indent)
        cursor.eat(self.size)
        spaces = cursor.indent
        if cursor.blank or spaces > CODE_INDENT:
            spaces = 1
        cursor.eat_columns(spaces)
        return indent + self.size + spaces


def item(items: Items, content: int) -> Item:
    """The next item of a list."""
    if items.ordered:
        text = f"{items.number}{items.mark} "
        items.number += 1
    else:
        text = BULLETS[min(items.depth, len(BULLETS) - 1)] + " "
    return Item(content, [(text, "bullet")], [(" " * len(text), "")])
