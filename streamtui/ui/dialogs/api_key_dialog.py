"""The dialog that asks for an endpoint's API key."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from streamtui.config import Endpoint
from streamtui.core.redaction import without_password
from streamtui.ui.dialogs.dialog import Dialog
from streamtui.ui.widgets.clean_input import CleanInput


class ApiKeyDialog(Dialog[str]):
    """Return the API key, or "" when closed."""

    BINDINGS = [("escape", "dismiss('')", "Close")]

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__()
        self._endpoint = endpoint

    def compose(self) -> ComposeResult:
        """Create a masked input below a note on where the key goes."""
        with Vertical(id="dialog"):
            yield Static(Content(self._note), id="message")
            yield CleanInput(placeholder="Paste or type the API key", password=True, id="key")
            yield Static(id="hint", markup=False)

    @property
    def _note(self) -> str:
        variable = self._endpoint.key_variable
        advice = f" To skip this step, set {variable} before starting streamtui." if variable else ""
        return (
            f"Sent only to {without_password(self._endpoint.base_url)}. Stored in the system keyring if available, "
            f"otherwise used for this run only.{advice}\n"
        )

    def on_mount(self) -> None:
        """Set the title and focus the input."""
        name = self._endpoint.name
        self.set_title(f"{'OpenAI' if name == 'openai' else name} API key", "enter save", "esc close")
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close with the key if it is valid."""
        from streamtui.config.validators import secret

        try:
            key = secret(event.value)
        except ValueError:
            self.show_hint("Not a valid API key. Paste it exactly as the provider shows it.")
            return
        if key:
            self.dismiss(key)
        else:
            self.show_hint("Paste an API key, or press esc to close.")
