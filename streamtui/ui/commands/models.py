"""Models: which one replies, what is known of them."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from streamtui.ui.commands.base import Controller, handles, in_worker

if TYPE_CHECKING:
    from streamtui.ui.screens.chat import ChatScreen


class ModelCommands(Controller):
    """Switches models and loads what is known of them."""

    def __init__(self, chat: "ChatScreen") -> None:
        super().__init__(chat)
        self._fetched: set[str] = set()
        """Endpoints whose catalog was requested."""

    # What is known of models

    @in_worker("catalogue")
    async def load_catalog(self) -> None:
        """Load what the server said of its models the last time."""
        from streamtui.storage import StoreError

        with suppress(StoreError):  # errors of the store are shown where they matter
            await self.chat.conversation.load_catalog()
        self.chat.show_status()

    def reply_ended(self) -> None:
        """Request the server's catalog once, if it is needed to tell how much the model takes in."""
        conversation = self.chat.conversation
        endpoint, has_replied = conversation.provider.endpoint, conversation.progress.state == "ready"
        if has_replied and endpoint.name not in self._fetched and (conversation.window is None or endpoint.is_local):
            # Only after a reply: nobody waits for it, and a server that is offline is not asked.
            self._fetch_catalog()

    @in_worker("catalogue")
    async def _fetch_catalog(self) -> None:
        from streamtui.providers.base import ProviderError

        self._fetched.add(self.chat.conversation.provider.endpoint.name)
        with suppress(ProviderError):  # many servers have no list of models
            await self.chat.conversation.fetch_catalog()
        self.chat.show_status()

    @in_worker("encoding")
    async def load_encoding(self) -> None:
        """Load the encoding that counts the model's tokens, if it is available, in the background."""
        from streamtui.tokens.encoding_files import SourceError
        from streamtui.tokens.encodings import load_for

        try:
            await asyncio.to_thread(load_for, self.chat.conversation.model)
        except SourceError as error:
            self.chat.notify(str(error), severity="warning", markup=False)

    def settle_if_needed(self) -> None:
        """Find out the model, unless another session is about to be opened, or nothing may be sent yet."""
        conversation = self.chat.conversation
        if self.chat.is_ready and not (conversation.session.model or conversation.is_undecided):
            self.settle()

    @in_worker("settle")
    async def settle(self) -> None:
        """Find out which model replies, where none is set."""
        from streamtui.providers.base import ProviderError

        try:
            await self.chat.conversation.resolve_model()
        except ProviderError as error:
            self.chat.notify(error.message, severity="warning", markup=False, timeout=10)
        self.chat.show_status()

    # Commands

    def switch_to(self, name: str) -> None:
        """Send the next prompts to the model `name`."""
        self.chat.conversation.switch_model(name)
        self.load_encoding()
        self.chat.show_status()
        if self.chat.is_replying:
            self.chat.notify(f"Model from the next prompt on: {name}", markup=False)

    @handles("model.switch")
    @in_worker("panel")
    async def switch(self) -> None:
        """Let the user choose a model."""
        from streamtui.ui.dialogs.model_picker import ModelPicker

        name = await self.chat.app.push_screen_wait(ModelPicker(self.chat.conversation))
        self.chat.show_status()  # the server may have said more of its models
        if name:
            self.switch_to(name)

    @handles("model.next_favorite")
    def next_favorite(self) -> None:
        """Switch to the next favorite."""
        self._step(1)

    @handles("model.previous_favorite")
    def previous_favorite(self) -> None:
        """Switch to the previous favorite."""
        self._step(-1)

    @in_worker("favorite")
    async def _step(self, by: int) -> None:
        """Switch to another favorite or, without favorites, to another model used before."""
        from streamtui.storage import StoreError

        conversation = self.chat.conversation
        try:
            known = await asyncio.wrap_future(conversation.store.models(conversation.provider.endpoint.name))
        except StoreError as error:
            self.chat.notify(str(error), severity="error", markup=False)
            return
        favorites = {model.name for model in known if model.favorite} | set(conversation.provider.endpoint.favorites)
        names = sorted(favorites or (model.name for model in known))
        if not any(name != conversation.model for name in names):
            self.chat.notify("No other favorite. F2 lists the models, Ctrl+T there adds one.", markup=False)
            return
        at = names.index(conversation.model) if conversation.model in names else -by
        self.switch_to(names[(at + by) % len(names)])
