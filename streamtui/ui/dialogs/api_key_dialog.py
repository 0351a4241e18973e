"""ApiKeyDialog: asks for the key of an endpoint."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from streamtui.config import Endpoint
from streamtui.core.redaction import without_password
from streamtui.ui.dialogs.dialog import Dialog
from streamtui.ui.widgets.clean_input import CleanInput


class ApiKeyDialog(Dialog[str]):
    """Ends with the key, or with "" when left."""

    BINDINGS = [("escape", "dismiss('')", "leave")]

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__()
        self._endpoint = endpoint

    def compose(self) -> ComposeResult:
        """Where the key goes, and a line for it that shows dots."""
        with Vertical(id="dialog"):
            yield Static(Content(self._words), id="words")
            yield CleanInput(placeholder="Paste or type the key", password=True, id="key")
            yield Static(id="hint", markup=False)

    @property
    def _words(self) -> str:
        variable = self._endpoint.key_variable
        advice = f" Set {variable} before the start and you are not asked." if variable else ""
        return (
            f"It goes to {without_password(self._endpoint.base_url)} and nowhere else. It is kept in the keyring of "
            f"this machine if there is one, else for this run only.{advice}\n"
        )

    def on_mount(self) -> None:
        """Names the panel."""
        self.set_title(f"The key of {self._endpoint.name}", "enter use it", "esc leave")
        self.hint("")
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Ends with the key, if it can be one."""
        from streamtui.config.validators import secret

        try:
            key = secret(event.value)
        except ValueError as error:
            self.hint(f"What was entered {error}.")
            return
        if key:
            self.dismiss(key)
        else:
            self.hint("Paste the key first, or leave with esc.")
