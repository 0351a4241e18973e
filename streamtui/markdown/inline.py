"""Inline Markdown of a growing leaf: only its end since the last safe cut is parsed again."""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import cache
from typing import Any, NamedTuple

from streamtui.core.styled_text import Run
from streamtui.markdown.inline_rules import (
    CJK,
    DOLLAR,
    MARKS,
    TEX,
    TEX_CLOSERS,
    dollar,
    formula,
    is_cjk,
    parse_inline,
    special,
)
from streamtui.markdown.wrap import Flow

FORCE = 2000  # characters after which text with something left open (an unpaired *) is cut all the same

_space = re.compile(rf"[ \n]|[{CJK}](?=[{CJK}])")  # between two CJK characters is as good a place for a cut as a space
_to_last_space = re.compile(rf"(?s:.*)(?:[ \n]|[{CJK}](?=[{CJK}]))")
_blank = re.compile(r"[\s>]")
_autolink = re.compile(r"<[^\s<>]*>")
_destination = re.compile(
    r"\(\s*+(?:<[^<>\n]*+>|[^\s()<]?+[^\s()]*+(?:\([^\s()]*+\)[^\s()]*+)*+)"
    r"(?:\s++(?:\"(?:[^\"\\]|\\.)*+\"|'(?:[^'\\]|\\.)*+'|\((?:[^()\\]|\\.)*+\)))?+\s*+\)",
    re.DOTALL,
)
_destination_open = re.compile(r"\(\s*+\S*+(?:\s++(?:[\"'(].*+)?)?", re.DOTALL)
_link_open = re.compile(r"\[[^\[\]\n]+\]\([^()\s]*$")


@cache
def _backticks(length: int) -> re.Pattern[str]:
    return re.compile(rf"(?<!`)`{{{length}}}(?!`)")


def _last_cut(text: str, start: int, stop: int) -> int:
    """Behind the last space or between the last two CJK characters of text[start:stop], or 0."""
    space = max(text.rfind(" ", start, stop), text.rfind("\n", start, stop)) + 1
    if text.isascii():
        return space
    match = _to_last_space.match(text, max(start, space), stop)
    return match.end() if match else space


class Mark(NamedTuple):
    """A place to come back to: what an Inline was at the start of a line."""

    length: int
    rest: str
    scanned: int
    dirty: bool
    opened: tuple[tuple[str, int], ...]


class Inline:
    """Inline Markdown that arrives in pieces.

    Text is cut after spaces where nothing is open (no emphasis, code span, link, formula); each piece is
    parsed once and goes to `flow`. Where a cut is made depends on the text alone, never on how it was fed:
    a decision is made only when the whole word is there, and looks at most FORCE characters ahead.
    """

    __slots__ = ("_buffer", "_dirty", "_env", "_opened", "_pos", "_start", "_tail", "flow", "version")

    def __init__(self, env: dict[str, Any]) -> None:
        self._env = env
        self._buffer = ""  # text from the last cut on is _buffer[_start:], of which [_start:_pos] is scanned
        self._start = self._pos = 0
        self._dirty = False  # [_start:_pos] holds something for markdown-it
        self._opened: list[tuple[str, int]] = []  # what is open at _pos: (delimiter, how many)
        self._tail: list[Run] | None = []
        self.flow = Flow()
        self.version = 0

    def feed(self, text: str) -> None:
        """Append text."""
        self._buffer = self._buffer[self._start :] + text
        self._pos -= self._start
        self._start = 0
        self.version += 1
        self._tail = None
        if " " in text or "\n" in text or not text.isascii() or len(self._buffer) >= MARKS:
            self._scan(final=False)

    def finish(self) -> None:
        """No more text will come."""
        self._scan(final=True)
        self.version += 1
        self._tail = []

    def mark(self) -> Mark:
        """The present state, for `rewind`."""
        rest = self._buffer[self._start :]
        return Mark(self.flow.length, rest, self._pos - self._start, self._dirty, tuple(self._opened))

    def rewind(self, mark: Mark) -> None:
        """Forget all text fed since `mark`."""
        self.flow.truncate(mark.length)
        self._buffer, self._start, self._pos, self._dirty = mark.rest, 0, mark.scanned, mark.dirty
        self._opened = list(mark.opened)
        self.version += 1
        self._tail = None

    def tail(self) -> list[Run]:
        """Runs of what is not final yet, as if what is open were closed right here: no ** flashes up."""
        if self._tail is None:
            text = self._buffer[self._start :]
            self._tail = parse_inline(self._closed() if special.search(text) else text, self._env)
        return self._tail

    def _closed(self) -> str:
        """The rest with closers for what is open, without a mark at its very end that opens something."""
        opened = self._opened.copy()
        end, closers = self._open_at_end()
        closers += "".join(sign * count for sign, count in reversed(self._opened) if sign != "[")
        self._opened = opened
        text = self._buffer[self._start : end].removesuffix("\\")
        if _link_open.search(text):
            return text + ")"
        body = text.rstrip()
        return body + closers + text[len(body) :]

    def _open_at_end(self) -> tuple[int, str]:
        """Scan the last word into _opened; where the text to be shown ends, the closer of a code span."""
        position, end = self._pos, len(self._buffer)
        while match := special.search(self._buffer, position):
            token = match.group()
            is_last = match.end() == end and token[0] in "*_~`"
            before = sum(count for _, count in self._opened) if is_last else 0
            position = self._token(match, end, known=True)
            if is_last and sum(count for _, count in self._opened) >= before:
                return match.start(), ""
            if token[0] == "`" and position == match.end():
                return end, token
        return end, ""

    def _emit(self, end: int) -> None:
        """Cut at `end`: what is before is final."""
        piece = self._buffer[self._start : end]
        if self._dirty:
            for text, style in parse_inline(piece, self._env):
                self.flow.push(text, style)
        elif piece:
            self.flow.push(piece, "")
        self._start = end
        self._pos = max(self._pos, end)
        self._dirty = False

    def _scan(self, final: bool) -> None:
        starts = self._token_starts()
        while True:
            start = self._start
            edge, known = start + FORCE, final or len(self._buffer) >= start + FORCE
            last = bisect_left(starts, start) + MARKS
            if last < len(starts) and starts[last] < edge:
                edge, known = starts[last], True
            stop = min(edge, len(self._buffer)) if known else _last_cut(self._buffer, self._pos, edge)
            if stop <= start or not self._advance(stop, known):
                return
            if starts and self._start == start + FORCE:  # perhaps inside a token
                starts = self._token_starts()

    def _token_starts(self) -> list[int]:
        """Where the special tokens begin, unless there can't be more than MARKS of them."""
        if len(self._buffer) - self._start <= MARKS:
            return []
        return [token.start() for token in special.finditer(self._buffer, self._start)]

    def _advance(self, stop: int, known: bool) -> bool:
        """Scan up to `stop` until one piece is cut; False if more text is needed for that.

        `known`: what follows `stop` has no say.
        """
        buffer = self._buffer
        while True:
            match = special.search(buffer, self._pos, stop) if self._pos < stop else None
            at = match.start() if match else stop
            if not self._opened and self._cut_before(at):
                return True
            if match is None:
                return self._cut_at_edge(stop, known)
            if match.group()[0] == "_" and self._inside_word(at, match.end(), stop):
                self._pos = match.end()
                continue
            opened = len(self._opened)
            position = self._token(match, stop, known)
            if position < 0:
                self._pos = at
                return False
            # A delimiter that opens nothing is text; markdown-it takes 0.1 ms to say so.
            self._dirty = self._dirty or bool(opened or self._opened) or match.group()[0] not in "*_~"
            self._pos = position

    def _cut_before(self, at: int) -> bool:
        """Cut between _pos and `at`, where nothing is open: plain text as late as can be, other as early."""
        if self._dirty:
            space = _space.search(self._buffer, self._pos, at)
            cut = space.end() if space else 0
        else:
            cut = _last_cut(self._buffer, self._start, at)
        if cut <= self._start:
            return False
        self._emit(cut)
        return True

    def _cut_at_edge(self, stop: int, known: bool) -> bool:
        if not known:
            self._pos = stop - 1  # once more with what follows: a cut may be there
            return False
        whole = stop == len(self._buffer) and stop - self._start < FORCE
        cut = stop if whole else _last_cut(self._buffer, self._start, stop)
        self._emit(cut if cut > self._start else stop)
        self._pos = self._start
        self._opened.clear()
        return True

    def _inside_word(self, start: int, end: int, stop: int) -> bool:
        before, after = self._around(start, end, stop)
        return before.isalnum() and after.isalnum()

    def _around(self, start: int, end: int, stop: int) -> tuple[str, str]:
        before = self._buffer[start - 1] if start > self._start else " "
        return before, self._buffer[end] if end < stop else " "

    def _token(self, match: re.Match[str], stop: int, known: bool) -> int:
        """Take in one special token; where to go on, -1 if that depends on text that is not there yet."""
        token, at, end = match.group(), match.start(), match.end()
        first = token[0]
        if first == "\\":
            return self._tex(token, end, min(at + TEX, stop), known or stop >= at + TEX)
        if first == "`":
            closed = _backticks(len(token)).search(self._buffer, end, stop)
            return closed.end() if closed else end if known else -1
        if first == "$":
            return self._dollar(at, end, stop, known)
        if first in "*_~":
            self._delimiter(first, at, end, stop)
        elif first == "<":
            return self._autolink(at, end, stop, known)
        elif first == "h" and not self._opened and is_cjk(self._buffer, end, stop):
            self._dirty = True  # the link ends here, markdown-it would go on to the next space
            self._emit(end)
        elif token in ("[", "!["):
            self._opened.append(("[", 1))
        elif first == "]" and ("[", 1) in self._opened:
            return self._link_end(end, stop, known)
        return end

    def _autolink(self, at: int, end: int, stop: int, known: bool) -> int:
        closed = _autolink.match(self._buffer, at, stop)
        if closed:
            return closed.end()
        cut_short = not known and not _blank.search(self._buffer, at, stop)  # a word is whole but for CJK ones
        return -1 if cut_short else end

    def _tex(self, token: str, end: int, stop: int, known: bool) -> int:
        closer = TEX_CLOSERS.get(token)
        if closer is None:
            return end
        found = self._buffer.find(closer, end, stop)
        return found + 2 if found >= 0 else end if known else -1

    def _dollar(self, at: int, end: int, stop: int, known: bool) -> int:
        double = self._buffer.startswith("$$", at)
        limit = at + (TEX if double else DOLLAR)
        match = dollar.match(self._buffer, at, min(stop, limit))
        if match:
            return match.end() if formula.search(match.group()) else end
        dead = known or stop >= limit or (not double and self._buffer.find("\n", at, stop) >= 0)
        return end if dead else -1

    def _link_end(self, end: int, stop: int, known: bool) -> int:
        """A bracket closes: its destination, if one follows, belongs to it."""
        if end < stop and self._buffer[end] == "(":
            match = _destination.match(self._buffer, end, stop)
            if match:
                end = match.end()
            elif not known and _destination_open.fullmatch(self._buffer, end, stop):
                return -1
        while self._opened.pop()[0] != "[":
            pass
        return end

    def _delimiter(self, sign: str, at: int, end: int, stop: int) -> None:
        """CommonMark's flanking rules, near enough to know what is open; what stays so is only cut later."""
        before, after = self._around(at, end, stop)
        left = not after.isspace() and (after.isalnum() or not before.isalnum() or bool(is_cjk(before)))
        right = not before.isspace() and (before.isalnum() or not after.isalnum() or bool(is_cjk(after)))
        count = end - at
        if right and (sign != "_" or not left or not after.isalnum()):
            count = self._close(sign, count)
        if count and left and (sign != "_" or not right or not before.isalnum()):
            self._opened.append((sign, count))

    def _close(self, sign: str, count: int) -> int:
        """Pair `count` signs with those open since the last bracket; how many are left over."""
        while count:
            for index in range(len(self._opened) - 1, -1, -1):
                if self._opened[index][0] in (sign, "["):
                    break
            else:
                return count
            if self._opened[index][0] == "[":
                return count
            paired = min(count, self._opened[index][1])
            left = self._opened[index][1] - paired
            del self._opened[index:]
            if left:
                self._opened.append((sign, left))
            count -= paired
        return 0
