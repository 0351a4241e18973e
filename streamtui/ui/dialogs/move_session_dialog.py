"""The dialog that asks which endpoint continues a session whose own endpoint is not usable."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from streamtui.config import Endpoint
from streamtui.config.session_endpoint import endpoint_at, host_of, is_same_host
from streamtui.core.session import Session
from streamtui.ui.dialogs.dialog import ListDialog

OTHER = "other"
"""What MoveSessionDialog ends with to pick from all endpoints."""
_CANCEL = "cancel"
_LONGEST = 60
"""Characters of a name or an address: enough to know it, whatever a database holds."""


class MoveSessionDialog(ListDialog):
    """Ends with a key of `offers`, with `OTHER`, or with "" for nothing is sent."""

    def __init__(self, session: Session, named: Endpoint | None, usual: Endpoint) -> None:
        """`named`: the endpoint that has the session's name now; `usual`: the one of new sessions."""
        super().__init__()
        self._session = session
        self._named = named
        self._same_host = named is not None and (not session.address or is_same_host(named.address, session.address))
        self.offers = self._offers(usual)
        """The endpoints to choose from, by the ids of their lines."""

    def _offers(self, usual: Endpoint) -> dict[str, Endpoint]:
        before = None if self._same_host else endpoint_at(self._session.address)
        offers = {"named": self._named, "usual": usual, "before": before}
        if self._named is not None and self._named.name == usual.name:
            del offers["usual"]
        return {choice: endpoint for choice, endpoint in offers.items() if endpoint is not None}

    def compose(self) -> ComposeResult:
        """What has changed, and the choices."""
        with Vertical(id="dialog"):
            yield Static(Content(f"{self._sentence()}\n"), id="words")
            choices = {**{choice: self._line(choice) for choice in self.offers}, OTHER: "Pick another endpoint"}
            lines = (Option(text, id=choice) for choice, text in {**choices, _CANCEL: "Cancel"}.items())
            yield OptionList(*lines, markup=False)

    def on_mount(self) -> None:
        """Names the panel, and highlights what sends nothing: a second enter must not choose."""
        self.set_title("Send this conversation to another server?", "enter choose · esc cancel")
        self.options.highlighted = self.options.option_count - 1
        self.options.focus()

    def _sentence(self) -> str:
        name, address = self._session.endpoint[:_LONGEST], self._session.address
        held = f"It was held with {name}" + (f" at {host_of(address)[:_LONGEST]}" if address else "")
        if self._named is None:
            now = "which is not configured"
        elif self._same_host:
            now = "which has no API key now"
        else:
            now = f"and {name} is at {host_of(self._named.address)[:_LONGEST]} now"
        return f"{held}, {now}. The endpoint you choose gets all of its messages."

    def _line(self, choice: str) -> str:
        endpoint = self.offers[choice]
        name, host = endpoint.name[:_LONGEST], host_of(endpoint.address)[:_LONGEST]
        if choice == "before":
            return f"Use {host} again, without an API key"
        if endpoint.demo:
            return f"Use {name}, which is built in"
        return f"Enter the API key for {name} ({host})" if endpoint.needs_key else f"Use {name} ({host})"

    def pick(self, option_id: str) -> None:
        """Ends with the choice."""
        self.dismiss("" if option_id == _CANCEL else option_id)
