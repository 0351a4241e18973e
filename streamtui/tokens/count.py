"""Token counts and estimates."""

from typing import NamedTuple

BYTES_PER_TOKEN = 4.0
# Measured with o200k: English 4.5 bytes per token, Python 3.6, Russian 6.3, Japanese 4.2, JSON 1.8.


class Count(NamedTuple):
    """A number of tokens, exact if counted by the server or with the model's own encoding."""

    tokens: int
    exact: bool

    def __str__(self) -> str:
        return f"{self.tokens:,}" if self.exact else f"~{self.tokens:,}"

    @property
    def short(self) -> str:
        """The count in a few characters, such as ``~12.4k``."""
        return f"{'' if self.exact else '~'}{rounded(self.tokens)}"


def rounded(tokens: int) -> str:
    """Return `tokens` in at most five characters, such as 950, 12.4k, 272k, 1.05M."""
    if tokens < 1_000:
        return str(tokens)
    for size, unit in ((1_000, "k"), (1_000_000, "M")):
        if tokens < 999.5 * size:
            digits = f"{tokens / size:.3g}"
            return f"{digits}{unit}"
    return f"{tokens / 1_000_000:,.0f}M"


def size_of(text: str) -> int:
    """Return the length of `text` in bytes of UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def tokens_in(size: int) -> int:
    """Return the estimated number of tokens in `size` bytes of text."""
    return round(size / BYTES_PER_TOKEN)


def estimate(text: str) -> int:
    """Return the estimated number of tokens in `text`."""
    return tokens_in(size_of(text))
