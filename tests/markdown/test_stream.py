"""Any chunking gives the same blocks as one whole parse, and lines keep their identity on the way."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from streamtui.markdown.document import Document, parse
from tests.support.documents import INDENTS, LINES, WORDS, cut, look, looks, stream

WIDTHS = (116, 60, 30, 17, 8, 3)
words = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join)
lines = st.tuples(st.sampled_from(INDENTS), st.sampled_from(LINES) | words).map("".join)
documents = st.lists(lines, max_size=12).map("\n".join)
cuts = st.randoms(use_true_random=False)


@settings(max_examples=400)
@given(documents, cuts, st.lists(st.sampled_from(WIDTHS), min_size=1, max_size=3), st.sampled_from((1, 4, 7, 30)))
def test_any_chunking_gives_the_same_blocks(text: str, random_: random.Random, widths: list[int], longest: int) -> None:
    streamed = stream(cut(text, random_, longest), widths, random_)
    for width in {*widths, 80}:
        assert looks(streamed.blocks, width) == looks(parse(text), width)
    assert streamed.source == text


@settings(max_examples=150)
@given(documents, cuts)
def test_the_text_so_far_looks_the_same_however_it_came(text: str, random_: random.Random) -> None:
    end = random_.randint(0, len(text))
    at_once, piecewise = Document(), Document()
    at_once.feed(text[:end])
    for piece in cut(text[:end], random_):
        piecewise.feed(piece)
        for block in piecewise.blocks[piecewise.stable :]:
            block.layout(40)
    assert looks(at_once.blocks, 40) == looks(piecewise.blocks, 40)
    assert at_once.stable == piecewise.stable


@settings(max_examples=60)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=60), st.integers(5, 80), cuts)
def test_long_paragraphs_are_cut_at_the_same_places(words: list[str], times: int, random_: random.Random) -> None:
    text = " ".join(words * times)[:8000]
    streamed = stream(cut(text, random_, 40), [60], random_)
    assert looks(streamed.blocks, 60) == looks(parse(text), 60)


@settings(max_examples=100)
@given(documents, st.sampled_from(WIDTHS), st.sampled_from(WIDTHS))
def test_a_second_width_looks_as_if_it_were_the_first(text: str, first: int, second: int) -> None:
    blocks = parse(text)
    looks(blocks, first)
    assert looks(blocks, second) == looks(parse(text), second)


@settings(max_examples=100)
@given(documents)
def test_offsets_of_lines_point_into_the_plain_text(text: str) -> None:
    for block in parse(text):
        if block.kind != "rule":
            plain = look(block, 40)[-1]
            for index in range(block.lines_count):
                start, runs = block.line(index)
                line = "".join(run for run, _ in runs)
                if block.kind == "table":
                    line = line.replace("│", "|").replace("─┼─", "-|-").replace("─", "-")
                assert plain[start : start + len(line)] == line


def test_a_token_lays_out_the_last_lines_only() -> None:
    text = "some words with a `code` span and **strong** ones. " * 2000
    document, laid_out = Document(), 0
    for start in range(0, len(text), 4):
        document.feed(text[start : start + 4])
        block = document.blocks[-1]
        block.layout(60)
        laid_out += block.lines_count - block.fresh
    assert block.lines_count > 1000
    assert laid_out <= 2 * len(text) / 4
