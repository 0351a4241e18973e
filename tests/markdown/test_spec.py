"""Block structure and text agree with markdown-it-py on the examples of the CommonMark spec."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings

from tests.markdown.oracle import actual, expected
from tests.markdown.test_stream import documents

EXAMPLES = json.loads((Path(__file__).parent / "commonmark_spec.json").read_text())["examples"]

# Where we differ on purpose. That HTML is text, \( \[ $ keep formulas, a line break stays one and CJK text by
# punctuation is emphasised, are differences of the dialect, which the oracle shares: see dialect.py.
SPACES = "spaces at the end of a line are dropped before it is known whether a code span goes on in the next line"
DIFFERENCES = {335: SPACES, 336: SPACES, 337: SPACES, 640: SPACES}


@pytest.mark.parametrize(("number", "section", "text"), EXAMPLES)
def test_example(number: int, section: str, text: str) -> None:
    if number in DIFFERENCES:
        assert [leaf[:4] for leaf in actual(text)] == [leaf[:4] for leaf in expected(text)]
        assert actual(text) != expected(text), "no difference any more"
    else:
        assert actual(text) == expected(text)


# markdown-it-py looks for tables first, and takes the whole line above a delimiter row for their header, with its > or
# #. GFM gives the line to the quote or heading that it begins; the delimiter row then goes on with a quoted paragraph
# as its text, as a lazy line is never a table's.
_header_begins_a_block = re.compile(r"^[ \t]*(?:>|#{1,6}(?!#)|`{3}|~{3}).*\|.*\n[ \t]*[|:-][|:\- \t]*$", re.MULTILINE)
# To markdown-it-py a line indented by 4 columns or more, but less than the item's content, can begin a block. For
# CommonMark it is too far in for that, and goes on with the item's paragraph.
_item = re.compile(r"^[ \t>]*(?:[-+*]|\d+[.)])[ \t]*", re.MULTILINE)
_tab_indented = re.compile(r"^[ >]*\t", re.MULTILINE)


def _agrees_by_right(text: str) -> bool:
    """Whether markdown-it-py and we have no known reason to differ on a random document."""
    lines = [line.strip(" \t>-*+1.") for line in text.split("\n")]
    return not (
        "]:" in text  # a definition in a quote goes on lazily for us, as for cmark
        or any(line in ("$$", "\\[") for line in lines)  # our formulas of several lines
        or "\t>" in text  # markdown-it takes an indented > for a quote's next line, cmark does not
        or "    " in text
        or any(line.strip() == "" and line for line in text.split("\n"))  # what Python strips: no-break space, ...
        or "\x0c" in text
        or ("|" in text and any(line.startswith(("-", "*", "1.")) for line in text.split("\n")))  # list or header?
        or _header_begins_a_block.search(text)
        or (_tab_indented.search(text) and any(len(mark.expandtabs(4)) > 4 for mark in _item.findall(text)))
    )


@settings(max_examples=400)
@given(documents)
def test_structure_of_random_documents(text: str) -> None:
    text = text.replace("\r", "").replace("\0", "\ufffd")
    if _agrees_by_right(text):
        assert [leaf[:4] for leaf in actual(text)] == [leaf[:4] for leaf in expected(text)]
