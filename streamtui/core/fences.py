"""Puts text into a Markdown fence, whatever fences it holds itself."""

import re

_BACKTICKS = re.compile(r"`{3,}")


def fenced(text: str, language: str = "") -> str:
    """Returns `text` in a fence longer than any inside it."""
    fence = "`" * (1 + max(map(len, _BACKTICKS.findall(text)), default=2))
    return f"{fence}{language}\n{text.strip(chr(10))}\n{fence}"
