"""The dialog that asks which endpoint continues a session whose own endpoint is not usable."""

from streamtui.config import Endpoint
from streamtui.config.session_endpoint import endpoint_at, host_of, is_same_host
from streamtui.core.session import Session
from streamtui.ui.dialogs.dialog import ChoiceDialog

OTHER = "other"
"""The result for picking from all endpoints."""
_CANCEL = "cancel"
_MAX_NAME = 60
"""Maximum length of a name or an address: enough to recognize it, whatever a database contains."""


class MoveSessionDialog(ChoiceDialog):
    """Return a key of `offers`, or `OTHER`; "" cancels the request."""

    def __init__(self, session: Session, named: Endpoint | None, usual: Endpoint) -> None:
        """`named` is the endpoint that now has the session's endpoint name; `usual` is that of new sessions."""
        self._session = session
        self._named = named
        self._same_host = named is not None and (not session.address or is_same_host(named.address, session.address))
        self.offers = self._offers(usual)
        """The suggested endpoints by the ids of their options."""
        choices = {choice: self._label(choice) for choice in self.offers}
        choices |= {OTHER: "Pick another endpoint", _CANCEL: "Cancel"}
        super().__init__("Switch endpoint for this session?", self._summary(), choices, "esc cancel")

    def _offers(self, usual: Endpoint) -> dict[str, Endpoint]:
        before = None if self._same_host else endpoint_at(self._session.address)
        offers = {"named": self._named, "usual": usual, "before": before}
        if self._named is not None and self._named.name == usual.name:
            del offers["usual"]
        return {choice: endpoint for choice, endpoint in offers.items() if endpoint is not None}

    def on_mount(self) -> None:
        """Highlight Cancel, so that pressing enter twice sends nothing."""
        self.options.highlighted = self.options.option_count - 1

    def _summary(self) -> str:
        name, address = self._session.endpoint[:_MAX_NAME], self._session.address
        origin = f"This session used {name}" + (f" at {host_of(address)[:_MAX_NAME]}" if address else "")
        if self._named is None:
            now = "which is not configured"
        elif self._same_host:
            now = "which has no API key now"
        else:
            now = f"and {name} is now at {host_of(self._named.address)[:_MAX_NAME]}"
        return f"{origin}, {now}. The endpoint you choose receives all of its messages."

    def _label(self, choice: str) -> str:
        endpoint = self.offers[choice]
        name, host = endpoint.name[:_MAX_NAME], host_of(endpoint.address)[:_MAX_NAME]
        if choice == "before":
            return f"Use {host} again, without an API key"
        if endpoint.demo:
            return f"Use {name} (built in)"
        return f"Enter the API key for {name} ({host})" if endpoint.needs_key else f"Use {name} ({host})"

    def pick(self, option_id: str) -> None:
        """Close with the choice."""
        self.dismiss("" if option_id == _CANCEL else option_id)
