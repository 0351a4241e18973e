"""Fuzzy matching of names with a few typed letters, in linear time.

Textual's matcher tries every way in which the letters can stand in a name. The number of ways is exponential, and the
names come from servers.
"""

LONGEST = 200
"""Characters of a name that are looked at."""
MOST_LETTERS = 30
"""Typed letters that may be spread over a name; more of them have to stand in it as a whole."""


def folded(name: str) -> str:
    """Return the part of `name` that is compared, in lower case."""
    return name[:LONGEST].lower()


def score(letters: str, name: str) -> float:
    """Return how well `letters` fit `name`, both folded: 0 if they do not, more the better they do.

    What stands in it as a whole comes before what has the letters in this order somewhere.
    """
    at = name.find(letters)
    if at >= 0:
        begins_word = at == 0 or not name[at - 1].isalnum()
        return 2 + begins_word + len(letters) / max(1, len(name))
    if len(letters) > MOST_LETTERS:
        return 0.0
    gaps, at = 0, -1
    for letter in letters:
        found = name.find(letter, at + 1)
        if found < 0:
            return 0.0
        gaps += found > at + 1
        at = found
    return 1 / (1 + gaps)
