"""Counts tokens: the server's own numbers where it gave some, else estimates that say so."""

from collections.abc import Iterable
from typing import NamedTuple

from streamtui.message import Message

BYTES_PER_TOKEN = 4.0
# Measured with o200k: English 4.5 bytes a token, Python 3.6, Russian 6.3, Japanese 4.2, JSON 1.8.
MESSAGE_OVERHEAD = 4
"""Tokens a chat template puts around a message."""


class Count(NamedTuple):
    """A number of tokens and whether the server said it."""

    tokens: int
    exact: bool

    def __str__(self) -> str:
        return f"{self.tokens:,}" if self.exact else f"~{self.tokens:,}"


def size_of(text: str) -> int:
    """Returns the length of `text` in bytes of UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def tokens_in(size: int) -> int:
    """Returns about how many tokens `size` bytes of text are."""
    return round(size / BYTES_PER_TOKEN)


def estimate(text: str) -> int:
    """Returns about how many tokens `text` has."""
    return tokens_in(size_of(text))


def context_count(path: Iterable[Message], system: str = "") -> Count:
    """Returns how much of the context the messages of `path` take: what the server said last, plus estimates since."""
    tokens, exact = estimate(system), not system
    for message in path:
        if message.usage is not None:
            tokens, exact = message.usage.total_tokens, True
        elif message.text or message.attachments:
            files = sum(len(file.data) for file in message.attachments)
            tokens, exact = tokens + estimate(message.text) + tokens_in(files) + MESSAGE_OVERHEAD, False
    return Count(tokens, exact)
