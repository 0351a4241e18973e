"""Joining a continuation to the partial reply, without text that the model repeats."""

import re

WINDOW = 1000
"""Maximum number of repeated characters to detect."""
MIN_OVERLAP = 12
"""Characters from which a repetition counts as overlap; a shorter one may be intended."""
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})([^\n`]*)$", re.MULTILINE)
_FENCE_AGAIN = re.compile(r"\s*+(?:`{3,}+|~{3,}+)[ \t]*+\w[^\n`]*+\n")
_FENCE_BEGUN = re.compile(r"\s*+(?:`++|~++)[^\n`]*+\Z")
_UNSPACED = "\u2e80"
"""First code point of the scripts without spaces between words."""


class OverlapTrimmer:
    """Remove from the start of a continuation what repeats the end of the text `before`.

    Models often start a continuation with the last words, line or paragraph again, and reopen a code block. Text is
    held back only while it may still be such a repetition, usually for a few words.
    """

    def __init__(self, before: str) -> None:
        self._before = before[-WINDOW:]
        self._in_code = _ends_in_code(before)
        self._held = ""
        self._decided = not before

    def feed(self, text: str) -> str:
        """Return the part of `text`, and of text held back before, that can be shown now."""
        if self._decided:
            return text
        self._held += text
        return "" if self._is_open() else self.finish()

    def finish(self) -> str:
        """Return the text held back, without the repetition."""
        held, self._held = self._held, ""
        if not self._decided and held:
            self._decided = True
            again = self._without_fence(held)
            held = again[overlap(self._before, again, new_line=again != held) :]
        return held

    def _is_open(self) -> bool:
        """Return whether more text can turn the held text into a longer repetition."""
        if len(self._held) > 2 * WINDOW:
            return False
        if self._in_code and _FENCE_BEGUN.match(self._held):
            return True
        begun = self._without_fence(self._held).lstrip()
        at = self._before.find(begun)
        return 0 <= at < len(self._before) - len(begun)

    def _without_fence(self, text: str) -> str:
        again = _FENCE_AGAIN.match(text) if self._in_code else None
        return text[again.end() :] if again else text


def overlap(before: str, after: str, *, new_line: bool = False) -> int:
    """Return the number of characters at the start of `after` that repeat the end of `before`.

    `new_line` means that `after` starts a line.
    """
    end = before.rstrip()
    blank = len(after) - len(after.lstrip())
    text = after[blank:]
    for length in range(min(len(end), len(text)), 0, -1):
        between = before[len(end) :] + after[:blank]
        if end.endswith(text[:length]) and _is_repetition(end[:-length], text[:length], between, new_line):
            rest = text[length:]
            # Whitespace at the end of `before` is not repeated either.
            spaces = len(rest) - len(rest.lstrip()) if end != before else 0
            return blank + length + spaces
    return 0


def _is_repetition(head: str, repeated: str, between: str, new_line: bool) -> bool:
    """Return whether `repeated`, found after `head` and again after `between`, is an unintended repetition."""
    if _inside_word(head[-1:], repeated[0]) or head.rstrip().endswith(repeated):
        return False  # a pattern that continues, such as table rows or a refrain
    letters = sum(map(str.isalnum, repeated))
    if len(repeated) >= MIN_OVERLAP and letters >= MIN_OVERLAP // 2:
        return True
    if letters < (1 if new_line else 3):
        return False
    indent = head.rpartition("\n")[2]
    if not indent.strip() and between in ("", indent):
        return True  # the whole last line
    return not between and repeated.isalpha() and repeated < _UNSPACED  # “contin” and then “continue”


def _inside_word(left: str, right: str) -> bool:
    return left.isalnum() and right.isalnum() and max(left, right) < _UNSPACED


def _ends_in_code(text: str) -> bool:
    """Return whether `text` ends inside a fenced code block."""
    fence = ""
    for mark, words in _FENCE.findall(text):
        if not fence:
            fence = mark
        elif mark.startswith(fence) and not words.strip():
            fence = ""
    return bool(fence)
