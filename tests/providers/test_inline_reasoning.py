"""Reasoning between tags in the text of a reply: told from the answer, wherever the stream cuts it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtui.providers.inline_reasoning import InlineReasoning, Split
from tests.support.provider_requests import pieces_of

CODE = "```html\n<think>\n</think>\n```\n"


def split(*pieces: str) -> tuple[str, str]:
    """The text and the reasoning of a reply that comes in `pieces`."""
    inline, text, reasoning = InlineReasoning(), "", ""

    def take(found: Split) -> None:
        nonlocal text, reasoning
        if found.text_was_reasoning:
            text, reasoning = "", reasoning + text
        text, reasoning = text + found.text, reasoning + found.reasoning

    for piece in pieces:
        take(inline.feed(piece))
    take(inline.feed("", ends=True))
    return text, reasoning


@pytest.mark.parametrize(
    ("reply", "text", "reasoning"),
    [
        ("Hello", "Hello", ""),
        ("\n\n once", "\n\n once", ""),
        ("  \n", "  \n", ""),
        ("", "", ""),
        ("<think>\nHm.\n</think>\n\nYes.", "Yes.", "Hm.\n"),
        ("\n <think>Hm.</think>Yes.\n", "Yes.\n", "Hm."),
        ("<think>\n\n</think>\n\nYes.", "Yes.", ""),
        ("<think>Hm.", "", "Hm."),
        ("<think>Hm.</thi", "", "Hm.</thi"),
        ("<think>a < b</ think></think>Yes.", "Yes.", "a < b</ think>"),
        ("<think>a</think>\n<think>b</think>\nYes.", "Yes.", "a\n\nb"),
        # As other models write it.
        ("<thinking>Hm, </think> is no end.</thinking>Yes.", "Yes.", "Hm, </think> is no end."),
        ("<thought>Hm.</thought>Yes.", "Yes.", "Hm."),
        ("<seed:think>Hm.</seed:think>Yes.", "Yes.", "Hm."),
        ("[THINK]Hm.[/THINK]Yes.", "Yes.", "Hm."),
        ("◁think▷Hm.◁/think▷Yes.", "Yes.", "Hm."),
        # The opening tag was in the prompt.
        ("Hm.\n</think>\n\nYes.", "Yes.", "Hm.\n"),
        ("Hm.</think>Yes.", "Yes.", "Hm."),
        ("\n</think>\nYes.", "Yes.", ""),
        ("Hm, `</think>` ends it.\n</think>Yes.", "Yes.", "Hm, `</think>` ends it.\n"),
        # An answer about tags.
        ("<b>Hi</b> <thinker> <", "<b>Hi</b> <thinker> <", ""),
        ("Write <think>Hm.</think> first.", "Write <think>Hm.</think> first.", ""),
        ("Close it by `</think>`.", "Close it by `</think>`.", ""),
        ("`<think>` and `</think>`", "`<think>` and `</think>`", ""),
        (f"So:\n{CODE}", f"So:\n{CODE}", ""),
        ("~~~\n</think>\n~~~", "~~~\n</think>\n~~~", ""),
        ("<think>Hm.</think>Yes: </think> is a tag, <think> too.", "Yes: </think> is a tag, <think> too.", "Hm."),
        # Code in reasoning.
        ("<think>Is it `</think>`? Or `a </think> b`?</think>Yes.", "Yes.", "Is it `</think>`? Or `a </think> b`?"),
        (f"<think>{CODE}Hm.</think>Yes.", "Yes.", f"{CODE}Hm."),
        ("<think>```py\nx.split('</think>')\n```\n</think>Yes.", "Yes.", "```py\nx.split('</think>')\n```\n"),
        ("<think>``a ` </think>``</think>Yes.", "Yes.", "``a ` </think>``"),
        ("<think>A ` alone.</think>Yes.\nNo.", "Yes.\nNo.", "A ` alone."),
        ("<think>A ` alone.</think>Yes.", "Yes.", "A ` alone."),
        (f"<think>A ` alone.</think>{'Yes. ' * 50}`", f"{'Yes. ' * 50}`", "A ` alone."),
        ("<think>Hm.\n```py\nx =\n</think>\n\nYes.", "Yes.", "Hm.\n```py\nx =\n"),
    ],
)
def test_replies(reply: str, text: str, reasoning: str) -> None:
    assert split(reply) == (text, reasoning)
    assert split(*reply) == (text, reasoning)


PARTS = ["<think>", "</think>", "<thinking>", "</thinking>", "[THINK]", "[/THINK]", "<", "</thi", "nk>", "`", "``"]
PARTS += ["```\n", "\n```", "~~~", "\n", "  ", " " * 600, "a", "b c", "x" * 150, "é", "◁think▷"]
REPLY = st.lists(st.sampled_from(PARTS) | st.text(max_size=4), max_size=12).map("".join)


@given(REPLY, st.lists(st.integers(0, 800), max_size=20))
def test_any_cut_gives_the_same(reply: str, cuts: list[int]) -> None:
    assert split(*pieces_of(reply, cuts)) == split(reply)


@given(REPLY)
def test_nothing_but_tags_and_whitespace_is_dropped(reply: str) -> None:
    def others(text: str) -> str:
        return "".join(character for character in text if character not in "</thinkgTHINK[]◁▷>" and character.strip())

    text, reasoning = split(reply)
    assert others(reasoning + text) == others(reply)


@given(st.text(st.characters(exclude_characters="<[◁")))
def test_a_reply_without_tags_stays_as_it_is(reply: str) -> None:
    assert split(reply) == (reply, "")


FLOODS = ["<think>a</think>", "`</think>", "<", "`", " ", "<think>", "</think>", "```\n</think>\n", "`</think> x"]


@pytest.mark.parametrize("part", FLOODS)
def test_floods_take_linear_time(part: str) -> None:
    def seconds(size: int) -> float:
        began = time.process_time()
        for begin in ("", "x", "<think>", "<think>`", "<think>```\n"):
            split(begin + part * (size // len(part)))
        return time.process_time() - began

    small = max(min(seconds(20_000) for _ in range(3)), 1e-3)
    assert seconds(200_000) < 40 * small
