"""Manual: streamtui's own help as sections, and the one that answers a question best."""

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
    """Return the words of `text` without the points and hyphens that end them."""
    return [word for found in _WORD.findall(text) if (word := found.rstrip(".-"))]


_IDLE = frozenset(
    _words(
        "a an and are as at be by can do does for from get give has have how i if in is it its me my "
        "of on or please show tell that the there this to use used using want was what when where "
        "which who why will with work works you your about not no any some into make streamtui"
    )
)
ENOUGH = 3.0
"""Score from which a section is an answer: one keyword, or three words of the text."""


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the manual."""

    title: str
    keywords: frozenset[str]
    """Words, as `words` makes them, that a question about it is likely to hold."""
    text: str
    """Markdown, without the heading."""


@cache
def sections() -> tuple[Section, ...]:
    """Returns the manual's sections in their order, with today's keys filled in. Read at the first call."""
    source = resources.files("streamtui").joinpath("manual.md").read_text(encoding="utf-8")
    _, *parts = _HEADING.split(source)
    return tuple(_section(title, body) for title, body in zip(parts[::2], parts[1::2], strict=True))


def _section(title: str, body: str) -> Section:
    found = _KEYWORDS.search(body)
    keywords = words(f"{title} {found[1] if found else ''}")
    return Section(title.strip(), frozenset(keywords), filled(_KEYWORDS.sub("", body)).strip())


def filled(text: str) -> str:
    """Returns `text` with ``{keys}``, ``{key:ID}``, ``{database}`` and ``{config}`` filled in. Raises KeyError."""
    shown = {
        command.id: " or ".join(f"`{key}`" for key in command.shown_keys.split(", ")) for command in commands.COMMANDS
    }
    text = _KEY.sub(lambda match: shown[match[1]], text).replace("{keys}", commands.as_markdown())
    return text.replace("{database}", str(paths.database())).replace("{config}", str(paths.config_file()))


def words(text: str) -> list[str]:
    """Returns the words of `text` that say what it is about, in lower case and without endings."""
    return [_stem(word) for word in _words(text.lower().replace("'", "")) if word not in _IDLE]


def _stem(word: str) -> str:
    for ending in ("ing", "es", "ed", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def search(question: str) -> Section | None:
    """Returns the section that shares most words with `question`; None if none shares enough.

    A question that names streamtui and fits nothing gets the first section, which says what it is.
    """
    asked = set(words(question))
    scored = [(_score(asked, section), section) for section in sections()]
    # Words like where and what decide only between sections that fit equally well.
    idle = set(_words(question.lower())) & _IDLE
    score, best = max(scored, key=lambda pair: (pair[0], len(idle & set(_words(pair[1].title.lower())))))
    if score >= ENOUGH:
        return best
    return sections()[0] if "streamtui" in question.lower() else None


def _score(asked: Iterable[str], section: Section) -> float:
    title, text = set(words(section.title)), set(words(section.text))

    def worth(word: str) -> float:
        return 4.0 if word in title else 3.0 if word in section.keywords else float(word in text)

    return sum(map(worth, asked))
