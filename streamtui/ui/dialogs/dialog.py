"""Base classes of the dialogs: a titled box, a filterable list, and a choice of a few options."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import ClassVar, TypeVar

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from streamtui.ui.bindings import binding_for
from streamtui.ui.fuzzy import folded, score
from streamtui.ui.widgets.clean_input import CleanInput
from streamtui.ui.widgets.text_fit import BORDER_CELLS, fit_hints
from streamtui.ui.worker_cleanup import WorkerCleanup

Result = TypeVar("Result")

NARROW = 60
"""Terminal width, in cells, below which labels are shortened."""
PAGE = 60
"""Options added to a list at a time: Textual takes half a second for 10,000."""


class Dialog(WorkerCleanup, ModalScreen[Result]):
    """A titled box with the id `dialog`, centered above the screen."""

    BINDINGS = [binding_for("app.suspend", "app.suspend_process"), ("f1", "app.show_keys")]
    DEFAULT_CSS = """
    Dialog {
        align: center middle;
        background: $background 60%;

        #dialog {
            width: 90%;
            max-width: 104;
            height: auto;
            max-height: 85%;
            border: round $border;
            border-title-color: $primary;
            border-title-style: bold;
            border-subtitle-color: $foreground 60%;
            background: $surface;
            padding: 0 1;
        }
        #dialog, OptionList {
            scrollbar-size-vertical: 1;
            scrollbar-color: $foreground 30%;
            scrollbar-background: $surface;
        }
        &.tall #dialog { height: 85%; }
        Input { border: none; height: 1; margin: 0 0 1 0; background: $panel; &:focus { border: none; } }
        OptionList {
            border: none;
            height: auto;
            max-height: 100%;
            background: $surface;
            padding: 0;
            &:focus { border: none; }
        }
        &.tall OptionList { height: 1fr; }
        #hint { display: none; height: auto; color: $warning; margin: 0 2 1 2; }
    }
    .low Dialog #dialog { width: 100%; height: 100%; max-height: 100%; overflow-y: auto; }
    .low Dialog #hint { margin: 0 2; }
    .low Dialog OptionList { height: 1fr; }
    """
    SCOPED_CSS = False  # the `.low` class is set on the app, which scoped rules can't match

    _key_hints: Sequence[str] = ()

    def set_title(self, title: str, *keys: str) -> None:
        """Set the title and the key hints below the box, the most important first and the one that closes it last."""
        self._key_hints = keys
        self.query_one("#dialog").border_title = Content(title)  # may hold text from a model: no markup
        self.call_after_refresh(self._show_keys)

    @on(events.Resize)
    def fit_keys(self) -> None:
        """Show as many key hints as fit."""
        self.call_after_refresh(self._show_keys)

    def _show_keys(self) -> None:
        for box in self.query("#dialog"):  # none after the dialog was closed
            box.border_subtitle = Content(fit_hints(self._key_hints, box.outer_size.width - BORDER_CELLS))

    @property
    def options(self) -> OptionList:
        """The list of options, in dialogs that have one."""
        return self.query_one(OptionList)

    def show_hint(self, text: str) -> None:
        """Show `text` in the hint line; "" hides the line."""
        for hint in self.query("#hint").results(Static):  # none once the dialog is being closed
            hint.display = bool(text)
            hint.update(Content(text))
            if text:
                hint.scroll_visible(animate=False)


def best_matches(text: str, names: Iterable[str]) -> list[str]:
    """Return the names that fuzzily match `text`, the best match first; all in their order if it is empty."""
    letters = folded(text)
    scores = {name: found for name in names if (found := score(letters, folded(name)))}
    return sorted(scores, key=lambda name: -scores[name]) if text else list(scores)


class ListDialog(Dialog[str]):
    """A list with a filter above it. Return the id of the picked option, or "" when closed."""

    BINDINGS = [("escape", "dismiss('')", "Close"), ("up", "move(-1)"), ("down", "move(1)")]
    PLACEHOLDER: ClassVar[str] = "Filter"
    _rest: Iterator[Option] = iter(())
    """The matching options that are not in the list yet."""

    def compose(self) -> ComposeResult:
        """Create the filter, the hint line and the list."""
        with Vertical(id="dialog"):
            yield CleanInput(placeholder=self.PLACEHOLDER, id="filter")
            yield Static(id="hint", markup=False)
            yield OptionList(markup=False)

    @property
    def filter_text(self) -> str:
        """The text of the filter."""
        return self.query_one("#filter", Input).value

    @property
    def highlighted_id(self) -> str:
        """The id of the highlighted option, or ""."""
        option = self.options.highlighted_option
        return (option.id or "") if option else ""

    @on(Input.Changed, "#filter")
    def apply_filter(self) -> None:
        """List the options that match the filter."""
        self.update_options()

    def update_options(self) -> None:
        """List the first options that match the filter and highlight the first one."""
        if not self.children:
            return  # closed meanwhile
        self._rest = iter(self.matching(self.filter_text))
        self.options.clear_options()
        self._add_page()
        if self.options.option_count:
            self.options.highlighted = 0

    def _add_page(self) -> None:
        self.options.add_options(islice(self._rest, max(PAGE, self.size.height)))

    def on_mount(self) -> None:
        """Add options as the list is scrolled."""
        for options in self.query(OptionList):  # none if the dialog is being closed
            self.watch(options, "scroll_y", self._add_when_near_end, init=False)

    @on(OptionList.OptionHighlighted)
    def _add_when_near_end(self) -> None:
        options = self.options
        last = max(options.highlighted or 0, int(options.scroll_y) + options.size.height)
        if last + options.size.height >= options.option_count:
            self._add_page()

    def matching(self, text: str) -> Iterable[Option]:
        """Return the options that match `text`, the best match first."""
        raise NotImplementedError

    def action_move(self, by: int) -> None:
        """Move the highlight while the filter keeps the focus."""
        if by < 0:
            self.options.action_cursor_up()
        else:
            self.options.action_cursor_down()

    def on_input_submitted(self) -> None:
        """Pick the highlighted option."""
        if self.highlighted_id:
            self.pick(self.highlighted_id)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Pick the selected option."""
        self.pick(event.option_id or "")

    def pick(self, option_id: str) -> None:
        """Close with the picked option."""
        self.dismiss(option_id)


class ChoiceDialog(Dialog[str]):
    """A message above a few options. Return the id of the picked option, or "" when closed."""

    BINDINGS = [("escape", "dismiss('')", "Close")]

    def __init__(self, title: str, message: str, choices: Mapping[str, str], close_hint: str = "esc close") -> None:
        """`choices` maps the ids of the options to their labels."""
        super().__init__()
        self._title = title
        self._message = message
        self._choices = choices
        self._close_hint = close_hint

    def compose(self) -> ComposeResult:
        """Create the message and the options."""
        with Vertical(id="dialog"):
            yield Static(Content(f"{self._message}\n"), id="message")
            yield OptionList(*(Option(label, id=choice) for choice, label in self._choices.items()), markup=False)

    def on_mount(self) -> None:
        """Set the title and focus the options."""
        self.set_title(self._title, "enter select", self._close_hint)
        self.options.focus()

    @on(OptionList.OptionSelected)
    def pick_selected(self, event: OptionList.OptionSelected) -> None:
        """Pick the selected option."""
        self.pick(event.option_id or "")

    def pick(self, option_id: str) -> None:
        """Close with the picked option."""
        self.dismiss(option_id)
