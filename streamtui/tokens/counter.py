"""Count the tokens of a growing text at a constant cost per chunk."""

import re
from typing import TYPE_CHECKING

from streamtui.tokens.count import BYTES_PER_TOKEN, Count, size_of

if TYPE_CHECKING:
    import tiktoken

BLOCK = 2_048
"""Maximum characters encoded at once. Limited because encodings raise ValueError for a million spaces."""

# Encodings cut text into words before they look for tokens, and no word goes on from a letter or digit over one of
# these: the tokens before such a place and those after it add up to the tokens of the whole. An apostrophe is none
# of them (it's), nor are the marks above letters.
_PLACE = re.compile(r"(?s:.*)[^\W_](?=[\s!\"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~、。，；：！？「」（）])")


class TokenCounter:
    """Counts the tokens of added text with an encoding, or estimates them by size without one."""

    def __init__(self, encoding: "tiktoken.Encoding | None" = None, *, exact: bool = False) -> None:
        """`exact`: whether `encoding` is the model's own."""
        self._encoding = encoding
        self._exact = exact and encoding is not None
        self._counted = 0.0
        self._tail = ""
        """Text not counted yet, as the next chunk could change its last word."""

    def add(self, text: str) -> None:
        """Add text. Each character is encoded once, except those after the last safe place to split."""
        self._tail += text
        if len(self._tail) >= BLOCK:
            self._count_blocks()

    @property
    def count(self) -> Count:
        """The tokens of all added text; encodes at most `BLOCK` characters."""
        return Count(round(self._counted + self._tokens(self._tail)), self._exact)

    def _count_blocks(self) -> None:
        at = 0
        while len(self._tail) - at >= BLOCK:
            block = self._tail[at : at + BLOCK]
            if place := _PLACE.match(block):
                block = place[0]
            else:  # split inside a word, which may add a token
                self._exact = False
            self._counted += self._tokens(block)
            at += len(block)
        self._tail = self._tail[at:]

    def _tokens(self, text: str) -> float:
        if self._encoding is None:
            return size_of(text) / BYTES_PER_TOKEN
        try:
            return len(self._encoding.encode_ordinary(text))
        except ValueError:
            self._exact = False
            return size_of(text) / BYTES_PER_TOKEN
