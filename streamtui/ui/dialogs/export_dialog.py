"""The dialog that asks for the file and the format of an export."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.cells import set_cell_size
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from streamtui.exporters.formats import Format, format_of
from streamtui.ui.dialogs.dialog import Dialog
from streamtui.ui.widgets.clean_input import CleanInput

_NAMES = {Format.MARKDOWN: "Markdown", Format.HTML: "HTML", Format.JSON: "JSON", Format.TEXT: "Text"}


@dataclass(frozen=True, slots=True)
class Destination:
    """Where and how to export."""

    path: Path
    """A file that doesn't exist yet, or for several sessions a folder that may."""
    format: Format
    tree: bool
    """True to export all branches."""


class ExportDialog(Dialog[Destination | None]):
    """Return the destination, or None when closed."""

    BINDINGS = [
        ("escape", "dismiss(None)", "Close"),
        ("up", "move(-1)"),
        ("down", "move(1)"),
        ("ctrl+t", "toggle_tree"),
    ]

    def __init__(self, subject: str, proposed: Callable[[Format], Path], *, branches: bool) -> None:
        """Ask where to export `subject` to; `proposed` returns the default path. `branches`: there are several."""
        super().__init__()
        self._subject = subject
        self._proposed = proposed
        self._branches = branches
        self._tree = False

    def compose(self) -> ComposeResult:
        """Create the file name input and the list of formats."""
        with Vertical(id="dialog"):
            yield CleanInput(str(self._proposed(Format.MARKDOWN)), id="file")
            yield Static(id="hint", markup=False)
            yield OptionList(*(Option(_row(each), id=each.value) for each in Format), id="formats")

    def on_mount(self) -> None:
        """Set the title and focus the file name."""
        self._update_title()
        self.options.highlighted = 0
        self.query_one(Input).focus()

    def _update_title(self) -> None:
        branches = [f"ctrl+t all branches: {'on' if self._tree else 'off'}"] if self._branches else []
        self.set_title(f"Export {self._subject}", "enter export", *branches, "up/down format", "esc close")

    @property
    def format(self) -> Format:
        """The highlighted format."""
        return list(Format)[self.options.highlighted or 0]

    def action_move(self, by: int) -> None:
        """Highlight another format while the file name keeps the focus."""
        self.options.highlighted = (list(Format).index(self.format) + by) % len(Format)

    def action_toggle_tree(self) -> None:
        """Switch between all branches and the current one."""
        self._tree = self._branches and not self._tree
        self._update_title()

    @on(OptionList.OptionHighlighted)
    def update_extension(self) -> None:
        """Give the file name the extension of the format."""
        file = self.query_one(Input)
        if file.value in {str(self._proposed(each)) for each in Format}:
            file.value = str(self._proposed(self.format))
        elif format_of(file.value) not in (None, self.format):
            file.value = str(Path(file.value).with_suffix(self.format.suffix))

    @on(Input.Changed)
    def clear_hint(self) -> None:
        """Hide the hint about the previous file name."""
        self.show_hint("")

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    def export(self) -> None:
        """Close with the destination unless the file exists."""
        text = self.query_one(Input).value.strip()
        path = Path(os.path.expanduser(text))
        proposed = self._proposed(self.format)
        if proposed.suffix and path.is_dir():
            path /= proposed.name
        if not text:
            self.show_hint("Enter a file name.")
        elif os.path.lexists(path) and (proposed.suffix or not path.is_dir()):
            self.show_hint(f"{path} already exists. Choose another name.")
        else:
            self.dismiss(Destination(path, self.format, self._tree))


def _row(format: Format) -> Content:
    return Content.assemble(set_cell_size(_NAMES[format], 10), (format.does, "dim"))
