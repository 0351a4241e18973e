"""TuningScreen: how a model is asked: the panels for parameters and presets."""

from typing import TYPE_CHECKING

from textual import work

from streamtui.ui.choosing_screen import ChoosingScreen

if TYPE_CHECKING:
    from streamtui.ui.request_settings import Asking


class TuningScreen(ChoosingScreen):
    """A conversation whose system prompt and parameters can be set."""

    @work(exclusive=True, group="panel")
    async def action_parameters(self) -> None:
        """Lets the user set the system prompt and the parameters of the session."""
        from streamtui.ui.dialogs.parameters_dialog import ParametersDialog
        from streamtui.ui.request_settings import asking_of

        before = asking_of(self.conversation)
        written = await self.app.push_screen_wait(
            ParametersDialog(before.system, before.parameters, self.conversation.provider.endpoint, before.model)
        )
        if written is not None:
            self.conversation.update_settings(*written)
            self._tell_changes(before)

    @work(exclusive=True, group="panel")
    async def action_presets(self) -> None:
        """Lets the user pick a preset for the session."""
        from streamtui.ui.dialogs.preset_picker import PresetPicker
        from streamtui.ui.request_settings import asking_of

        presets = self.config.presets
        before = asking_of(self.conversation)
        in_use = next((name for name, preset in presets.items() if before.with_preset(preset) == before), "")
        picked = await self.app.push_screen_wait(PresetPicker(presets, in_use))
        if picked and await self._apply(before.with_preset(presets[picked])):
            self._tell_changes(before)

    async def _apply(self, wanted: "Asking") -> bool:
        """Lets the session ask as `wanted`; False where its endpoint can't be asked, which is told."""
        if wanted.endpoint != self.conversation.provider.endpoint.name:
            endpoint = self.connections.endpoint(wanted.endpoint)
            if endpoint is None:
                self.notify(f"{wanted.endpoint} is no endpoint of the settings.", severity="warning", markup=False)
                return False
            if self.is_replying:
                self.notify("A reply is on its way; press esc to stop it first.", markup=False)
                return False
            usable = await self.with_key(endpoint)
            if usable is None:
                return False
            self.switch_endpoint(usable)
        if wanted.model and wanted.model != self.conversation.model:
            self.switch_to(wanted.model)
        self.conversation.update_settings(wanted.system, wanted.parameters)
        return True

    def _tell_changes(self, before: "Asking") -> None:
        from streamtui.ui.request_settings import asking_of

        self.show_status()
        if changes := before.changes_to(asking_of(self.conversation)):
            self.notify(f"From the next prompt on: {', '.join(changes)}.", markup=False)

    def action_details(self) -> None:
        """Shows the session in numbers."""
        from streamtui.ui.dialogs.session_details import SessionDetails

        self.app.push_screen(SessionDetails(self.conversation))
