"""Text from outside is safe to show, whole or in pieces."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtui.core.sanitize import Cleaner, clean, clean_line

NASTY = st.sampled_from("\r\n\t\x00\x07\x0b\x0c\x1b\x7f\x85\x9b\x9d\u2028\u2029\u202e\u2066\u061c\ud83d\ude00a中😀")
TEXT = st.one_of(st.text(NASTY), st.text(st.characters(categories=None)))
BIDI_OVERRIDES = set("\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_safe(char: str) -> bool:
    return char in "\t\n" or not (unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") or char in BIDI_OVERRIDES)


@given(TEXT)
def test_what_is_clean_is_safe_and_stays_as_it_is(text: str) -> None:
    cleaned = clean(text)
    assert all(map(is_safe, cleaned))
    assert clean(cleaned) == cleaned
    assert cleaned.encode().decode() == cleaned


@given(st.lists(TEXT))
def test_pieces_come_out_as_the_whole(pieces: list[str]) -> None:
    cleaner = Cleaner()
    shown = [cleaner.feed(piece) for piece in pieces]
    assert "".join(shown) + cleaner.finish() == clean("".join(pieces))


@given(st.text(st.characters(categories=["L", "M", "N", "P", "S", "Zs"])))
def test_harmless_text_is_left_alone(text: str) -> None:
    assert clean(text) == text


@given(TEXT)
def test_a_line_is_one_line(text: str) -> None:
    line = clean_line(text)
    assert line == line.strip()
    assert not set("\n\t") & set(line)
    assert clean_line(line) == line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\r\nb", "a\nb"),
        ("\x1b[2J", "␛[2J"),
        ("\x9b31m", "\ufffd31m"),
        ("a\u2028b\x85c", "a\nb\nc"),
        ("\x7f", "␡"),
        ("\ud83d\ude00", "😀"),
        ("\ud83d", "\ufffd"),
        ("abc\u202etxt.exe", "abc\ufffdtxt.exe"),
    ],
)
def test_what_becomes_of_dangerous_characters(text: str, expected: str) -> None:
    assert clean(text) == expected


def test_a_line_end_at_the_end_of_a_piece_is_not_cut() -> None:
    cleaner = Cleaner()
    assert cleaner.feed("a\r\n") == "a\n"
    assert cleaner.feed("b\r") == "b"
    assert cleaner.feed("\n") == "\n"
    assert cleaner.finish() == ""
