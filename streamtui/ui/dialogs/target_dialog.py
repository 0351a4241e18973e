"""The dialog that offers actions for a code block or a link."""

from streamtui.ui.dialogs.dialog import ChoiceDialog
from streamtui.ui.transcript.targets import Target

_CODE = {"copy": "c  Copy", "save": "s  Save to a file in the current directory", "edit": "e  Open in $EDITOR"}
_LINK = {"open": "o  Open in browser", "copy": "c  Copy address"}


class TargetDialog(ChoiceDialog):
    """Return "copy", "save", "edit" or "open", or "" when closed."""

    BINDINGS = [(label[0], f"pick('{action}')") for action, label in {**_CODE, **_LINK}.items()]

    def __init__(self, target: Target) -> None:
        title = "Link" if target.url else f"Code {target.language}".rstrip()
        super().__init__(title, target.url or _first_lines(target.code), _LINK if target.url else _CODE)

    def action_pick(self, action: str) -> None:
        """Close with `action` if the target has it."""
        if action in self._choices:
            self.pick(action)


def _first_lines(code: str) -> str:
    lines = code.split("\n")
    return "\n".join(lines[:5] + (["…"] if len(lines) > 5 else []))
