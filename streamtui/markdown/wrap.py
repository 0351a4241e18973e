"""Wraps styled runs into lines, resumably: text that is appended never moves an earlier break."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from rich.cells import cell_len, get_character_cell_size

from streamtui.core.styled_text import Line, Run

SEPARATOR: Run = (" │ ", "rule")  # between a table's columns
LONGEST_CLUSTER = 32  # code points
LONGEST_LINE = 20  # characters for each cell, however little they take

# One cell each, no part of an emoji sequence, breaking only at spaces (a test asks rich's table).
_LETTERS = "!-~\xa0-\xac\xae-\u02ff\u0370-\u0377\u037a-\u037f\u0384-\u0482\u048a-\u052f\u05d0-\u05ea\u0620-\u064a"
_SIGNS = "\u2010-\u2027\u2030-\u203b\u203d-\u2048\u2500-\u25a9\u2200-\u22ff\u2800-\u28ff\u2190-\u2193"
_narrow = re.compile(f"[ {_LETTERS}{_SIGNS}]*").fullmatch
# Two cells each, a break allowed between any two.
WIDE = "\u3041-\u3094\u30a1-\u30fa\u3105-\u312f\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3"
_EXTENDS = "\u0300-\u036f\u200d\u20d0-\u20ff\ufe00-\ufe0f\U0001f3fb-\U0001f3ff"
_unit = re.compile(
    f"(?P<space>[ \u200b]+)|(?P<word>[{_LETTERS}{_SIGNS}]+)(?![{_EXTENDS}])"
    f"|(?P<wide>[{WIDE}]+)(?![{_EXTENDS}])"
    "|(?P<other>[\U0001f1e6-\U0001f1ff]{2}|.)",
    re.DOTALL,
)
_flag = re.compile("[\U0001f1e6-\U0001f1ff]").match
_extends = re.compile(f"[{_EXTENDS}\U000e0020-\U000e007f]").match
NO_START = frozenset("、。，．：；！？）」』】〉》〕｝］…‥ーぁぃぅぇぉっゃゅょァィゥェォッャュョ々・.,;:!?)]}%")
NO_END = frozenset("（「『【〈《〔｛［([{")


def is_narrow(text: str) -> bool:
    """Whether every character of `text` takes one cell and breaks only at spaces: what is laid out fast."""
    return bool(_narrow(text))


def cells(text: str) -> int:
    """Cells a terminal gives to `text`."""
    return len(text) if _narrow(text) else cell_len(text)


def surplus(text: str) -> int:
    """How many characters any line cut from `text` can have beyond its cells: accents, joined emoji."""
    return 0 if _narrow(text) else sum(max(0, end - start - size) for _, start, end, size in _units(text, 0, len(text)))


def clusters_end(text: str, at: int, stop: int) -> int:
    """Where the grapheme cluster ends whose first part (a character, a pair of flag letters) ends at `at`."""
    stop = min(stop, at + LONGEST_CLUSTER)
    while at < stop:
        char = text[at]
        if char == "\u200d":
            at = min(at + 2, stop)
        elif _extends(char) or (char > "\u02ff" and get_character_cell_size(char) == 0):
            at += 1
        else:
            break
    return at


def _units(text: str, start: int, stop: int) -> Iterator[tuple[str, int, int, int]]:
    """(kind, start, end, cells) of what is one for wrapping.

    Kinds: space; word and wide, whose every character takes one or two cells; sign and picture, one cluster
    whose first character does. What comes later in a cluster, as the selector that makes ❤ an emoji, has no
    say in the kind, else text that is appended could move a break.
    """
    while start < stop:
        match = _unit.match(text, start, stop)
        if match is None:  # pragma: no cover - the last alternative takes any character
            return
        kind, end = match.lastgroup or "", match.end()
        if kind == "space":
            yield kind, start, end, text.count(" ", start, end)
        elif kind == "word":
            yield kind, start, end, end - start
        elif kind == "wide":
            yield kind, start, end, 2 * (end - start)
        else:
            end = clusters_end(text, end, stop)
            size = cell_len(text[start:end])
            yield ("picture" if cell_len(text[start]) > 1 or _flag(text[start]) else "sign"), start, end, size
        start = end


class _Filler:
    """Fills one line with units and remembers where it could be broken."""

    def __init__(self, text: str, start: int, width: int) -> None:
        self.text, self.start, self.width = text, start, width
        self.column = 0
        self.last = -1  # where the next line would start if the line were broken at its last opportunity
        self.wide_before = False

    def may_break(self, at: int) -> bool:
        return at > self.start and self.text[at] not in NO_START and self.text[at - 1] not in NO_END

    def put(self, kind: str, start: int, end: int, size: int) -> int:
        """Add a unit; where the next line starts if it does not fit, else -1."""
        if kind == "space":
            self.column += size  # beyond the width too: an accent on the last of the spaces shows them all
            if start > self.start:  # never break after an indentation alone
                self.last = end
            self.wide_before = False
            return -1
        wide = kind in ("wide", "picture")
        if (wide or self.wide_before) and self.may_break(start):
            self.last = start
        if self.column + size > self.width:
            return self.overflow(kind, start, end)
        self.column += size
        self.wide_before = wide
        if kind == "wide" and end - start > 1 and self.may_break(end - 1):
            self.last = end - 1
        return -1

    def overflow(self, kind: str, start: int, end: int) -> int:
        """Where to break before or inside a unit that is too long for the rest of the line."""
        room = self.width - self.column
        if kind == "wide" and room >= 2:
            cut = start + room // 2
            while self.text[cut] in NO_START and cut > start + 1:
                cut -= 1
            return cut
        if self.last > self.start:
            return self.last
        if kind == "word" and room > 0:
            return start + room
        return start if start > self.start else start + 1 if kind == "word" else end


def _slow_line(text: str, start: int, stop: int, width: int) -> int:
    """Where the line after the one at `start` begins; `stop` if the rest fits."""
    filler = _Filler(text, start, width)
    stop = min(stop, start + LONGEST_LINE * width)
    for kind, begin, end, size in _units(text, start, stop):
        cut = filler.put(kind, begin, end, size)
        if cut >= 0:
            return cut
    return stop


def _narrow_line(text: str, start: int, stop: int, width: int) -> int:
    """The same where the next `width` + 1 characters take one cell each."""
    edge = start + width
    if text[edge] != " ":
        cut = text.rfind(" ", start, edge)
        return edge if cut < 0 or text[start:cut].isspace() or cut == start else cut + 1
    while edge < stop and text[edge] == " ":
        edge += 1
    return edge


def _ranges(text: str, start: int, stop: int, width: int) -> Iterator[tuple[int, int]]:
    """(start, end) of the lines of text[start:stop], which holds no \\n; spaces at a break are left out."""
    while True:
        if stop - start <= width and _narrow(text, start, stop):
            yield start, stop
            return
        edge = start + width + 1
        if edge <= stop and _narrow(text, start, edge):
            cut = _narrow_line(text, start, stop, width)
        else:
            cut = _slow_line(text, start, stop, width)
        end = cut
        if cut < stop or cells(text[start:cut]) > width:
            while end > start and text[end - 1] in " \u200b":
                end -= 1
        yield start, (end if end > start else min(cut, start + width))
        if cut >= stop:
            return
        start = cut


def breaks(text: str, width: int) -> list[tuple[int, int]]:
    """(start, end) of every line of `text` at `width` cells; a cluster wider than `width` stands alone."""
    found: list[tuple[int, int]] = []
    start = 0
    while True:
        newline = text.find("\n", start)
        stop = len(text) if newline < 0 else newline
        found.extend(_ranges(text, start, stop, max(2, width)))
        if newline < 0:
            return found
        start = newline + 1


def wrap(runs: list[Run], width: int, offset: int = 0) -> list[Line]:
    """Lines of `runs` at `width` cells, `offset` that of the first character; equal neighbours are joined."""
    text = "".join([run[0] for run in runs])
    lines: list[Line] = []
    index, begin = 0, 0  # the run that holds the position, and where it starts
    for start, end in breaks(text, width):
        line: list[Run] = []
        at = start
        while at < end:
            run_text, style = runs[index]
            run_end = begin + len(run_text)
            if at >= run_end:
                index, begin = index + 1, run_end
                continue
            piece = run_text[at - begin : end - begin]
            if line and line[-1][1] == style:
                line[-1] = (line[-1][0] + piece, style)
            elif piece:
                line.append((piece, style))
            at += len(piece)
        lines.append((offset + start, line))
    return lines


class Flow:
    """Text that grows at its end, wrapped so that only its unfinished end is wrapped again."""

    __slots__ = ("_base", "_done", "_settled", "_starts", "_width", "fresh", "length", "lines")

    def __init__(self, base: int = 0) -> None:
        """`base` is the offset of the first character."""
        self._base = base
        self._done: list[Run] = []
        self._starts: list[int] = []  # offset of each run of _done
        self.length = 0  # characters of _done
        self.lines: list[Line] = []
        self._settled = 0  # lines that no appended text can change
        self._width = 0
        self.fresh = 0

    def push(self, text: str, style: str) -> None:
        """Append final text."""
        if self._done and self._done[-1][1] == style and len(self._done[-1][0]) < 200:
            self._done[-1] = (self._done[-1][0] + text, style)
        else:
            self._starts.append(self.length)
            self._done.append((text, style))
        self.length += len(text)

    def truncate(self, length: int) -> None:
        """Take back all text from offset `length` on; every line is wrapped again at the next layout."""
        while self._starts and self._starts[-1] >= length:
            self._starts.pop()
            self._done.pop()
        if self._done:
            text, style = self._done[-1]
            self._done[-1] = (text[: length - self._starts[-1]], style)
        self.length = length
        self._settled = 0

    def layout(self, width: int, tail: list[Run]) -> None:
        """Wrap for `width` cells; `tail` follows the final text and may differ at every call."""
        if width != self._width:
            self._width, self._settled, self.lines = width, 0, []
        keep = self._settled
        start = self.lines[keep][0] - self._base if keep else 0
        new = wrap(self._from(start) + tail, width, self._base + start)
        old = self.lines[keep:]
        same = 0
        while same < len(old) and same < len(new) and old[same] == new[same]:
            same += 1
        self.fresh = keep + same
        self.lines[self.fresh :] = new[same:]
        self._settle()

    def _from(self, start: int) -> list[Run]:
        """The final runs from offset `start` on."""
        if not start:
            return self._done.copy()
        index = max(0, bisect_right(self._starts, start) - 1)
        runs = self._done[index:]
        if runs:
            runs[0] = (runs[0][0][start - self._starts[index] :], runs[0][1])
        return runs

    def _settle(self) -> None:
        """A break is final once the character that forced it is."""
        index = self._settled
        while index + 1 < len(self.lines) and self.lines[index + 1][0] < self._base + self.length:
            index += 1
        self._settled = index

    @property
    def settled(self) -> int:
        """How many lines no appended text can change."""
        return self._settled

    def plain(self) -> str:
        """The final text."""
        return "".join([run[0] for run in self._done])
