"""Types for styled text."""

Run = tuple[str, str]
"""A text and the names of its styles, separated by spaces."""

Line = tuple[int, list[Run]]
"""The offset of a line's first character in its block, and its runs."""
