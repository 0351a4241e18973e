"""EndpointScreen: a conversation whose server can be changed."""

from dataclasses import replace
from typing import TYPE_CHECKING

from textual import work

from streamtui.config import Endpoint
from streamtui.session import Session
from streamtui.ui.connections import Connections
from streamtui.ui.talking_screen import TalkingScreen

if TYPE_CHECKING:
    from streamtui.providers.base import Provider


class EndpointScreen(TalkingScreen):
    """Talks to the server that the session belongs to, or to the one the user picks."""

    connections: Connections
    """Who can answer; there from the first paint on."""

    def provider_for(self, session: Session) -> "Provider":
        """The one that `session` was talked about with before; else the one in use, and then says so."""
        provider = self.conversation.provider
        now = provider.endpoint
        if not session.messages or session.endpoint in ("", now.name):
            return provider
        before = self.connections.endpoint(session.endpoint)
        if before is not None and not before.needs_key:
            self.notify(f"{before.name} answers here, as before.", markup=False, timeout=4)
            return self.connections.to(before)
        why = f"{session.endpoint} has no key now" if before else f"{session.endpoint} is not configured"
        self.notify(
            f"This was a conversation with {session.model or 'a model'} at {session.endpoint}. "
            f"{why}: what you ask now goes to {now.name}.",
            severity="warning", markup=False, timeout=10,
        )  # fmt: skip
        session.model = now.model
        return provider

    @work(exclusive=True, group="panel")
    async def action_pick_endpoint(self) -> None:
        """Lets the user pick the server that answers from the next prompt on."""
        from streamtui.ui.endpoint_picker import EndpointPicker

        if self.is_replying:
            self.notify("A reply is on its way; press esc to stop it first.", markup=False)
            return
        current = self.conversation.provider.endpoint.name
        picked = self.connections.endpoint(
            await self.app.push_screen_wait(EndpointPicker(self.connections.endpoints, current))
        )
        if picked is not None and picked.name != current and (usable := await self.with_key(picked)):
            self.switch_endpoint(usable)

    def switch_endpoint(self, endpoint: Endpoint) -> None:
        """Lets `endpoint` answer in this session from the next prompt on, with its own usual model."""
        session, store = self.conversation.session, self.conversation.store
        session.endpoint, session.model = endpoint.name, endpoint.model
        if session.messages:
            store.save_session(session)
        self.open(session, self.connections.to(endpoint))

    async def with_key(self, endpoint: Endpoint) -> Endpoint | None:
        """Returns `endpoint` with what it needs to be asked: asks the user for its key; None if there is none."""
        from streamtui.ui.key_panel import KeyPanel

        if not endpoint.needs_key:
            return endpoint
        key = await self.app.push_screen_wait(KeyPanel(endpoint))
        if not key:
            return None
        self.keep_key(endpoint, key)
        return replace(endpoint, api_key=key)

    @work(group="keep-key")
    async def keep_key(self, endpoint: Endpoint, key: str) -> None:
        """Puts the key into the keyring, or says how to keep it."""
        from streamtui.config.in_keyring import note_in_keyring
        from streamtui.providers.base import ProviderError
        from streamtui.providers.keys import keep_key

        try:
            await keep_key(endpoint.name, key)
            note_in_keyring(endpoint.name, True)
        except (ProviderError, OSError):
            self.notify(
                f"The key of {endpoint.name} is used for this run only: no keyring could be used. To keep it, set "
                f"{endpoint.key_variable} where your shell starts.",
                severity="warning", markup=False, timeout=12,
            )  # fmt: skip
        else:
            self.notify(f"The key of {endpoint.name} is in the keyring now.", markup=False)
