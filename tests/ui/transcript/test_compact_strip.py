"""LeanStrip looks the same as Textual's strip, in fewer bytes."""

import re

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from streamtui.ui.transcript.compact_strip import LeanStrip

COLOURS = st.none() | st.sampled_from(["#102030", "#ff0000", "#aabbcc"])
FLAGS = st.none() | st.booleans()
STYLES = st.builds(
    Style, color=COLOURS, bgcolor=COLOURS, bold=FLAGS, italic=FLAGS, underline=FLAGS, strike=FLAGS,
    link=st.none() | st.just("https://example.com/a"),
)  # fmt: skip
SEGMENTS = st.lists(st.builds(Segment, st.text("abc ", min_size=1, max_size=4), STYLES), min_size=1, max_size=8)
CONSOLE = Console(color_system="truecolor")
TOKEN = re.compile(r"\x1b\[([0-9;]*)m|\x1b\]8;[^;]*;([^\x1b]*)\x1b\\|(.)", re.DOTALL)
COLOUR = re.compile(r"(?:38|48);2;\d+;\d+;\d+|\d+")


def cells(written: str) -> list[tuple[str, frozenset[str], str]]:
    """Every character that is shown, with the colours and attributes a terminal gives it, and its link."""
    shown, state, link = [], dict[str, str](), ""
    for codes, url, character in TOKEN.findall(written):
        if character:
            shown.append((character, frozenset(state.values()), link))
        elif "8;" in written and url is not None and not codes and (url or link):
            link = url
        else:
            for code in COLOUR.findall(codes):
                if code == "0":
                    state.clear()
                else:
                    state[code[:2] if code[:2] in ("38", "48") and ";" in code else code] = code
    return shown


@given(SEGMENTS)
def test_it_looks_the_same(segments: list[Segment]) -> None:
    lean, plain = LeanStrip(segments).render(CONSOLE), Strip(segments).render(CONSOLE)
    assert cells(lean) == cells(plain)
    assert len(lean) <= len(plain) + len("\x1b[0m")


def test_it_is_lean() -> None:
    background = Style(bgcolor="#101010")
    segments = [Segment("word ", background + Style(color=colour)) for colour in ("red", "green", "blue") * 3]
    assert len(LeanStrip(segments).render(CONSOLE)) < 0.7 * len(Strip(segments).render(CONSOLE))
