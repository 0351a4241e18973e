"""ChoosingScreen: who answers, and how: the panels in which the user chooses it."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from textual import work

from streamtui.core.session import Session
from streamtui.ui.endpoint_screen import EndpointScreen

if TYPE_CHECKING:
    from streamtui.providers.base import Provider


class ChoosingScreen(EndpointScreen):
    """A conversation whose model can be chosen."""

    def __init__(self) -> None:
        super().__init__()
        self._asked: set[str] = set()
        """Endpoints that were asked for their catalogs."""

    # What is known of models

    def _show_session(self) -> None:
        super()._show_session()
        self.load_catalog()

    def _reply_ended(self) -> None:
        super()._reply_ended()
        endpoint, answered = self.conversation.provider.endpoint, self.conversation.progress.state == "ready"
        if answered and endpoint.name not in self._asked and (self.conversation.window is None or endpoint.is_local):
            # Only now that it has answered: nobody is kept waiting, and a server that is not there is not asked.
            self.fetch_catalog()

    @work(exclusive=True, group="catalog")
    async def load_catalog(self) -> None:
        """Takes what the server said of its models when it was asked last."""
        from streamtui.storage import StoreError

        with suppress(StoreError):  # nothing is lost, and the store's trouble is told where it matters
            await self.conversation.load_catalog()
        self.show_status()

    @work(exclusive=True, group="catalog")
    async def fetch_catalog(self) -> None:
        """Asks the server what its models take in and cost, where nobody else says it. A local one may say it anew."""
        from streamtui.providers.base import ProviderError

        self._asked.add(self.conversation.provider.endpoint.name)
        with suppress(ProviderError):  # many servers have no list; what they would say stays unknown
            await self.conversation.fetch_catalog()
        self.show_status()

    def show_status(self) -> None:
        """Brings the status bar up to date."""
        super().show_status()
        conversation = self.conversation
        self.status.window = conversation.window
        if not conversation.progress.running:
            self.status.cost, self.status.may_cost = conversation.cost(), conversation.may_cost

    def open(self, session: Session, provider: "Provider | None" = None) -> None:
        """Shows `session` and goes on with it."""
        super().open(session, provider)
        self.load_encoding()

    @work(exclusive=True, group="encoding")
    async def load_encoding(self) -> None:
        """Loads what counts the tokens of the model in use, where it is at hand; nobody waits for it."""
        from streamtui.tokens.encoding_files import SourceError
        from streamtui.tokens.encodings import load_for

        try:
            await asyncio.to_thread(load_for, self.conversation.model)
        except SourceError as error:
            self.notify(str(error), severity="warning", markup=False)

    # What is chosen

    @work(exclusive=True, group="panel")
    async def action_pick_model(self) -> None:
        """Lets the user pick a model."""
        from streamtui.ui.dialogs.model_picker import ModelPicker

        chosen = await self.app.push_screen_wait(ModelPicker(self.conversation))
        self.show_status()  # the server may have said more of its models
        if chosen:
            self.switch_to(chosen)

    @work(exclusive=True, group="favourite")
    async def action_next_favourite(self, by: int = 1) -> None:
        """Switches to the next favourite model, or, where there are none, to the next one used."""
        from streamtui.storage import StoreError

        conversation = self.conversation
        try:
            known = await asyncio.wrap_future(conversation.store.models(conversation.provider.endpoint.name))
        except StoreError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        marked = {model.name for model in known if model.favorite} | set(conversation.provider.endpoint.favorites)
        names = sorted(marked or (model.name for model in known))
        others = [name for name in names if name != self.conversation.model]
        if not others:
            self.notify("There is no other favourite; F2 lists the models, ctrl+t there marks one.", markup=False)
            return
        at = names.index(self.conversation.model) if self.conversation.model in names else -by
        self.switch_to(names[(at + by) % len(names)])

    def action_previous_favourite(self) -> None:
        """Switches to the favourite model before."""
        self.action_next_favourite(-1)

    def switch_to(self, name: str) -> None:
        """Lets the model `name` answer from the next prompt on."""
        self.conversation.switch_model(name)
        self.load_encoding()
        self.show_status()
        if self.is_replying:
            self.notify(f"{name} answers from the next prompt on.", markup=False)
