"""What the pane leans on in Textual beyond its documentation: one test for each, so that a new release tells."""

from rich.segment import Segment
from rich.style import Style
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual.app import App, ComposeResult
from textual.geometry import Offset, Region, Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from tests.ui.conftest import until


class Lines(ScrollView):
    """A widget that counts how it is asked for lines."""

    ALLOW_SELECT = True

    def __init__(self) -> None:
        super().__init__()
        self.painted = self.hit = 0

    def render_lines(self, crop: Region) -> list[Strip]:
        """Paints."""
        self.painted += 1
        return [Strip.blank(crop.width)] * crop.height

    def render_line(self, y: int) -> Strip:
        """Is hit."""
        self.hit += 1
        meta = Style.from_meta({"offset": (7, 1_000_000 + y)})
        return Strip([Segment("x" * self.size.width, meta)])


class Host(App[None]):
    """An app with nothing else."""

    def compose(self) -> ComposeResult:
        """The lines."""
        yield Lines()


async def test_painting_asks_for_lines_and_hits_for_a_line() -> None:
    app = Host()
    async with app.run_test(size=(20, 10)) as pilot:
        lines = app.query_one(Lines)
        assert lines.painted
        assert lines.hit == 0
        await pilot.mouse_down(lines, offset=(3, 2))
        assert lines.hit > 0


async def test_a_selection_takes_its_offsets_from_the_meta() -> None:
    app = Host()
    async with app.run_test(size=(20, 10)) as pilot:
        lines = app.query_one(Lines)
        await pilot.mouse_down(lines, offset=(3, 2))
        await pilot.hover(lines, offset=(5, 4))
        await pilot.mouse_up(lines, offset=(5, 4))
        selection = app.screen.selections[lines]
        assert isinstance(selection, Selection)
        assert selection.start is not None
        assert selection.end is not None
        assert (selection.start.y, selection.end.y) == (1_000_002, 1_000_004)
        assert selection.start == Offset(10, 1_000_002)


async def test_the_virtual_size_can_be_set_without_a_layout() -> None:
    app = Host()
    async with app.run_test(size=(20, 10)) as pilot:
        lines = app.query_one(Lines)
        await until(lambda: not app.screen._layout_required)
        lines.set_reactive(Widget.virtual_size, Size(20, 500))
        lines.set_scroll(None, 490)
        assert not app.screen._layout_required
        await pilot.pause()
        assert (lines.max_scroll_y, lines.scroll_y) == (490, 490)


async def test_a_widget_is_asked_for_all_its_lines() -> None:
    app = Host()
    async with app.run_test(size=(20, 10)) as pilot:
        lines = app.query_one(Lines)
        before = lines.painted
        lines.refresh(Region(0, 3, 20, 1))
        await pilot.pause()
        assert lines.painted > before


def test_a_strip_as_wide_as_the_screen_is_not_copied() -> None:
    class Own(Strip):
        pass

    strip = Own([Segment("x" * 20)], 20)
    assert strip.divide([20]) == [strip]
    assert type(strip.divide([20])[0]) is Own


def test_the_table_of_keys_has_no_entry_for_alt_enter_yet() -> None:
    # If this fails, Textual has learned alt+enter, and ui/terminal.py need not teach it.
    from streamtui.ui.terminal import _Keys

    found: object = ANSI_SEQUENCES_KEYS.get("\x1b\r")
    assert found is None or found == (_Keys.ALT_ENTER,)
