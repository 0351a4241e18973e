"""Counts tokens: the server's own numbers where it gave some, else by an encoding at hand, else estimates."""

# What needs encodings (`context`, `encodings`) is imported from there: the first paint can do without.
from streamtui.tokens.count import Count, estimate, rounded, size_of, tokens_in
from streamtui.tokens.counter import TokenCounter

__all__ = ["Count", "TokenCounter", "estimate", "rounded", "size_of", "tokens_in"]
