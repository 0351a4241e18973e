"""Counts tokens: the server's own numbers where it gave some, else by an encoding at hand, else estimates."""

from streamtui.tokens.context import context_count
from streamtui.tokens.count import Count, estimate, rounded, size_of, tokens_in
from streamtui.tokens.counter import TokenCounter
from streamtui.tokens.encodings import counter_for, load_for

__all__ = [
    "Count",
    "TokenCounter",
    "context_count",
    "counter_for",
    "estimate",
    "load_for",
    "rounded",
    "size_of",
    "tokens_in",
]
