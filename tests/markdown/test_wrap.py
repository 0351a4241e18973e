"""Wrapping: every line fits, nothing is lost, clusters stay whole, appended text moves no earlier break."""

import random
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len, get_character_cell_size, split_graphemes

from streamtui.core.styled_text import Run
from streamtui.markdown import wrap as module
from streamtui.markdown.wrap import Flow, breaks, cells, wrap

PIECES = (
    *"a b c de word longer-word supercalifragilistic 1 , . ) ( ( - \u2014 “ ” é ñ я λ ש م".split(" "),
    *"日 本語 漢字仮名 。 、 「 」 ッ ー 한국어 ＡＢ".split(" "),
    *"👩‍👧‍👦 🇩🇪 🇫 👍🏽 1️⃣ ❤️ ❤ ☺ 😀 e\u0301 \u0301 \u200d \u200b \xa0 \xad ไทย हिन्दी".split(" "),
    " ", " ", " ", "  ", "\n",
)  # fmt: skip
texts = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
widths = st.integers(2, 30)


def lines(text: str, width: int) -> list[str]:
    return [text[start:end] for start, end in breaks(text, width)]


@given(texts, widths)
@example("e\u0301aaaa \u0301", 5)
def test_every_line_fits_and_nothing_but_spaces_is_lost(text: str, width: int) -> None:
    found = lines(text, width)
    assert all(cell_len(line) <= width or len(split_graphemes(line)[0]) == 1 for line in found)
    visible = re.compile("[ \n\u200b]+")
    assert visible.sub("", "".join(found)) == visible.sub("", text)


@given(texts, texts, widths)
@example("foo 1", "\ufe0f\u20e3", 5)
def test_appended_text_moves_no_earlier_break(text: str, more: str, width: int) -> None:
    before, after = breaks(text, width), breaks(text + more, width)
    assert after[: len(before) - 1] == before[:-1]


@given(st.lists(st.tuples(texts, st.sampled_from(["", "strong", "code"])), max_size=8), st.randoms(), widths)
def test_text_wrapped_as_it_grows_comes_out_as_text_wrapped_at_once(
    runs: list[Run], random_: random.Random, width: int
) -> None:
    flow = Flow()
    for index, (text, style) in enumerate(runs):
        flow.layout(width, [(text[: random_.randint(0, len(text))], style)])
        before = [line for _, line in flow.lines]
        flow.push(text, style)
        if random_.random() < 0.3:
            flow.layout(width, runs[index + 1 :])
            assert all(new[1] is old for new, old in zip(flow.lines[: flow.fresh], before, strict=False))
    flow.layout(width, [])
    assert flow.lines == wrap(runs, width)
    assert "".join(text for text, _ in runs) == flow.plain()
    assert all(flow.plain().startswith("".join(text for text, _ in line), start) for start, line in flow.lines)


@pytest.mark.parametrize("cluster", ["👩‍👧‍👦", "🇩🇪", "👍🏽", "1️⃣", "❤️", "e\u0301", "a\u0301\u0302", "漢"])
@pytest.mark.parametrize("width", [2, 3, 5])
def test_no_cluster_is_split(cluster: str, width: int) -> None:
    found = lines(cluster * 9, width)
    assert all(len(line) % len(cluster) == 0 for line in found)
    assert all(cells(line) <= width for line in found)


def test_spaces_at_a_break_are_left_out_and_others_kept() -> None:
    assert lines("one two  three", 8) == ["one two", "three"]
    assert lines("    indented", 8) == ["    inde", "nted"]
    assert lines("one     two", 5) == ["one", "two"]


def test_cjk_breaks_anywhere_but_around_its_punctuation() -> None:
    assert lines("日本語。日本", 6) == ["日本", "語。日", "本"]
    assert lines("日本「語」", 6) == ["日本", "「語」"]
    assert lines("日本word", 6) == ["日本", "word"]


def test_the_narrow_class_is_narrow_and_the_wide_class_wide() -> None:
    narrow = re.compile(f"[{module._LETTERS}{module._SIGNS}]")
    wide = re.compile(f"[{module.WIDE}]")
    for code in range(0x110000):
        if narrow.match(chr(code)):
            assert get_character_cell_size(chr(code)) == 1, hex(code)
        elif wide.match(chr(code)):
            assert get_character_cell_size(chr(code)) == 2, hex(code)


def test_a_line_of_zero_width_characters_ends() -> None:
    assert all(len(line) <= 20 * 10 for line in lines("\u0301" * 5000, 10))
