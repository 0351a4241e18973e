"""A continuation that repeats the last words is joined without them; what is meant twice stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtui.conversation.continuation import WINDOW, OverlapTrimmer
from tests.support.provider_requests import pieces_of


def joined(before: str, *pieces: str) -> str:
    """The text behind the seam."""
    seam = OverlapTrimmer(before)
    return "".join([*map(seam.feed, pieces), seam.finish()])


REPEATED = {
    "words": ("It was the quick brown", "the quick brown fox", " fox"),
    "words, a space before": ("It was the quick brown", " the quick brown fox", " fox"),
    "words, a space at the end": ("It was the quick brown ", "the quick brown fox", "fox"),
    "a line": ("One.\n\nAnd now the second.\n", "And now the second.\nThird.", "Third."),
    "a paragraph, blank lines before": ("First one.\n\nThe second par", "\n\nThe second paragraph", "agraph"),
    "a whole short line": ("Steps:\n\n3. Mix", "3. Mix the flour", " the flour"),
    "a word begun": ("It will contin", "continue", "ue"),
    "a word not spaced": ("It is in the house", "house and", " and"),
    "all of it": ("A short reply that", "A short reply that goes on", " goes on"),
    "a fence": ("```python\nx = 1\ny = ", "```python\n2\n```", "2\n```"),
    "a fence and its last line": ("```python\ndef f():\n    x = comp", "```py\n    x = compute()", "ute()"),
    "a fence and a short last line": ("```python\nx = 1\ny", "```python\ny = 2", " = 2"),
    "Chinese": ("今天天气很好，我们一起去公园散步吧，然后", "我们一起去公园散步吧，然后回家", "回家"),
}
MEANT = {
    "nothing repeated": ("It was the quick", " brown fox"),
    "one letter": ("aaa", "a"),
    "a short word with a space": ("very", " very good"),
    "a number": ("10", "10"),
    "digits": ("3.14", "14"),
    "inside a word": ("an unbelievable", "able to"),
    "a refrain": ("Row, row, row your boat. Row, row, row your boat.", " Row, row, row your boat."),
    "rows of a table": ("| a | b |\n| --- | --- |\n| yes | no |\n| yes | no |\n", "| yes | no |\n"),
    "braces": ("if x {\n    if y {\n    }\n", "}\n"),
    "a rule": ("----------------", "----------------"),
    "a fence that closes": ("```python\nx = 1\n", "```\nDone."),
    "a fence that opens": ("Some words.\n\n", "```python\nx = 1"),
    "blanks": ("word", "   \n\n  next"),
}


@pytest.mark.parametrize("name", REPEATED)
def test_what_is_said_again_is_said_once(name: str) -> None:
    before, after, rest = REPEATED[name]
    assert joined(before, after) == rest
    assert joined(before, *after) == rest, "letter by letter"


@pytest.mark.parametrize("name", MEANT)
def test_what_is_meant_stays(name: str) -> None:
    before, after = MEANT[name]
    assert joined(before, after) == after
    assert joined(before, *after) == after, "letter by letter"


def test_text_is_not_held_back_once_it_is_something_else() -> None:
    seam = OverlapTrimmer("It was the quick brown fox that jumped over the lazy dog")
    assert seam.feed(" the") == ""
    assert seam.feed(" cat") == " the cat"
    assert seam.feed(" the quick") == " the quick"


def test_a_new_reply_is_not_held_back_at_all() -> None:
    assert OverlapTrimmer("").feed("x") == "x"


TEXTS = st.text(st.sampled_from("ab .\n`é世"), max_size=60)


@given(TEXTS, TEXTS, st.lists(st.integers(0, 60)))
def test_any_cut_gives_the_same_text_and_only_its_beginning_is_missing(
    before: str, after: str, cuts: list[int]
) -> None:
    whole = joined(before, after)
    assert after.endswith(whole)
    assert joined(before, *pieces_of(after, cuts)) == whole


@given(st.text(st.characters(categories=["L", "Z", "P"]), max_size=3 * WINDOW), st.text(max_size=200))
def test_however_long_the_text_before_it_is_fast_and_loses_nothing(before: str, after: str) -> None:
    assert after.endswith(joined(before, after))


@pytest.mark.parametrize(
    "held", ["`" * 5_000, "~" * 5_000, " " * 5_000 + "``", "```" + "x" * 5_000], ids=lambda held: held[:4]
)
def test_what_goes_on_without_end_is_not_held_back(held: str) -> None:
    seam = OverlapTrimmer("```py\nx = 1")
    shown = "".join(map(seam.feed, held))
    assert shown == held
