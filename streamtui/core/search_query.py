"""Parse search queries and find their terms in text."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from unicodedata import ucd_3_2_0 as ucd  # the same in every Python, so that the index can undo what another has done

from streamtui.core.sanitize import clean

MAX_LENGTH = 500
"""Characters of a query that are looked for."""
MAX_TERMS = 32
"""So many terms of a query are looked for."""
EXCERPT = 160
"""Characters of an excerpt."""
_LEAD = 30
"""Characters of an excerpt before what was found, so that it can be understood."""
_LOOKED_AT = 200
"""So many places of each term are compared for the best excerpt."""
_GAP = 20
"""Characters that may stand between two words of a phrase: blanks, punctuation and markup, such as "**"."""

Span = tuple[int, int]
"""Start and end, in characters."""

# Scripts written without spaces, so that no word has a beginning the index would know of: Chinese, Japanese, Thai, Lao,
# Burmese, Khmer. (Korean has spaces, but glues particles to its words.)
_RUNS = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0eb9\u0ebb-\u0ecd\u0edc-\u0edf\u1000-\u103f\u1050-\u108f\u1780-\u17d3"
    "\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f"
    "\u3131-\u318e\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff"
    "\uff66-\uff9f\U0001b000-\U0001b16f\U00020000-\U0003fffd"
)
_RUN = re.compile(f"[{_RUNS}]+")
# Accents and points that can be left out, variation selectors, the soft hyphen; not the vowel signs of Indic scripts.
_OPTIONAL = re.compile(
    "[\u00ad\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f"
    "\ufe20-\ufe2f\U000e0100-\U000e01ef]"
)
_SIMPLE = dict(zip("ıøłđħŧ’‘ʼ“”„", "ioldht'''\"\"\"", strict=True))
# Decomposed Korean and Japanese, as file names on macOS have it: here the second part makes another letter.
_COMPOSED = re.compile("[\u1100-\u11ff\u3099\u309a]")

_TERM = re.compile(r'"(?P<phrase>[^"]*[^"\s][^"]*)(?P<closed>"(?!\S)|\Z)|(?P<word>\S+)')
_SPACE = re.compile(r"\s+")


class _Folding(dict[int, str]):
    """Every character's plain form, made when it is first met: one character, or none for an accent."""

    def __missing__(self, code: int) -> str:
        self[code] = plain = _plain(chr(code))
        return plain


def _plain(character: str) -> str:
    if _OPTIONAL.match(character):
        return ""
    if ucd.category(character) == "Cn":
        return character
    lower = character.casefold() if len(character.casefold()) == 1 else character.lower()
    # Beyond Latin, Greek and Cyrillic the first part of a character is not the character without its accent.
    plain = ucd.normalize("NFD", lower)[0] if character < "\u2000" else lower[0]
    return _SIMPLE.get(plain, plain)


_FOLDING = _Folding()


def folded(text: str) -> str:
    """Return `text` in lower case and without accents, as titles and messages are searched."""
    if text.isascii():
        return text.lower()
    return (ucd.normalize("NFC", text) if _COMPOSED.search(text) else text).translate(_FOLDING)


def indexed(text: str) -> str:
    """Return `text` as the full-text index has it: folded, runs as the overlapping pairs of their characters.

    With the run's last character behind them, so that every character begins one of its words, and any part of a run
    is found as a phrase.
    """
    if text.isascii():
        return text
    return _RUN.sub(lambda run: f" {_pairs(run[0])} {run[0][-1]} ", folded(text))


def _pairs(run: str) -> str:
    return " ".join(run[at : at + 2] for at in range(len(run) - 1))


@dataclass(frozen=True)
class Term:
    """A word, a phrase or symbols to be found."""

    text: str
    """Folded; blanks only in a phrase, one at a time."""
    unfinished: bool = False
    """Whether its last word may go on."""

    @cached_property
    def has_words(self) -> bool:
        """Whether the index, which knows words only, has some of it."""
        return any(map(_is_in_words, self.text))

    @cached_property
    def symbols(self) -> str:
        """Of what is neither word nor blank the part that is rarest and stands in every text with this term as it is.

        So no quotes, which are folded, and of other scripts one character: between two there may be an invisible one.
        """
        other = [c for c in self.text if not (_is_in_words(c) or c.isspace() or c in "'\"") and c.upper() == c]
        if rare := [c for c in other if not c.isascii()]:
            return max(rare)
        return max(re.split(r"[^!#-&(-/:-@\[-`{-~]+", self.text), key=len)

    @cached_property
    def is_literal(self) -> bool:
        """Whether it holds more than words and blanks, so that a text the index finds has to be looked at."""
        return not all(_is_in_words(c) or c.isspace() for c in self.text)

    @property
    def phrase(self) -> str:
        """Its words in FTS5's language, quoted: none is an operator."""
        parts = [part for part in _parts(self.text) if any(map(_is_in_words, part))]
        tokens: list[str] = []
        for at, part in enumerate(parts, 1):
            if _RUN.match(part) is None:
                tokens.append(part)
                continue
            tokens.append(_pairs(part))
            if len(part) == 1 or at < len(parts):
                tokens.append(part[-1])
        quoted = '"' + " ".join(tokens).replace('"', '""') + '"'
        goes_on = self.unfinished and _is_in_words(self.text[-1])
        begins_pair = len(tokens[-1]) == 1 and _RUN.match(tokens[-1]) is not None
        return f"{quoted} *" if goes_on or begins_pair else quoted

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(rf"[\W_]{{1,{_GAP}}}".join(map(re.escape, self.text.split())))

    def places(self, plain: str) -> Iterator[Span]:
        """Where it stands in the folded text `plain`, as whole words unless they are part of a run."""
        for match in self._pattern.finditer(plain):
            if _stands_free(plain, *match.span(), unfinished=self.unfinished):
                yield match.span()


def _is_in_words(character: str) -> bool:
    """Whether the index takes a folded character for a part of a word: letters, digits, marks."""
    return character.isalnum() or ucd.category(character)[0] == "M"


class Query:
    """What somebody looks for: words, "phrases" and symbols, all of them. The last word may be unfinished.

    A query of invisible characters has no terms, and matches nothing.
    """

    def __init__(self, text: str) -> None:
        self._text = " ".join(clean(text[:MAX_LENGTH]).split())
        found = list(islice(_TERM.finditer(folded(self._text)), MAX_TERMS))
        self.terms = tuple(_term(match, last=match is found[-1]) for match in found)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __str__(self) -> str:
        return self._text

    @property
    def expression(self) -> str:
        """The words of the query in FTS5's language. Empty for no words."""
        return " ".join(term.phrase for term in self.terms if term.has_words)

    def matches(self, text: str) -> bool:
        """Return whether all of it stands in `text`."""
        plain = folded(text)
        return bool(self.terms) and all(next(term.places(plain), None) for term in self.terms)

    def spans(self, text: str) -> list[Span]:
        """Where the terms stand in `text`, first to last; where they overlap, the longer one."""
        found: list[Span] = []
        for start, end, _ in sorted(self._found(text), key=lambda hit: (hit[0], -hit[1])):
            if not found or start >= found[-1][1]:
                found.append((start, end))
        return found

    def excerpt(self, text: str, length: int = EXCERPT) -> str:
        """Return about `length` characters of `text`, on one line, from where most of the terms stand together."""
        start = max(0, self._densest(text, length) - _LEAD)
        if start:
            start = next((at + 1 for at in range(start, start + _LEAD) if text[at].isspace()), start)
        end = start + length
        cut = text[start:end]
        if end < len(text):
            cut = cut.rsplit(maxsplit=1)[0] if " " in cut[length // 2 :] else cut
        line = " ".join(cut.split())
        return f"{'…' if start else ''}{line}{'…' if start + len(cut) < len(text.rstrip()) else ''}"

    def _densest(self, text: str, length: int) -> int:
        """Where to begin so that most of the different terms stand within `length` characters, closest together."""
        found = sorted((begin, number) for begin, _, number in self._found(text, _LOOKED_AT))
        best, start = (0, 0), 0
        for at, (begin, _) in enumerate(found):
            end = bisect_left(found, (begin + length - _LEAD,))
            first = {number: place for place, number in reversed(found[at:end])}
            score = len(first), begin - max(first.values())
            if score > best:
                best, start = score, begin
        return start

    def _found(self, text: str, most: int | None = None) -> Iterator[tuple[int, int, int]]:
        """Start, end and number of the terms in `text`; `most` places of each at most."""
        plain = text.lower() if text.isascii() else text.translate(_FOLDING)
        origin = None
        if len(plain) != len(text):  # accents of their own are left out
            origin = [at for at, character in enumerate(text) if _FOLDING[ord(character)]] + [len(text)]
        for number, term in enumerate(self.terms):
            for start, end in islice(term.places(plain), most):
                yield (start, end, number) if origin is None else (origin[start], origin[end], number)


def _term(match: re.Match[str], *, last: bool) -> Term:
    """A phrase is finished once it is closed, a word once another follows."""
    if (phrase := match["phrase"]) is not None:
        return Term(_SPACE.sub(" ", phrase.strip()), unfinished=not match["closed"])
    return Term(match["word"], unfinished=last)


def _stands_free(text: str, start: int, end: int, *, unfinished: bool) -> bool:
    before = start > 0 and _joins(text[start - 1], text[start])
    behind = not unfinished and end < len(text) and _joins(text[end - 1], text[end])
    return not before and not behind


def _joins(left: str, right: str) -> bool:
    """Whether a word goes on from one character to the other."""
    return left.isalnum() and right.isalnum() and _RUN.match(left) is None and _RUN.match(right) is None


def _parts(text: str) -> Iterator[str]:
    """Run, and what is between them."""
    at = 0
    for run in _RUN.finditer(text):
        yield text[at : run.start()]
        yield run[0]
        at = run.end()
    yield text[at:]
