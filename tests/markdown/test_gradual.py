"""Hostile text is parsed in short steps: whatever it is, a step hands little to markdown-it and the layout."""

import random

import pytest
from hypothesis import given, settings

from streamtui.core.styled_text import Run
from streamtui.markdown import inline, table
from streamtui.markdown.document import Document, TableBlock, parse
from streamtui.markdown.gradual import STEP, GradualDocument
from streamtui.markdown.inline import FORCE
from streamtui.markdown.inline_rules import MARKS, special
from tests.markdown.test_stream import cuts, documents
from tests.support.documents import cut, looks

OPENERS = ["[", "![", "[a](", "[a][", "*", "**a*", "_", "a*", "`", "``a", "~~a", "<a", "<a:", "(", "&a", "$a", "\\(",
           "\\[", "a@", "http://", "* - ", "![_", "> [\n"]  # fmt: skip


@settings(max_examples=200)
@given(documents, cuts)
def test_a_gradual_document_becomes_the_same_as_a_whole_one(text: str, random_: random.Random) -> None:
    text = text * 20  # many steps
    gradual = GradualDocument()
    for piece in cut(text, random_, 3 * STEP):
        gradual.feed(piece)
        if random_.random() < 0.5:
            gradual.work()
    gradual.finish()
    assert gradual.source == text
    stable = 0
    while gradual.is_working:
        stable = 0 if gradual.work() else stable
        assert gradual.stable >= stable
        stable = gradual.stable
        assert gradual.source == text
    assert looks(gradual.blocks, 60) == looks(parse(text), 60)
    assert gradual.stable == len(gradual.blocks)


def test_a_step_feeds_a_limited_number_of_characters() -> None:
    gradual = GradualDocument()
    gradual.feed("a\n\n" * 100_000)
    gradual.work()
    assert 0 < len(gradual.blocks) <= STEP


@pytest.mark.parametrize("opener", OPENERS)
@pytest.mark.parametrize("first", ["", "- ", "# ", "|a|b|\n|-|-|\n|"])
def test_few_marks_are_parsed_together(opener: str, first: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Markdown-it takes quadratic time for many openers in one text."""
    marks, lengths = [0], [0]

    def counting(text: str, env: dict[str, object]) -> list[Run]:
        marks.append(len(special.findall(text)))
        lengths.append(len(text))
        return [(text, "")]

    monkeypatch.setattr(inline, "parse_inline", counting)
    monkeypatch.setattr(table, "parse_inline", counting)
    text = first + opener * (12_000 // len(opener))
    document = Document()
    for at in range(0, len(text), 300):
        document.feed(text[at : at + 300])
        for block in document.blocks[-2:]:
            block.layout(80)
    document.finish()
    for block in document.blocks:
        block.layout(80)
    assert max(marks) <= 2 * MARKS  # what is open is closed at the end of the text shown
    assert max(lengths) <= 2 * FORCE


def test_text_with_many_marks_stays_whole() -> None:
    for opener in OPENERS[:-1]:
        text = opener * 2_000
        shown = "".join(block.plain() for block in parse("x" + text))
        assert shown.count("a") == text.count("a")


def test_a_line_start_is_not_held_back_without_end() -> None:
    for start in ("```", "~~~"):
        document = Document()
        document.feed(start + "[" * 1_000)
        assert document.blocks
        assert parse(start + "[" * 1_000)[0].kind == "text"


def test_too_many_columns_are_no_table() -> None:
    for columns, kind in ((table.COLUMNS, "table"), (table.COLUMNS + 1, "text")):
        assert parse("|a" * columns + "|\n" + "|-" * columns + "|\n")[0].kind == kind


def test_a_long_row_is_cut_and_one_with_many_marks_stays_as_written() -> None:
    (block,) = parse(f"|a|\n|-|\n|{'b' * 3 * table.ROW}|\n|{'[' * 2 * MARKS}**c**|\n")
    block.layout(80)
    text = block.plain()
    assert table.ROW - 1 <= text.count("b") <= table.ROW
    assert "…" in text
    assert text.count("[") == 2 * MARKS
    assert "**c**" in text


def test_rows_that_take_long_to_lay_out_have_no_say_in_the_widths() -> None:
    document = Document()
    document.feed("|a|b|\n|-|-|\n")
    (block,) = document.blocks
    assert isinstance(block, TableBlock)
    laid_out = 0
    for number in range(table.SAMPLE):
        document.feed(f"|{'日' * (1_000 + number)}|{'b' * number}|\n")
        block.layout(400)
        laid_out += len(block._rows) * (block.fresh == 0)
    assert laid_out < 100
