"""Puts a style over parts of a line: a selection, the hits of a search."""

from collections.abc import Iterable

from streamtui.core.styled_text import Run

Span = tuple[int, int]


def overlay(runs: list[Run], spans: Iterable[Span], name: str) -> list[Run]:
    """Returns `runs` with style `name` added to the characters of `spans`, which do not overlap."""
    for start, end in spans:
        runs = _over(runs, start, end, name)
    return runs


def _over(runs: list[Run], start: int, end: int, name: str) -> list[Run]:
    out: list[Run] = []
    at = 0
    for text, names in runs:
        a, b = max(start - at, 0), min(end - at, len(text))
        at += len(text)
        if a >= b:
            out.append((text, names))
            continue
        parts = ((text[:a], names), (text[a:b], f"{names} {name}"), (text[b:], names))
        out.extend(part for part in parts if part[0])
    return out
