"""Token counts, by an encoding if it is available, else estimated from the size."""

# `encodings` is not imported here: the first paint doesn't need it.
from streamtui.tokens.count import Count, estimate, rounded, size_of, tokens_in
from streamtui.tokens.counter import TokenCounter

__all__ = ["Count", "TokenCounter", "estimate", "rounded", "size_of", "tokens_in"]
