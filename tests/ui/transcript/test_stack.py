"""Stack: laying out again says from which line on the blocks look different."""

from streamtui.markdown.document import Document
from streamtui.ui.transcript.notes import Label
from streamtui.ui.transcript.stack import Stack


def test_a_growing_block_changes_only_at_its_end() -> None:
    document = Document()
    document.feed("```python\n" + "x = 1\n" * 50)
    stack = Stack(document.blocks)
    stack.layout(80, document.stable)
    document.feed("y = 2\n")
    assert stack.layout(80, document.stable) >= 49


def test_blocks_that_are_replaced_change_from_the_first() -> None:
    stack = Stack([Label(("one", "")), Label(("two", ""))])
    stack.layout(80, 2)
    assert stack.layout(80, 2) == 2
    stack.replace([Label(("three", ""))])
    assert stack.layout(80, 1) == 0
