"""OverlapTrimmer: joins a continuation to the text before it where the model says the last words again."""

import re

WINDOW = 1000
"""Characters of the text before that a model may repeat; what is longer is not looked for."""
ENOUGH = 12
"""Characters from which a repetition is one; a shorter one may be meant."""
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})([^\n`]*)$", re.MULTILINE)
_FENCE_AGAIN = re.compile(r"\s*+(?:`{3,}+|~{3,}+)[ \t]*+\w[^\n`]*+\n")
_FENCE_BEGUN = re.compile(r"\s*+(?:`++|~++)[^\n`]*+\Z")
_UNSPACED = "\u2e80"
"""From here on come the scripts that put no spaces between words."""


class OverlapTrimmer:
    """Takes a repetition of the end of `before` out of the beginning of what follows it.

    Models that are asked to go on often begin with the last words, line or paragraph again, and open a code block
    a second time. Text is held back only as long as it could still be such a repetition: a few words for one
    that is none.
    """

    def __init__(self, before: str) -> None:
        self._before = before[-WINDOW:]
        self._in_code = _ends_in_code(before)
        self._held = ""
        self._decided = not before

    def feed(self, piece: str) -> str:
        """Returns what of `piece`, and of what was held back before it, can be shown now."""
        if self._decided:
            return piece
        self._held += piece
        return "" if self._is_open() else self.finish()

    def finish(self) -> str:
        """Returns what was held back, without the repetition; nothing is held back afterwards."""
        held, self._held = self._held, ""
        if not self._decided and held:
            self._decided = True
            again = self._without_fence(held)
            held = again[overlap(self._before, again, new_line=again != held) :]
        return held

    def _is_open(self) -> bool:
        """Whether what follows can make it a longer repetition."""
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
    """Returns how many characters at the start of `after` only repeat the end of `before`.

    `new_line`: `after` is known to begin a line, so that it repeats the last one, or follows it.
    """
    end = before.rstrip()
    blank = len(after) - len(after.lstrip())
    said = after[blank:]
    for length in range(min(len(end), len(said)), 0, -1):
        between = before[len(end) :] + after[:blank]
        if end.endswith(said[:length]) and _is_slip(end[:-length], said[:length], between, new_line):
            rest = said[length:]
            # Where the text before ends with a space or a line end, it is not said again either.
            spaces = len(rest) - len(rest.lstrip()) if end != before else 0
            return blank + length + spaces
    return 0


def _is_slip(head: str, repeated: str, between: str, new_line: bool) -> bool:
    """Whether `repeated`, which ends the text behind `head` and stands again after `between`, was meant once."""
    if _inside_word(head[-1:], repeated[0]) or head.rstrip().endswith(repeated):
        return False  # or else a pattern that goes on: the rows of a table, a refrain
    letters = sum(map(str.isalnum, repeated))
    if len(repeated) >= ENOUGH and letters >= ENOUGH // 2:
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
    """Whether a fenced code block of `text` is still open at its end."""
    fence = ""
    for mark, words in _FENCE.findall(text):
        if not fence:
            fence = mark
        elif mark.startswith(fence) and not words.strip():
            fence = ""
    return bool(fence)
