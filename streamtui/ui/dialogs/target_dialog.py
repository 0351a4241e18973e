"""TargetDialog: what can be done with a code block or a link."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from streamtui.ui.dialogs.dialog import ListDialog
from streamtui.ui.transcript.targets import Target

_CODE = {"copy": "c  copy", "save": "s  save as a file here", "edit": "e  open in $EDITOR"}
_LINK = {"open": "o  open in the browser", "copy": "c  copy the address"}


class TargetDialog(ListDialog):
    """Ends with what to do: copy, save, edit or open; "" for nothing."""

    BINDINGS = [(label[0], f"dismiss('{action}')") for action, label in {**_CODE, **_LINK}.items()]

    def __init__(self, target: Target) -> None:
        super().__init__()
        self._target = target

    def compose(self) -> ComposeResult:
        """What it is, and the list."""
        with Vertical(id="dialog"):
            yield Static(Content(self._target.url or _first_lines(self._target.code)), id="what")
            yield OptionList(*(Option(label, id=action) for action, label in self._actions.items()))

    @property
    def _actions(self) -> dict[str, str]:
        return _LINK if self._target.url else _CODE

    def on_mount(self) -> None:
        """Names the panel."""
        kind = "Link" if self._target.url else f"Code {self._target.language}".rstrip()
        self.set_title(kind, "enter do it", "esc leave")
        self.options.focus()


def _first_lines(code: str) -> str:
    lines = code.split("\n")
    return "\n".join(lines[:5] + (["…"] if len(lines) > 5 else []))
