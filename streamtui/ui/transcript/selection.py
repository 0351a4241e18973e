"""Where selected text begins and ends, and what it is: places in the text, not on the screen."""

from streamtui.ui.transcript.entry import Section
from streamtui.ui.transcript.flow import Flow
from streamtui.ui.transcript.notes import LineBlock

# A selection's y is no line but the place of a block, and its x a character of the block's text: so a selection
# stays where it is while text streams, wraps anew or folds.
_BLOCK_BITS = 24
_SECTION_BITS = 2
_BLOCK_MASK = (1 << _BLOCK_BITS) - 1
_ENTRY_SHIFT = _BLOCK_BITS + _SECTION_BITS


def address(entry: int, section: Section, block: int) -> int:
    """Returns the y of a block; blocks further down have larger ones."""
    return (entry << _ENTRY_SHIFT) | (section << _BLOCK_BITS) | block


def place(y: int) -> tuple[int, Section, int]:
    """Returns entry, section and block of an address."""
    return y >> _ENTRY_SHIFT, Section((y >> _BLOCK_BITS) & 3), y & _BLOCK_MASK


Span = tuple[int, int]
Point = tuple[int, int]
"""An address and a character of the block there."""
Bounds = tuple[Point | None, Point | None]
"""Start and end; None: the very beginning, the very end."""


def span_in(bounds: Bounds, y: int) -> Span | None:
    """Returns which characters of the block at address `y` are selected; an end of -1 is its end."""
    (start_y, start_x), (end_y, end_x) = bounds[0] or (-1, 0), bounds[1] or (1 << 62, -1)
    if not start_y <= y <= end_y:
        return None
    return (start_x if y == start_y else 0), (end_x if y == end_y else -1)


def text_between(flow: Flow, bounds: Bounds) -> str:
    """Returns the selected text as it was written: paragraphs not wrapped, code without borders."""
    first = place(bounds[0][0])[0] if bounds[0] else 0
    last = place(bounds[1][0])[0] if bounds[1] else len(flow.entries) - 1
    parts: list[str] = []
    for index in range(max(0, first), min(last, len(flow.entries) - 1) + 1):
        if first < index < last or bounds == (None, None):
            parts.append(f"{flow.entries[index].label}\n{flow.entries[index].text}\n")
            continue
        for section, number, block in flow.entries[index].blocks():
            span = span_in(bounds, address(index, section, number))
            if span is not None and (part := _part(block, span, first=not parts)):
                parts.append(part)
        if parts and index < last:
            parts.append("\n")
    return "\n".join(parts).rstrip("\n")


def _part(block: LineBlock, span: Span, *, first: bool) -> str:
    text = block.plain()
    text = text[span[0] : None if span[1] == -1 else span[1]]
    if span[0] == 0 and block.kind != "label":
        text = "".join(part for part, _ in block.prefix(0)) + text
    return f"\n{text}" if block.margin and not first else text
