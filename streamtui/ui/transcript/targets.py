"""Targets: the code blocks and links in view, and the letters that stand for them."""

from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING, NamedTuple, cast

from streamtui.core.styled_text import Run
from streamtui.ui.transcript.flow import Flow, Place
from streamtui.ui.transcript.notes import LineBlock

if TYPE_CHECKING:
    from streamtui.markdown.code_block import CodeBlock

_LETTERS = "asdfghjklqwertyuiopzxcvbnm"


class Target(NamedTuple):
    """Something in view that can be copied, saved, edited or opened."""

    line: int
    """The line of the flow where its letter is shown."""
    at: int
    """How many characters of that line's text stand before it."""
    url: str = ""
    """Where a link leads."""
    code: str = ""
    """What a code block holds."""
    language: str = ""


def targets_in(flow: Flow, lines: range) -> list[Target]:
    """Returns the targets on `lines` of the flow, top to bottom; a link that goes over two lines is one."""
    found: list[Target] = []
    blocks: set[int] = set()
    for line in lines:
        place = flow.at(line)
        if place is None or place.spot is None:
            continue
        block = place.spot.block
        if block.kind == "code":
            if id(block) not in blocks:
                blocks.add(id(block))
                language = str(getattr(block, "language", ""))
                found.append(Target(line, 0, code=code_of(block), language=language))
            continue
        continued = found[-1].url if found and found[-1].line == line - 1 else ""
        found += [Target(line, at, url=url) for at, url in links_in(place) if at or url != continued]
    return found


def code_of(block: LineBlock) -> str:
    """Returns the code of a code block as it was written, tabs and all."""
    return cast("CodeBlock", block).code()


def links_in(place: Place) -> Iterator[tuple[int, str]]:
    """Yields the character where each link of a line begins, and where it leads."""
    if place.spot is None:
        return
    _, runs = place.spot.block.line(place.spot.line)
    at, before = 0, ""
    for text, names in runs:
        url = url_of(names)
        if url and url != before:
            yield at, url
        at, before = at + len(text), url


def url_of(names: str) -> str:
    """Returns where the link leads that a run's style names tell of; "" for none."""
    return next((name[5:] for name in names.split() if name.startswith("link:")), "")


def lettered(targets: list[Target]) -> dict[str, Target]:
    """Returns `targets` by the letters that stand for them: one each, or two where there are many."""
    if len(targets) <= len(_LETTERS):
        return dict(zip(_LETTERS, targets, strict=False))
    pairs = ("".join(pair) for pair in product(_LETTERS, repeat=2))
    return dict(zip(pairs, targets, strict=False))


def with_letters(runs: list[Run], letters: list[tuple[int, str]]) -> list[Run]:
    """Returns `runs` with labels before the places given, each in place of the space there, if there is one."""
    text = "".join(part for part, _ in runs)
    for at, letter in reversed(letters):
        before = at - 1 if text[max(0, at - 1) : at] == " " else at
        runs = [*_cut(runs, 0, before), (letter, "hint"), *_cut(runs, at, None)]
    return runs


def _cut(runs: list[Run], start: int, end: int | None) -> list[Run]:
    out, at = [], 0
    for text, names in runs:
        part = text[max(0, start - at) : None if end is None else max(0, end - at)]
        at += len(text)
        if part:
            out.append((part, names))
    return out
