"""The built-in manual, and search for the section that answers a question."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources

from streamtui import commands, paths

_HEADING = re.compile(r"^## +(.+)$", re.MULTILINE)
_KEYWORDS = re.compile(r"<!-- keywords: (.*?) -->\n*", re.DOTALL)
_WORD = re.compile(r"[a-z0-9_+.-]+")
_KEY = re.compile(r"\{key:([a-z_.]+)\}")


def _words(text: str) -> list[str]:
    """Return the words of `text` without trailing periods and hyphens."""
    return [word for found in _WORD.findall(text) if (word := found.rstrip(".-"))]


_STOP_WORDS = frozenset(
    _words(
        "a an and are as at be by can do does for from get give has have how i if in is it its me my "
        "of on or please show tell that the there this to use used using want was what when where "
        "which who why will with work works you your about not no any some into make streamtui"
    )
)
MIN_SCORE = 3.0
"""Score of a match: one keyword, or three words of the text."""


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the manual."""

    title: str
    keywords: frozenset[str]
    """Stemmed words that are likely in a question about the section."""
    text: str
    """Markdown, without the heading."""


@cache
def sections() -> tuple[Section, ...]:
    """Return the sections of the manual in order, with key bindings filled in."""
    source = resources.files("streamtui").joinpath("manual.md").read_text(encoding="utf-8")
    _, *parts = _HEADING.split(source)
    return tuple(_section(title, body) for title, body in zip(parts[::2], parts[1::2], strict=True))


def _section(title: str, body: str) -> Section:
    found = _KEYWORDS.search(body)
    keywords = words(f"{title} {found[1] if found else ''}")
    return Section(title.strip(), frozenset(keywords), fill_in(_KEYWORDS.sub("", body)).strip())


def fill_in(text: str) -> str:
    """Replace ``{keys}``, ``{key:ID}``, ``{database}`` and ``{config}`` in `text`. Raise KeyError for unknown IDs."""
    shown = {
        command.id: " or ".join(f"`{key}`" for key in command.shown_keys.split(", ")) for command in commands.COMMANDS
    }
    text = _KEY.sub(lambda match: shown[match[1]], text).replace("{keys}", commands.as_markdown())
    return text.replace("{database}", str(paths.database())).replace("{config}", str(paths.config_file()))


def words(text: str) -> list[str]:
    """Return the stemmed lowercase words of `text`, without stop words."""
    return [_stem(word) for word in _words(text.lower().replace("'", "")) if word not in _STOP_WORDS]


def _stem(word: str) -> str:
    for ending in ("ing", "es", "ed", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def search(question: str) -> Section | None:
    """Return the section that best matches `question`; None if none does.

    A question about streamtui that matches nothing gets the first section, the introduction.
    """
    query = set(words(question))
    scored = [(_score(query, section), section) for section in sections()]
    # Stop words such as "where" only break ties.
    stop_words = set(_words(question.lower())) & _STOP_WORDS
    score, best = max(scored, key=lambda pair: (pair[0], len(stop_words & set(_words(pair[1].title.lower())))))
    if score >= MIN_SCORE:
        return best
    return sections()[0] if "streamtui" in question.lower() else None


def _score(query: Iterable[str], section: Section) -> float:
    title, text = set(words(section.title)), set(words(section.text))

    def weight(word: str) -> float:
        return 4.0 if word in title else 3.0 if word in section.keywords else float(word in text)

    return sum(map(weight, query))
