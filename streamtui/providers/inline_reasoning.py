"""Split reasoning between tags, such as <think>, from the text of a reply."""

import re
from collections.abc import Callable
from typing import NamedTuple

_CLOSING = {
    "<think>": "</think>",
    "<thinking>": "</thinking>",
    "<thought>": "</thought>",
    "<reason>": "</reason>",
    "<reasoning>": "</reasoning>",
    "<seed:think>": "</seed:think>",
    "[THINK]": "[/THINK]",
    "◁think▷": "◁/think▷",
}
"""The opening tags that models use, each with its closing tag."""
_EITHER = {opening: re.compile(f"{re.escape(opening)}|{re.escape(closing)}") for opening, closing in _CLOSING.items()}
_USUAL = "<think>"
_AT_START = (*_CLOSING, _CLOSING[_USUAL])
_LONGEST = max(map(len, _CLOSING.values()))
_MOST = 100
"""Blocks of reasoning; each costs 3 us, and a server may send a million in one piece."""
_MAX_SPACE = 1000
"""Whitespace characters before an opening tag."""
_CODE_SPAN = 200
"""Characters after a tag within which the code span around it must end."""
_SPACE = re.compile(r"\s*")
_SPAN_END = re.compile("[\n`]")
_NOTABLE = re.compile("[<\n`~]")
_MARKS = re.compile("\n|`+|~+")


class Split(NamedTuple):
    """A piece of a reply, split."""

    text: str = ""
    reasoning: str = ""
    text_was_reasoning: bool = False
    """Whether all text before this piece turned out to be reasoning."""


class InlineReasoning:
    """Splits the text of a reply into reasoning and answer, wherever the stream cuts it.

    Reasoning begins with a tag at the start of the reply and ends with the closing tag, or with the reply. Some chat
    templates put the opening tag into the prompt, so that the reply has only the closing one: then all text before it
    was reasoning. Tags in code are text, and so are tags later in the answer. Nothing is dropped but the tags and the
    whitespace around them.
    """

    def __init__(self) -> None:
        self._held = ""
        self._at = 0
        """How much of what is held has been read."""
        self._read: Callable[[bool], bool] = self._start
        self._in_answer = False
        self._code = _Code()
        self._open = _USUAL
        self._tagged = 0
        """How many tags began or ended reasoning."""
        self._reasoned = False
        """Whether there was reasoning, in the text or in a field of its own."""
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._text_was_reasoning = False

    def feed(self, piece: str, *, ends: bool = False) -> Split:
        """Return what is certain of `piece` and of what was held back before it: all of it where the text ends."""
        if self._in_answer and not self._held and self._is_plain(piece):
            return Split(piece)
        self._held += piece
        while self._at < len(self._held) and self._read(ends):
            pass
        self._held, self._at = self._held[self._at :], 0
        split = Split("".join(self._text), "".join(self._reasoning), self._text_was_reasoning)
        self._text, self._reasoning, self._text_was_reasoning = [], [], False
        return split

    def _is_plain(self, piece: str) -> bool:
        """Whether `piece` of an answer holds nothing to look at, as most do; takes a tenth of the time."""
        if self._tagged or self._reasoned:
            return True
        if _NOTABLE.search(piece):
            return False
        self._code.read(piece)
        return True

    def settle(self) -> None:
        """Take the text so far for the answer, as reasoning has come in its own field, or a tool call."""
        self._reasoned = True

    # The states: each reads on, and returns whether the next one can read what is left.

    def _start(self, ends: bool) -> bool:
        """Look for a tag after whitespace."""
        begin = self._end_of_space()
        rest = self._held[begin : begin + _LONGEST]
        far = self._tagged >= _MOST or (not self._tagged and begin - self._at > _MAX_SPACE)
        tag = "" if far else next(filter(rest.startswith, _AT_START), "")
        if tag or self._tagged:
            self._at = begin + len(tag)
            self._tagged += bool(tag)
        if tag in _CLOSING:
            self._code, self._open, self._read = _Code(), tag, self._blank
        elif not tag:
            if not (ends or far) and any(tag.startswith(rest) for tag in _AT_START):
                return False
            self._code, self._open, self._read = _Code(), _USUAL, self._answer
            self._in_answer = True
        return True

    def _blank(self, ends: bool) -> bool:
        """Skip the whitespace after an opening tag."""
        self._at = self._end_of_space()
        if self._at < len(self._held):
            self._reasoning += ["\n\n"] if self._reasoned else []
            self._read, self._reasoned = self._thinking, True
        return True

    def _thinking(self, ends: bool) -> bool:
        """Look for the closing tag."""
        tag = self._tag_outside_code(self._reasoning, ends)
        if tag == self._open:
            self._reasoning.append(tag)
        elif tag:
            self._read = self._start
        return bool(tag)

    def _answer(self, ends: bool) -> bool:
        """Look for a closing tag without an opening one."""
        if self._tagged or self._reasoned:
            self._text.append(self._held[self._at :])
            self._at = len(self._held)
            return False
        tag = self._tag_outside_code(self._text, ends)
        if tag == self._open:
            self._text.append(tag)
            self._reasoned = True  # the text is about the tags
        elif tag:
            self._reasoning, self._text, self._text_was_reasoning = self._text, [], True
            self._read, self._in_answer = self._start, False
            self._tagged, self._reasoned = 1, True
        return bool(tag)

    def _end_of_space(self) -> int:
        space = _SPACE.match(self._held, self._at)
        assert space is not None
        return space.end()

    def _tag_outside_code(self, out: list[str], ends: bool) -> str:
        """Move text to `out` up to the next tag, which is skipped and returned; "" where there is none yet."""
        tags = (self._open, _CLOSING[self._open])
        while True:
            found = _EITHER[self._open].search(self._held, self._at)
            if found is None:
                self._move(len(self._held) - (0 if ends else self._size_of_partial(tags)), out)
                return ""
            tag = found[0]
            self._move(found.start(), out)
            in_code = self._is_code(tag, ends)
            if in_code is None:
                return ""
            if not in_code:
                self._at += len(tag)
                return tag
            self._move(found.end(), out)

    def _move(self, until: int, out: list[str]) -> None:
        out.append(text := self._held[self._at : until])
        self._code.feed(text)
        self._at = until

    def _size_of_partial(self, tags: tuple[str, str]) -> int:
        """How much of the end of what is held can be the beginning of a tag."""
        end = self._held[max(self._at, len(self._held) - _LONGEST) :]
        partial = end[end.rfind(tags[0][0]) :] if tags[0][0] in end else ""
        return len(partial) if any(tag.startswith(partial) for tag in tags) else 0

    def _is_code(self, tag: str, ends: bool) -> bool | None:
        """Whether the tag that comes next is in code; None: what follows it will show."""
        code = self._code
        code.end_run()
        if code.fence:
            # Where thinking was cut short by its budget, a block may still be open.
            cut = tag != self._open and self._tagged > 0 and code.line_start and not code.fence_has_tag
            code.fence_has_tag = True
            return not cut
        if not code.ticks:
            return False
        begin = self._at + len(tag)
        end = _SPAN_END.search(self._held, begin, begin + _CODE_SPAN)
        if end is None and not ends and len(self._held) - begin < _CODE_SPAN:
            return None
        return end is not None and end[0] == "`"


class _Code:
    """Follows Markdown as it comes: whether its end is in a code block or in a code span."""

    def __init__(self) -> None:
        self.fence = ""
        """What opened the code block; empty outside of one."""
        self.fence_has_tag = False
        """Whether there was a tag in the code block."""
        self.ticks = 0
        """How many backticks opened a code span on this line; 0 outside of one."""
        self.line_start = True
        """Whether the line is blank so far."""
        self._run = ""
        self._length = 0

    def feed(self, text: str) -> None:
        """Read on."""
        at = 0
        for mark in _MARKS.finditer(text):
            self.read(text[at : mark.start()])
            self._mark(mark[0][0], len(mark[0]))
            at = mark.end()
        self.read(text[at:])

    def read(self, text: str) -> None:
        """Read on in text without line ends, backticks and tildes."""
        if text:
            self.end_run()
            self.line_start = self.line_start and text.isspace()

    def _mark(self, character: str, length: int) -> None:
        if character != self._run:
            self.end_run()
        if character == "\n":
            self.ticks, self.line_start = 0, True
        else:
            self._run, self._length = character, self._length + length

    def end_run(self) -> None:
        """Take in the backticks or tildes read last, of which no more can come."""
        run, length = self._run, self._length
        self._run, self._length = "", 0
        if not run:
            return
        if self.line_start and length >= 3 and run[0] in (self.fence or run):
            self._fence(run * length)
        elif run == "`" and not self.fence:
            self.ticks = 0 if self.ticks == length else self.ticks or length
        self.line_start = False

    def _fence(self, run: str) -> None:
        if not self.fence:
            self.fence, self.fence_has_tag = run, False
        elif run.startswith(self.fence):
            self.fence = ""
