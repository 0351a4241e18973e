"""Parameters: the system prompt, sampling parameters, presets."""

from typing import TYPE_CHECKING

from streamtui.ui.commands.base import Controller, handles, in_worker, no_reply_running

if TYPE_CHECKING:
    from streamtui.ui.request_settings import RequestSettings


class ParameterCommands(Controller):
    """Edits what requests of the session ask for."""

    @handles("parameters.edit")
    @in_worker("panel")
    async def edit(self) -> None:
        """Let the user edit the system prompt and the parameters."""
        from streamtui.ui.dialogs.parameters_dialog import ParametersDialog
        from streamtui.ui.request_settings import request_settings

        conversation = self.chat.conversation
        before = request_settings(conversation)
        edited = await self.chat.app.push_screen_wait(
            ParametersDialog(before.system, before.parameters, conversation.provider.endpoint, before.model)
        )
        if edited is not None:
            self.chat.conversation.update_settings(*edited)
            self._show_changes(before)

    @handles("preset.apply")
    @in_worker("panel")
    async def apply_preset(self) -> None:
        """Let the user choose a preset."""
        from streamtui.ui.dialogs.preset_picker import PresetPicker
        from streamtui.ui.request_settings import request_settings

        presets = self.chat.config.presets
        before = request_settings(self.chat.conversation)
        current = next((name for name, preset in presets.items() if before.with_preset(preset) == before), "")
        name = await self.chat.app.push_screen_wait(PresetPicker(presets, current))
        if name and await self._apply(before.with_preset(presets[name])):
            self._show_changes(before)

    async def _apply(self, wanted: "RequestSettings") -> bool:
        """Switch to the `wanted` settings; False, after telling why, if their endpoint can't be used."""
        chat = self.chat
        if wanted.endpoint != chat.conversation.provider.endpoint.name and not await self._switch(wanted.endpoint):
            return False
        if wanted.model and wanted.model != chat.conversation.model:
            chat.models.switch_to(wanted.model)
        chat.conversation.update_settings(wanted.system, wanted.parameters)
        return True

    async def _switch(self, name: str) -> bool:
        chat = self.chat
        endpoint = chat.connections.endpoint(name)
        problem = f'Endpoint "{name}" is not configured.' if endpoint is None else no_reply_running(chat)
        if endpoint is None or problem:
            chat.notify(problem, severity="warning", markup=False)
            return False
        usable = await chat.endpoints.with_key(endpoint)
        if usable is not None:
            chat.endpoints.switch_to(usable)
        return usable is not None

    def _show_changes(self, before: "RequestSettings") -> None:
        from streamtui.ui.request_settings import request_settings

        self.chat.show_status()
        if changes := before.changes_to(request_settings(self.chat.conversation)):
            self.chat.notify(f"From the next prompt on: {', '.join(changes)}", markup=False)
