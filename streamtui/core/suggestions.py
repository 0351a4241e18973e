"""Suggest the name that was probably meant."""

from collections.abc import Iterable

LONGEST = 100
"""Characters of a name that are compared; difflib takes quadratic time."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the one of `known` most similar to `name`; "" if none is similar."""
    if len(name) > LONGEST:
        return ""
    # 0.65, because two swapped letters of three, as in aks, score 0.67.
    import difflib  # needed only for mistakes

    return next(iter(difflib.get_close_matches(name, list(known), 1, cutoff=0.65)), "")
