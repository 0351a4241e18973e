"""EndpointScreen: a conversation whose server can be changed, but never changes by itself."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import work

from streamtui.config import Endpoint
from streamtui.config.session_endpoint import endpoint_for
from streamtui.core.message import Message
from streamtui.core.session import Session
from streamtui.ui.connections import Connections
from streamtui.ui.talking_screen import TalkingScreen

if TYPE_CHECKING:
    from streamtui.providers.base import Provider


class EndpointScreen(TalkingScreen):
    """Talks to the server that the session belongs to, or to the one the user picks."""

    connections: Connections
    """Who can answer; there from the first paint on."""

    def provider_for(self, session: Session) -> "Provider":
        """The provider of the endpoint that `session` was held with; one that sends nothing where that is gone, is at
        another host now, or has no key.
        """
        from streamtui.providers.unconfirmed import UnconfirmedProvider

        provider = self.conversation.provider
        if isinstance(provider, UnconfirmedProvider):
            provider = self.connections.to(self.config.endpoint)
        if not session.messages or not session.endpoint:
            return provider
        found = endpoint_for(session.endpoint, session.address, self.connections.endpoints)
        if found is None or found.needs_key:
            return UnconfirmedProvider(session.endpoint)
        if found.name != provider.endpoint.name:
            self.notify(f"{found.name} answers here, as before.", markup=False, timeout=4)
        return self.connections.to(found)

    def use_session_key(self) -> None:
        """Gives the endpoint of the session the key that a flag names for it."""
        session = self.conversation.session
        found = endpoint_for(session.endpoint, session.address, self.connections.endpoints)
        if found is not None and self.config.session_key[1]:
            self._move_to(self.config.with_session_key(found))

    # Before the first request to another host

    def _ask(self, prompt: Message) -> None:
        if self.conversation.is_undecided:
            self.queue.add(prompt, first=True)  # where it is kept like a draft
            self.decide(self._send_queued)
        else:
            super()._ask(prompt)

    def _when_it_fits(self, path: Sequence[Message], go: Callable[[], object]) -> None:
        if self.conversation.is_undecided:
            self.decide(lambda: self._when_it_fits(path, go))
        else:
            super()._when_it_fits(path, go)

    @work(exclusive=True, group="reply")
    async def decide(self, go: Callable[[], object]) -> None:
        """Asks at which endpoint the session continues, and then does `go`; nothing is sent without an answer."""
        decided = False
        try:
            endpoint = await self._chosen_endpoint()
            if endpoint is not None and (usable := await self.with_key(endpoint)):
                self._move_to(usable)
                decided = True
        finally:
            if self.is_attached:
                self.show_status()
                self.call_later(go if decided else self._take_back_queued)

    async def _chosen_endpoint(self) -> Endpoint | None:
        from streamtui.ui.dialogs.endpoint_picker import EndpointPicker
        from streamtui.ui.dialogs.move_session_dialog import OTHER, MoveSessionDialog

        session, connections = self.conversation.session, self.connections
        usual = connections.endpoint(self.config.endpoint.name) or self.config.endpoint
        panel = MoveSessionDialog(session, connections.endpoint(session.endpoint), usual)
        choice = await self.app.push_screen_wait(panel)
        if choice == OTHER:
            name = await self.app.push_screen_wait(EndpointPicker(connections.endpoints, session.endpoint))
            return connections.endpoint(name)
        return panel.offers.get(choice)

    def _move_to(self, endpoint: Endpoint) -> None:
        self.conversation.switch_endpoint(self.connections.to(endpoint))
        if not self.conversation.session.model:
            self.settle_model()

    @work(exclusive=True, group="panel")
    async def action_pick_endpoint(self) -> None:
        """Lets the user pick the server that answers from the next prompt on."""
        from streamtui.ui.dialogs.endpoint_picker import EndpointPicker

        if self.is_replying:
            self.notify("A reply is on its way; press esc to stop it first.", markup=False)
            return
        current, undecided = self.conversation.provider.endpoint.name, self.conversation.is_undecided
        picked = self.connections.endpoint(
            await self.app.push_screen_wait(EndpointPicker(self.connections.endpoints, current))
        )
        if picked is not None and (picked.name != current or undecided) and (usable := await self.with_key(picked)):
            self.switch_endpoint(usable)

    def switch_endpoint(self, endpoint: Endpoint) -> None:
        """Lets `endpoint` answer in this session from the next prompt on, with its own usual model."""
        session, store = self.conversation.session, self.conversation.store
        session.endpoint, session.address, session.model = endpoint.name, endpoint.address, endpoint.model
        if session.messages:
            store.save_session(session)
        self.open(session, self.connections.to(endpoint))

    async def with_key(self, endpoint: Endpoint) -> Endpoint | None:
        """Returns `endpoint` with what it needs to be asked: asks the user for its key; None if there is none."""
        from streamtui.ui.dialogs.api_key_dialog import ApiKeyDialog

        if not endpoint.needs_key:
            return endpoint
        key = await self.app.push_screen_wait(ApiKeyDialog(endpoint))
        if not key:
            return None
        self.store_key(endpoint, key)
        return replace(endpoint, api_key=key)

    @work(group="keep-key")
    async def store_key(self, endpoint: Endpoint, key: str) -> None:
        """Puts the key into the keyring, or says how to keep it."""
        from streamtui.config.keyring_index import update_keyring_index
        from streamtui.providers.api_keys import store_key
        from streamtui.providers.base import ProviderError

        try:
            await store_key(endpoint.name, key)
            update_keyring_index(endpoint.name, True)
        except (ProviderError, OSError):
            self.notify(
                f"The key of {endpoint.name} is used for this run only: no keyring could be used. To keep it, set "
                f"{endpoint.key_variable} where your shell starts.",
                severity="warning", markup=False, timeout=12,
            )  # fmt: skip
        else:
            self.notify(f"The key of {endpoint.name} is in the keyring now.", markup=False)
