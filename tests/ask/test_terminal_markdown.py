"""Markdown on a terminal: the same however it came, nothing that drives the terminal but our own looks."""

import io
import re

from hypothesis import given
from hypothesis import strategies as st

from streamtui.ask.terminal_markdown import MarkdownOutput
from streamtui.core.message import Delta, Message, Role
from streamtui.core.sanitize import clean
from streamtui.core.session import Session
from streamtui.markdown.document import CodeBlock, Document

_OURS = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;;[!-~]*\x1b\\")
TEXTS = st.text(st.sampled_from("ab# *_`>-1.\n|[]()~\t<&;é漢😀"), max_size=120)


def rendered(*pieces: str, color: bool = True, width: int = 40) -> str:
    """What is written of a reply that comes in `pieces`."""
    out = io.StringIO()
    output = MarkdownOutput(out, color=color, width=width)
    for piece in pieces:
        output.on_delta(Delta(piece))
    output.on_end(Session(), Message(Role.ASSISTANT))
    return out.getvalue()


@given(TEXTS, st.integers(0, 120))
def test_it_is_the_same_however_it_came(text: str, cut: int) -> None:
    assert rendered(text[:cut], text[cut:]) == rendered(text)


@given(TEXTS)
def test_without_colour_there_are_no_escapes(text: str) -> None:
    plain, coloured = rendered(text, color=False), _OURS.sub("", rendered(text))
    assert plain.splitlines() == [line.rstrip() for line in coloured.splitlines()]


def test_what_markdown_makes_of_entities_is_cleaned() -> None:
    shown = rendered("a &#x1b;[2J &#x202e; `&#27;` [x](http://e.org/\x07&#x1b;]0;t)\n")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", _OURS.sub("", shown))


@given(TEXTS, st.integers(0, 120), st.integers(1, 20), st.booleans())
def test_narrow_lines_are_the_same_however_they_came(text: str, cut: int, step: int, color: bool) -> None:
    whole = rendered(text, color=color, width=10)
    assert rendered(text[:cut], text[cut:], color=color, width=10) == whole
    pieces = [text[at : at + step] for at in range(0, len(text), step)]
    assert rendered(*pieces, color=color, width=10) == whole


@given(st.text(st.sampled_from("ab# *_`>1.\n[]()\t<&;é漢😀"), max_size=120))
def test_lines_written_early_are_those_of_the_whole_document(text: str) -> None:
    document = Document()
    document.feed(text)
    document.finish(relink=False)
    expected: list[str] = []
    for block in document.blocks:
        code = isinstance(block, CodeBlock)
        block.layout(10, wrap=False) if isinstance(block, CodeBlock) else block.layout(10)
        runs = [block.prefix(-1)] * block.margin
        for index in range(block.lines_count):
            runs.append([*block.prefix(index), ("  " if code else "", ""), *block.line(index)[1]])
        expected += [clean("".join(text for text, _ in line)).rstrip() for line in runs]
    assert rendered(*text, color=False, width=10).splitlines() == expected


class Terminal:
    """A reply on its way: what of it is written already."""

    def __init__(self, width: int = 40) -> None:
        self._out = io.StringIO()
        self.output = MarkdownOutput(self._out, color=False, width=width)

    def shows(self, piece: str) -> str:
        """Adds a piece, and returns all that is written."""
        self.output.on_delta(Delta(piece))
        return self._out.getvalue()


def test_a_line_is_written_when_it_is_wrapped() -> None:
    terminal = Terminal(width=20)
    assert terminal.shows("The first paragraph ") == ""
    assert terminal.shows("goes on and on, ") == "The first paragraph\n"
    assert terminal.shows("un") == "The first paragraph\n"
    assert terminal.shows("til it ends.") == "The first paragraph\ngoes on and on,\n"
    assert terminal.shows("\n\nSecond").splitlines() == ["The first paragraph", "goes on and on,", "until it ends."]


def test_each_line_of_code_is_written_when_it_is_finished() -> None:
    terminal = Terminal()
    assert terminal.shows("```python\nfor x in y:\n    pri") == "  for x in y:\n"
    assert terminal.shows("nt(x)\n") == "  for x in y:\n      print(x)\n"


def test_an_item_is_written_when_the_next_one_begins() -> None:
    terminal = Terminal()
    assert terminal.shows("- one\n- two\n- thr") == "• one\n• two\n"


def test_a_table_is_written_when_it_is_complete() -> None:
    terminal = Terminal()
    assert terminal.shows("| a | b |\n|---|---|\n| 1 | 2 |\n| much wider | 3 |\n") == ""
    assert terminal.shows("\nEnd") == ("a          │ b\n───────────┼────\n1          │ 2\nmuch wider │ 3\n")


def test_a_line_that_turns_out_to_be_a_tables_header_is_not_written_before() -> None:
    terminal = Terminal(width=20)
    assert terminal.shows("Some text above the table, which is wrapped\n").count("\n") == 1
    before = terminal.shows("a cell | and another cell | and a third cell")
    assert "cell" not in before
    assert "cell" in terminal.shows("\n---|---|---\n\nEnd of it all.\n\n")


def test_a_paragraph_that_turns_out_to_be_a_heading_is_written_once() -> None:
    assert rendered("A heading of several\nlines\n===\nText", color=False, width=10).split() == [
        "A", "heading", "of", "several", "lines", "Text",
    ]  # fmt: skip


def test_what_was_reasoning_is_set_apart() -> None:
    out = io.StringIO()
    output = MarkdownOutput(out, color=False, width=40)
    output.on_delta(Delta("Hm"))
    output.on_delta(Delta("Yes.", text_was_reasoning=True))
    output.on_end(Session(), Message(Role.ASSISTANT))
    assert out.getvalue() == "Hm\n\nYes.\n"


def test_code_is_never_wrapped() -> None:
    line = "x = " + "1 + " * 40 + "1"
    assert line in rendered(f"```python\n{line}\n```\n", color=False)


def test_links_can_be_followed() -> None:
    assert "\x1b]8;;https://example.org/a\x1b\\" in rendered("[here](https://example.org/a)\n")
