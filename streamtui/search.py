"""Search: what a query asks for, and where it stands in a text."""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator
from itertools import islice

from streamtui.sanitize import clean

MAX_WORDS = 32
"""So many words of a query are looked for."""
EXCERPT = 160
"""Characters of an excerpt."""
_LEAD = 30
"""Characters of an excerpt before what was found, so that it can be understood."""
_LOOKED_AT = 200
"""So many places where words stand are compared for the best excerpt."""

Span = tuple[int, int]
"""Start and end, in characters."""

# Scripts written without spaces, so that no word has a beginning the index would know of. (Korean has spaces, but
# glues particles to its words.) Only letters: the index takes everything else for the end of a word.
_CJK = (
    "\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f"
    "\u3131-\u318e\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff"
    "\uff66-\uff9f\U0001b000-\U0001b16f\U00020000-\U0003fffd"
)
_RUN = re.compile(f"[{_CJK}]+")
_TOKEN = re.compile(r"[^\W_]+")


class _Folding(dict[int, str]):
    """Every character's plain form, made when it is first met."""

    def __missing__(self, code: int) -> str:
        lower = chr(code).lower()
        # Beyond Latin, Greek and Cyrillic the first part of a character is not the character without its accent.
        plain = unicodedata.normalize("NFD", lower)[0] if code < 0x2000 else lower[0]
        self[code] = plain
        return plain


_FOLDING = _Folding()


def folded(text: str) -> str:
    """Returns `text` in lower case and without accents, every character in its place."""
    return text.lower() if text.isascii() else text.translate(_FOLDING)


def spaced(text: str) -> str:
    """Returns `text` with every run of Chinese, Japanese or Korean as the overlapping pairs of its characters.

    With the run's last character behind them, so that every character begins one of its words. Returns "" where
    there is no such run. An index of words finds any part of a run in it, as a phrase.
    """
    if text.isascii() or _RUN.search(text) is None:
        return ""
    return _RUN.sub(lambda run: f" {_pairs(run[0])} {run[0][-1]} ", text)


def _pairs(run: str) -> str:
    return " ".join(run[at : at + 2] for at in range(len(run) - 1))


class Query:
    """The words somebody looks for: all of them, the last of which may be unfinished."""

    def __init__(self, text: str) -> None:
        found = [word for word in clean(text).split() if any(map(str.isalnum, word))]
        self.words = tuple(found[:MAX_WORDS])

    def __bool__(self) -> bool:
        return bool(self.words)

    def __str__(self) -> str:
        return " ".join(self.words)

    @property
    def has_runs(self) -> bool:
        """Whether a word has Chinese, Japanese or Korean in it, which stands in the index of pairs only."""
        return any(map(_RUN.search, self.words))

    @property
    def expression(self) -> str:
        """The query in FTS5's language, every word quoted: none is an operator. Empty for no words."""
        last = len(self.words) - 1
        return " ".join(_phrase(word, unfinished=at == last) for at, word in enumerate(self.words))

    def is_in(self, text: str) -> bool:
        """Whether every word stands somewhere in `text`, be it inside another one."""
        text = folded(text)
        return all(folded(word) in text for word in self.words)

    def spans(self, text: str) -> list[Span]:
        """Where the words stand in `text`, first to last; where they overlap, the longer one."""
        found: list[Span] = []
        for start, end, _ in sorted(self._found(folded(text)), key=lambda hit: (hit[0], -hit[1])):
            if not found or start >= found[-1][1]:
                found.append((start, end))
        return found

    def excerpt(self, text: str, length: int = EXCERPT) -> str:
        """Returns about `length` characters of `text`, on one line, from where most of the words stand together."""
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
        """Where to begin so that most of the different words stand within `length` characters, closest together."""
        found = sorted((begin, word) for begin, _, word in self._found(folded(text), _LOOKED_AT))
        best, start = (0, 0), 0
        for at, (begin, _) in enumerate(found):
            end = bisect_left(found, (begin + length - _LEAD,))
            first = {word: place for place, word in reversed(found[at:end])}
            score = len(first), begin - max(first.values())
            if score > best:
                best, start = score, begin
        return start

    def _found(self, text: str, most: int | None = None) -> Iterator[tuple[int, int, int]]:
        """Start, end and number of the words in the folded `text`; `most` places of each word at most."""
        last = len(self.words) - 1
        for number, word in enumerate(self.words):
            tokens = _TOKEN.findall(folded(word))
            places = _places(text, tokens, unfinished=number == last) if tokens else iter(())
            yield from ((start, end, number) for start, end in islice(places, most))


def _places(text: str, tokens: list[str], *, unfinished: bool) -> Iterator[Span]:
    """Where `tokens` stand one after the other, as whole words unless they are part of a run."""
    start = text.find(tokens[0])
    while start >= 0:
        end = start + len(tokens[0])
        for token in tokens[1:]:
            begin = next((at for at in range(end, len(text)) if text[at].isalnum()), end)
            end = begin + len(token) if begin > end and text.startswith(token, begin) else -1
            if end < 0:
                break
        if end > 0 and _stands_free(text, start, end, unfinished=unfinished):
            yield start, end
        start = text.find(tokens[0], max(end, start + 1))


def _stands_free(text: str, start: int, end: int, *, unfinished: bool) -> bool:
    before = start > 0 and _joins(text[start - 1], text[start])
    behind = not unfinished and end < len(text) and _joins(text[end - 1], text[end])
    return not before and not behind


def _joins(left: str, right: str) -> bool:
    """Whether a word goes on from one character to the other."""
    return left.isalnum() and right.isalnum() and _RUN.match(left) is None and _RUN.match(right) is None


def _phrase(word: str, *, unfinished: bool) -> str:
    """Returns `word` as the indexes have it: quoted, runs as pairs. A lone character begins a pair."""
    parts = [part for part in _parts(word) if any(map(str.isalnum, part))]
    tokens: list[str] = []
    for at, part in enumerate(parts, 1):
        if _RUN.match(part) is None:
            tokens.append(part)
            continue
        tokens.append(_pairs(part))
        if len(part) == 1 or at < len(parts):
            tokens.append(part[-1])
    quoted = '"' + " ".join(tokens).replace('"', '""') + '"'
    return f"{quoted} *" if unfinished or (len(tokens[-1]) == 1 and _RUN.match(tokens[-1])) else quoted


def _parts(word: str) -> Iterator[str]:
    """Runs, and what is between them."""
    at = 0
    for run in _RUN.finditer(word):
        yield word[at : run.start()]
        yield run[0]
        at = run.end()
    yield word[at:]
