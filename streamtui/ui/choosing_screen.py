"""ChoosingScreen: who answers, and how: the panels in which the user chooses it."""

import asyncio

from textual import work

from streamtui.ui.endpoint_screen import EndpointScreen


class ChoosingScreen(EndpointScreen):
    """A conversation whose model can be chosen."""

    @work(exclusive=True, group="panel")
    async def action_pick_model(self) -> None:
        """Lets the user pick a model."""
        from streamtui.ui.model_picker import ModelPicker

        chosen = await self.app.push_screen_wait(
            ModelPicker(self.conversation.provider, self.conversation.store, self.conversation.model)
        )
        if chosen:
            self.switch_to(chosen)

    @work(exclusive=True, group="favourite")
    async def action_next_favourite(self, by: int = 1) -> None:
        """Switches to the next favourite model, or, where there are none, to the next one used."""
        from streamtui.store import StoreError

        conversation = self.conversation
        try:
            known = await asyncio.wrap_future(conversation.store.models(conversation.provider.endpoint.name))
        except StoreError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        names = sorted(model.name for model in known if model.favourite) or sorted(model.name for model in known)
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
        self.show_status()
        if self.is_replying:
            self.notify(f"{name} answers from the next prompt on.", markup=False)
