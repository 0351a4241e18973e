"""Markdown on a terminal: the same however it came, nothing that drives the terminal but our own looks."""

import io
import re

from hypothesis import given
from hypothesis import strategies as st

from streamtui.ask.rendered import Rendered
from streamtui.message import Delta, Message, Role
from streamtui.session import Session

_OURS = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;;[!-~]*\x1b\\")
TEXTS = st.text(st.sampled_from("ab# *_`>-1.\n|[]()~\t<&;é漢😀"), max_size=120)


def rendered(*pieces: str, colour: bool = True, width: int = 40) -> str:
    """What is written of a reply that comes in `pieces`."""
    out = io.StringIO()
    output = Rendered(out, colour=colour, width=width)
    for piece in pieces:
        output.piece(Delta(piece))
    output.end(Session(), Message(Role.ASSISTANT))
    return out.getvalue()


@given(TEXTS, st.integers(0, 120))
def test_it_is_the_same_however_it_came(text: str, cut: int) -> None:
    assert rendered(text[:cut], text[cut:]) == rendered(text)


@given(TEXTS)
def test_without_colour_there_are_no_escapes(text: str) -> None:
    plain, coloured = rendered(text, colour=False), _OURS.sub("", rendered(text))
    assert plain.splitlines() == [line.rstrip() for line in coloured.splitlines()]


def test_what_markdown_makes_of_entities_is_cleaned() -> None:
    shown = rendered("a &#x1b;[2J &#x202e; `&#27;` [x](http://e.org/\x07&#x1b;]0;t)\n")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", _OURS.sub("", shown))


def test_a_block_is_written_when_it_is_finished() -> None:
    out = io.StringIO()
    output = Rendered(out, colour=False, width=40)
    output.piece(Delta("First paragraph"))
    assert out.getvalue() == ""
    output.piece(Delta(" ends.\n\nSecond"))
    assert out.getvalue() == "First paragraph ends.\n"


def test_what_was_reasoning_is_set_apart() -> None:
    out = io.StringIO()
    output = Rendered(out, colour=False, width=40)
    output.piece(Delta("Hm"))
    output.piece(Delta("Yes.", text_was_reasoning=True))
    output.end(Session(), Message(Role.ASSISTANT))
    assert out.getvalue() == "Hm\n\nYes.\n"


def test_code_is_never_wrapped() -> None:
    line = "x = " + "1 + " * 40 + "1"
    assert line in rendered(f"```python\n{line}\n```\n", colour=False)


def test_links_can_be_followed() -> None:
    assert "\x1b]8;;https://example.org/a\x1b\\" in rendered("[here](https://example.org/a)\n")
