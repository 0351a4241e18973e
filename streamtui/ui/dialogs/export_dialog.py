"""ExportDialog: asks as what and where to export."""

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
    """What the user wants."""

    path: Path
    """A file that is not there, or for several sessions a folder that may be."""
    format: Format
    tree: bool
    """Whether all branches are wanted."""


class ExportDialog(Dialog[Destination | None]):
    """Ends with what the user wants, or with None when left."""

    BINDINGS = [
        ("escape", "dismiss(None)", "leave"),
        ("up", "move(-1)"),
        ("down", "move(1)"),
        ("ctrl+t", "toggle_tree"),
    ]

    def __init__(self, what: str, proposed: Callable[[Format], Path], *, branches: bool) -> None:
        """`what` is exported; `proposed` is where to by default. `branches`: there are some that could be left out."""
        super().__init__()
        self._what = what
        self._proposed = proposed
        self._branches = branches
        self._tree = False

    def compose(self) -> ComposeResult:
        """A line for the name above the formats."""
        with Vertical(id="dialog"):
            yield CleanInput(str(self._proposed(Format.MARKDOWN)), id="file")
            yield Static(id="hint", markup=False)
            yield OptionList(*(Option(_line(each), id=each.value) for each in Format), id="formats")

    def on_mount(self) -> None:
        """Names the panel."""
        self._say_keys()
        self.hint("")
        self.query_one(OptionList).highlighted = 0
        self.query_one(Input).focus()

    def _say_keys(self) -> None:
        branches = [f"ctrl+t all branches: {'yes' if self._tree else 'no'}"] if self._branches else []
        self.set_title(f"Export {self._what}", "enter export", *branches, "up, down format", "esc leave")

    @property
    def format(self) -> Format:
        """The format that is highlighted."""
        return list(Format)[self.query_one(OptionList).highlighted or 0]

    def action_move(self, by: int) -> None:
        """Chooses another format while the name keeps the focus."""
        formats = self.query_one(OptionList)
        formats.highlighted = (list(Format).index(self.format) + by) % len(Format)

    def action_toggle_tree(self) -> None:
        """Takes all branches, or no longer."""
        self._tree = self._branches and not self._tree
        self._say_keys()

    @on(OptionList.OptionHighlighted)
    def rename(self) -> None:
        """Gives the name the ending of the format."""
        line = self.query_one(Input)
        proposals = {str(self._proposed(each)) for each in Format}
        if line.value in proposals:
            line.value = str(self._proposed(self.format))
        elif (known := format_of(line.value)) is not None and known is not self.format:
            line.value = str(Path(line.value).with_suffix(self.format.suffix))

    @on(Input.Changed)
    def forget_hint(self) -> None:
        """A hint is about a name that has changed."""
        self.hint("")

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    def export(self) -> None:
        """Ends, unless the name is taken."""
        text = self.query_one(Input).value.strip()
        path = Path(os.path.expanduser(text))
        proposed = self._proposed(self.format)
        if proposed.suffix and path.is_dir():
            path /= proposed.name
        if not text or (os.path.lexists(path) and (proposed.suffix or not path.is_dir())):
            self.hint(f"{path} exists already; choose another name." if text else "It needs a name.")
        else:
            self.dismiss(Destination(path, self.format, self._tree))


def _line(format: Format) -> Content:
    return Content.assemble(set_cell_size(_NAMES[format], 10), (format.does, "dim"))
