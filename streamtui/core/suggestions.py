"""Finds the name that was probably meant."""

from collections.abc import Iterable

LONGEST = 100
"""Characters of a name that is compared; difflib takes quadratic time."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the one of `known` that is most like `name`; empty where none is much like it."""
    if len(name) > LONGEST:
        return ""
    # 0.65: two letters of three that changed places, as in aks, make 0.67.
    import difflib  # needed only where something is wrong

    return next(iter(difflib.get_close_matches(name, list(known), 1, cutoff=0.65)), "")
