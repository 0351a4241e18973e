"""Tables: columns shrink to fit, cells wrap, and a row that arrives late is laid out alone."""

from __future__ import annotations

import re
from typing import Any

from streamtui.core.styled_text import Run
from streamtui.markdown.blocks import Block, Frame
from streamtui.markdown.inline_rules import MARKS, parse_inline, special
from streamtui.markdown.wrap import SEPARATOR, cells, is_narrow, surplus, wrap

LEAST = 6  # cells a column keeps when there is room for that
SAMPLE = 64  # rows up to which every row has a say in the columns' widths
FROZEN = 512  # rows from which none has; between the two, whenever their number has doubled
LONGEST = 1000  # characters up to which an unfinished row is shown
ROW = 4000  # characters of a row that are shown
COLUMNS = 100  # more are no table
WEIGHT = 80_000  # characters of rows from which none has a say in the widths; each takes all rows' layout anew
WIDE = 8  # times what a plain character costs to lay out, for text that is not ASCII or the like
_pipe = re.compile(r"(?<!\\)\|")
_break = re.compile(r"<br ?/?>", re.IGNORECASE)
_delimiter = re.compile(r"[|:-][|:\- \t]*").fullmatch
_delimiter_cell = re.compile(r":?-+:?").fullmatch
Cells = list[list[Run]]


def split_row(line: str) -> list[str]:
    """The cells of a row as written."""
    parts = _pipe.split(line.strip())
    if parts and not parts[0].strip():
        parts = parts[1:]
    if parts and not parts[-1].strip():
        parts = parts[:-1]
    return [part.strip().replace("\\|", "|") for part in parts]


def alignments(header: str, line: str) -> list[str] | None:
    """left, right or center for each column if `line` is the delimiter row below `header`, else None."""
    if "|" not in header or not _delimiter(line) or line[:2] in ("-", "- ", "-\t"):
        return None
    columns = split_row(line)
    if not 0 < len(columns) <= COLUMNS or len(columns) != len(split_row(header)):
        return None
    if not all(map(_delimiter_cell, columns)):
        return None
    return [_alignment(column) for column in columns]


def _alignment(column: str) -> str:
    if column.endswith(":"):
        return "center" if column.startswith(":") and len(column) > 1 else "right"
    return "left"


def parse_row(line: str, columns: int, env: dict[str, Any]) -> Cells:
    """The cells' runs; <br> is a line break in them, a tab as wide as elsewhere in a paragraph.

    A row with too much mark-up stays as it is written.
    """
    plain = len(line) > MARKS and len(special.findall(line)) > MARKS
    texts = [_break.sub("\n", cell.replace("\t", "    ")) for cell in split_row(line)[:columns]]
    return [[(text, "")] if plain and text else parse_inline(text, env) for text in texts]


def _size(cell: list[Run]) -> int:
    """Cells of the longest line of a table cell."""
    text = "".join([run[0] for run in cell])
    return cells(text) if "\n" not in text else max(map(cells, text.split("\n")))


def shrink(natural: list[int], room: int) -> list[int]:
    """Column widths that fit into `room`: the widest give way first, none below `LEAST` if that can be."""
    widths = natural.copy()
    excess = sum(widths) - room
    while excess > 0:
        widest = max(widths)
        if widest <= min(LEAST, max(1, room // len(widths))):
            break
        at = [index for index, width in enumerate(widths) if width == widest]
        floor = max([width for width in widths if width < widest], default=1)
        step = max(1, min(widest - max(floor, 1), excess // len(at)))
        for index in at[: excess if step == 1 else None]:
            widths[index] -= step
            excess -= step
    return widths


class TableBlock(Block):
    """A table. Row 0 is its header; a rule stands below it. Lines are built when they are first asked for."""

    kind = "table"

    def __init__(self, frame: Frame, header: str, aligns: list[str], env: dict[str, Any]) -> None:
        super().__init__(frame)
        self._env = env
        self._aligns = aligns
        self._rows: list[Cells] = []
        self._sizes: list[list[int]] = []  # cells of every table cell
        self._natural = [3] * len(aligns)  # of the finished rows that have a say
        self._wanted: list[int] = []  # the natural widths, with the unfinished row's, that were laid out for
        self._surplus = self._fitted = 0  # characters of any line beyond its cells; those laid out for
        self._say = 0  # how many of them there are
        self._widths: list[int] = []
        self._lines: list[list[Run] | tuple[int, int]] = []  # built, or (row, line in the row)
        self._tops: list[int] = []  # first line of each row laid out
        self._partial = ""
        self._partial_shown = self._changed = False
        self._surplus_before = 0  # the unfinished row
        self._light = 1  # how many rows had a say before they weighed too much
        self._weight = 0
        cells = parse_row(header, len(aligns), env)
        self._add([[(text, f"{style} strong".lstrip()) for text, style in cell] for cell in cells])

    # What the parser does

    def push(self, line: str) -> None:
        """Add a row as written."""
        self._drop_partial()
        self._add(parse_row(line if len(line) <= ROW else line[:ROW] + "…", len(self._aligns), self._env))
        self._weight += len(line) if is_narrow(line) else WIDE * len(line)
        if self._weight <= WEIGHT:
            self._light = len(self._rows)

    def grow(self, text: str) -> None:
        """Add to the unfinished last row."""
        self._partial += text
        self._changed = True

    def end_row(self) -> None:
        """The unfinished row is finished."""
        row, self._partial = self._partial, ""
        self.push(row)

    def _add(self, row: Cells) -> None:
        row = row + [[] for _ in range(len(self._aligns) - len(row))]
        self._rows.append(row)
        self._sizes.append([_size(cell) for cell in row])
        extra = sum(surplus(text) for cell in row for text, _ in cell)
        if extra > self._surplus:  # doubled, lest a long table be laid out anew for every row in Hindi
            self._surplus = 1 << (extra - 1).bit_length()
        self._changed = True

    def _drop_partial(self) -> None:
        """Take the unfinished row out again."""
        if self._partial_shown:
            self._rows.pop()
            self._sizes.pop()
            if len(self._tops) > len(self._rows):
                del self._lines[self._tops.pop() :]
            self._partial_shown = False
            self._surplus = self._surplus_before

    # What the painter asks

    @property
    def lines_count(self) -> int:
        return len(self._lines)

    @property
    def _stride(self) -> int:
        """Characters from a line of the plain text to the next: all the same, so that none need be built to know."""
        return sum(self._widths) + len(SEPARATOR[0]) * (len(self._widths) - 1) + self._surplus + 1

    def line(self, index: int) -> tuple[int, list[Run]]:
        line = self._lines[index]
        if isinstance(line, tuple):
            line = self._lines[index] = self._build(*line)
        return index * self._stride, line

    def plain(self) -> str:
        """The lines as laid out, with the pipes and dashes of Markdown, each as long as the others."""
        size = self._stride - 1
        lines = ["".join([text for text, _ in self.line(index)[1]]) for index in range(len(self._lines))]
        return "\n".join([line.replace("│", "|").replace("─┼─", "-|-").replace("─", "-").ljust(size) for line in lines])

    def layout(self, width: int) -> None:
        """Lay out rows that came since; all of them if the width or the columns changed."""
        self.fresh = len(self._lines)
        if width == self._width and not self._changed:
            return
        self._show_partial()
        wanted = self._measure()
        if wanted != self._wanted or width != self._width or self._surplus != self._fitted:
            self._width, self._wanted = width, wanted
            self._fit()
        self._changed = False
        self.fresh = min(self.fresh, len(self._lines))
        for index in range(len(self._tops), len(self._rows)):
            self._place(index)

    # How

    def _show_partial(self) -> None:
        self._drop_partial()
        self.fresh = len(self._lines)
        if self._partial.strip() and len(self._partial) <= LONGEST:
            self._surplus_before = self._surplus
            self._add(parse_row(self._partial, len(self._aligns), self._env))
            self._partial_shown = True

    def _measure(self) -> list[int]:
        """Return the natural widths of the columns, by the rows that have a say.

        Up to 64 rows all have it, the unfinished one too; then at each doubling, after 512 none: a long table is not
        laid out anew for a row.
        """
        count = len(self._rows) - self._partial_shown
        say = min(self._light, count if count <= SAMPLE else min(1 << (count.bit_length() - 1), FROZEN))
        for sizes in self._sizes[self._say : say]:
            self._natural = list(map(max, self._natural, sizes))
        self._say = max(say, self._say)
        if self._partial_shown and count < SAMPLE and count == self._light:
            return list(map(max, self._natural, self._sizes[-1]))
        return self._natural

    def _fit(self) -> None:
        columns = len(self._wanted)
        room = self._inner(self._width) - len(SEPARATOR[0]) * (columns - 1)
        widths = shrink(self._wanted, max(room, columns))
        self._widths = widths
        self._fitted = self._surplus
        self._lines.clear()
        self._tops.clear()

    def _place(self, index: int) -> None:
        """Reserve the lines of row `index`."""
        self._tops.append(len(self._lines))
        height = 1
        if any(map(int.__gt__, self._sizes[index], self._widths)) or self._has_breaks(index):
            height = max(len(wrap(cell, size)) for cell, size in zip(self._rows[index], self._widths, strict=True))
        self._lines.extend([(index, number) for number in range(height)])
        if index == 0:
            self._lines.append([("─┼─".join("─" * size for size in self._widths), "rule")])

    def _has_breaks(self, index: int) -> bool:
        return any("\n" in text for cell in self._rows[index] for text, _ in cell)

    def _build(self, index: int, number: int) -> list[Run]:
        """Line `number` of row `index`."""
        runs: list[Run] = []
        for column, (cell, size) in enumerate(zip(self._rows[index], self._widths, strict=True)):
            if column:
                runs.append(SEPARATOR)
            lines = wrap(cell, size) if self._sizes[index][column] > size or self._has_breaks(index) else [(0, cell)]
            line = lines[number][1] if number < len(lines) else []
            runs.extend(_padded(line, size, self._aligns[column]))
        return runs


def _padded(line: list[Run], size: int, align: str) -> list[Run]:
    room = max(0, size - cells("".join([text for text, _ in line])))
    left = {"left": 0, "center": room // 2, "right": room}[align]
    before: list[Run] = [(" " * left, "")] if left else []
    after: list[Run] = [(" " * (room - left), "")] if room > left else []
    return before + line + after
