"""Tables: alignment, shrinking, wrapping cells, and rows that come late."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from streamtui.markdown.document import Document, TableBlock, parse
from streamtui.markdown.table import shrink, split_row
from tests.markdown.test_shapes import screen, shown

TABLE = "| name | count | what |\n|---|--:|:-:|\n| 日本 | 1 | **b** |\n| pipe \\| `x` | 22 | y |\n"


def test_alignment() -> None:
    assert shown(TABLE) == (
        "name     │ count │ what\n─────────┼───────┼─────\n日本     │     1 │  b\npipe | x │    22 │  y"
    )


def test_plain_is_markdown_again() -> None:
    (table,) = parse(TABLE)
    table.layout(60)
    assert [line.rstrip() for line in table.plain().split("\n")] == [
        "name     | count | what",
        "---------|-------|-----",
        "日本     |     1 |  b",
        "pipe | x |    22 |  y",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "a|b a\tb\n|---|---|\n|x\ty|z|",
        "a|b\n|---|---|\n|e\u0301e\u0301e\u0301|z|\n|漢字|z|\n|x|👩‍👩‍👧|",
        "क|b\n|---|---|\n|हिन्दी हिन्दी हिन्दी हिन्दी<br>हिन्दी|\u200b\u200b|",
    ],
)
def test_lines_lie_in_the_plain_text_where_they_say(text: str) -> None:
    streamed = Document()
    for char in text:
        streamed.feed(char)
        streamed.blocks[-1].layout(17)
    for (table,) in (streamed.blocks, parse(text)):
        table.layout(17)
        plain = table.plain()
        for index in range(table.lines_count):
            start, runs = table.line(index)
            line = "".join(run for run, _ in runs).replace("│", "|").replace("─┼─", "-|-").replace("─", "-")
            assert plain[start : start + len(line)] == line


def test_cells_wrap_in_columns_that_shrink() -> None:
    text = "| a | b |\n|---|---|\n| one two three four | five six seven eight nine ten |\n"
    assert shown(text, 30) == (
        "a             │ b\n"
        "──────────────┼───────────────\n"
        "one two three │ five six seven\n"
        "four          │ eight nine ten"
    )


def test_shrink_takes_from_the_widest() -> None:
    assert shrink([4, 40, 10], 30) == [4, 16, 10]
    assert shrink([20, 20], 31) in ([15, 16], [16, 15])
    assert shrink([5, 5], 20) == [5, 5]
    assert sum(shrink([50] * 9, 20)) <= 20


def test_a_table_always_fits() -> None:
    text = "|" + "column one|" * 6 + "\n" + "|---" * 6 + "|\n" + "|some longer text here 日本語" * 6 + "|\n"
    for width in (116, 60, 40, 30):
        assert all(cell_len(line) <= width for line in shown(text, width).split("\n"))


def test_br_is_a_line_break_in_a_cell_only() -> None:
    assert shown("| a | b |\n|---|---|\n| x<br>y | z |") == "a   │ b\n────┼────\nx   │ z\ny   │"
    assert shown("x<br>y") == "x<br>y"


def test_missing_cells_are_empty_and_further_ones_left_out() -> None:
    assert shown("| a | b |\n|---|---|\n| 1 |\n| 1 | 2 | 3 |") == "a   │ b\n────┼────\n1   │\n1   │ 2"


def test_an_unfinished_row_is_shown_and_replaced() -> None:
    document = Document()
    document.feed("| a | b |\n|---|---|\n| 1 | tw")
    assert screen(document.blocks) == "a   │ b\n────┼────\n1   │ tw"
    document.feed("o |\n")
    assert screen(document.blocks) == "a   │ b\n────┼────\n1   │ two"


def test_a_long_table_is_laid_out_anew_a_few_times_only() -> None:
    document = Document()
    document.feed("| a | b |\n|---|---|\n")
    anew = 0
    for number in range(1500):
        document.feed(f"| {'x' * (number // 20)} | {number} |\n")
        (table,) = document.blocks
        table.layout(60)
        anew += table.fresh == 0
    assert isinstance(table, TableBlock)
    assert anew <= 3 + 4 + 6  # widths grow every 20 rows, but have a say up to 64, then at 128, 256 and 512 rows


def test_rows_are_split_at_pipes_that_are_not_escaped() -> None:
    assert split_row("| a | b \\| c | |") == ["a", "b | c", ""]
    assert split_row("a | b") == ["a", "b"]
