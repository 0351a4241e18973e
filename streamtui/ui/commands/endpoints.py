"""Endpoints: which server replies. It never changes without the user."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from streamtui.config import Endpoint
from streamtui.config.session_endpoint import endpoint_for
from streamtui.core.session import Session
from streamtui.ui.commands.base import Controller, handles, in_worker, no_reply_running

if TYPE_CHECKING:
    from streamtui.providers.base import Provider


class EndpointCommands(Controller):
    """Switches endpoints, and asks for API keys."""

    def provider_for(self, session: Session) -> "Provider":
        """Return the provider of the endpoint that `session` used.

        It is one that sends nothing if that endpoint is not configured, has another host now, or has no key.
        """
        from streamtui.providers.unconfirmed import UnconfirmedProvider

        chat = self.chat
        provider = chat.conversation.provider
        if isinstance(provider, UnconfirmedProvider):
            provider = chat.connections.to(chat.config.endpoint)
        if not session.messages or not session.endpoint:
            return provider
        found = endpoint_for(session.endpoint, session.address, chat.connections.endpoints)
        if found is None or found.needs_key:
            return UnconfirmedProvider(session.endpoint)
        if found.name != provider.endpoint.name:
            chat.notify(f"Using endpoint {found.name}, as before.", markup=False, timeout=4)
        return chat.connections.to(found)

    def use_session_key(self) -> None:
        """Give the session's endpoint the key that a command-line option names for it."""
        session, config = self.chat.conversation.session, self.chat.config
        found = endpoint_for(session.endpoint, session.address, self.chat.connections.endpoints)
        if found is not None and config.session_key[1]:
            self._move_to(config.with_session_key(found))

    # Before the first request to another host

    @in_worker("reply")
    async def decide(self, then: Callable[[], object]) -> None:
        """Ask at which endpoint the session continues, and go on with `then`; nothing is sent without an answer."""
        decided = False
        try:
            endpoint = await self._choose()
            if endpoint is not None and (usable := await self.with_key(endpoint)):
                self._move_to(usable)
                decided = True
        finally:
            if self.chat.is_attached:
                self.chat.show_status()
                self.chat.call_later(then if decided else self.chat.turn.return_queued)

    async def _choose(self) -> Endpoint | None:
        from streamtui.ui.dialogs.endpoint_picker import EndpointPicker
        from streamtui.ui.dialogs.move_session_dialog import OTHER, MoveSessionDialog

        session, connections, config = self.chat.conversation.session, self.chat.connections, self.chat.config
        default = connections.endpoint(config.endpoint.name) or config.endpoint
        dialog = MoveSessionDialog(session, connections.endpoint(session.endpoint), default)
        choice = await self.chat.app.push_screen_wait(dialog)
        if choice == OTHER:
            name = await self.chat.app.push_screen_wait(EndpointPicker(connections.endpoints, session.endpoint))
            return connections.endpoint(name)
        return dialog.offers.get(choice)

    def _move_to(self, endpoint: Endpoint) -> None:
        self.chat.conversation.switch_endpoint(self.chat.connections.to(endpoint))
        if not self.chat.conversation.session.model:
            self.chat.models.settle()

    # Commands

    @handles("endpoint.switch", checks=[no_reply_running])
    @in_worker("panel")
    async def switch(self) -> None:
        """Let the user choose the server for the next prompt."""
        from streamtui.ui.dialogs.endpoint_picker import EndpointPicker

        chat = self.chat
        current, undecided = chat.conversation.provider.endpoint.name, chat.conversation.is_undecided
        name = await chat.app.push_screen_wait(EndpointPicker(chat.connections.endpoints, current))
        picked = chat.connections.endpoint(name)
        if picked is not None and (picked.name != current or undecided) and (usable := await self.with_key(picked)):
            self.switch_to(usable)

    def switch_to(self, endpoint: Endpoint) -> None:
        """Send the session's next prompts to `endpoint`, to its default model."""
        session, store = self.chat.conversation.session, self.chat.conversation.store
        session.endpoint, session.address, session.model = endpoint.name, endpoint.address, endpoint.model
        if session.messages:
            store.save_session(session)
        self.chat.open(session, self.chat.connections.to(endpoint))

    async def with_key(self, endpoint: Endpoint) -> Endpoint | None:
        """Return `endpoint` with the key that it needs, which the user is asked for; None without one."""
        from streamtui.ui.dialogs.api_key_dialog import ApiKeyDialog

        if not endpoint.needs_key:
            return endpoint
        key = await self.chat.app.push_screen_wait(ApiKeyDialog(endpoint))
        if not key:
            return None
        self._save_key(endpoint, key)
        return replace(endpoint, api_key=key)

    @in_worker("save-key", exclusive=False)
    async def _save_key(self, endpoint: Endpoint, key: str) -> None:
        """Save `key` in the keyring, or say how to keep it."""
        from streamtui.config.keyring_index import update_keyring_index
        from streamtui.providers.api_keys import store_key
        from streamtui.providers.base import ProviderError

        try:
            await store_key(endpoint.name, key)
            update_keyring_index(endpoint.name, True)
        except (ProviderError, OSError):
            self.chat.notify(
                f"No keyring is available, so the {endpoint.name} API key is used for this run only. To keep it, set "
                f"{endpoint.key_variable} in your shell's startup file.",
                severity="warning", markup=False, timeout=12,
            )  # fmt: skip
        else:
            self.chat.notify(f"Saved the {endpoint.name} API key in the keyring.", markup=False)
