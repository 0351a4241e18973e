"""TuningScreen: how a model is asked: the panels for parameters and presets."""

from textual import work

from streamtui.ui.choosing_screen import ChoosingScreen


class TuningScreen(ChoosingScreen):
    """A conversation whose system prompt and parameters can be set."""

    @work(exclusive=True, group="panel")
    async def action_parameters(self) -> None:
        """Lets the user set the system prompt and the parameters of the session."""
        from streamtui.ui.parameters_panel import ParametersPanel, Settings

        conversation = self.conversation
        now = Settings(conversation.session.system, conversation.session.parameters)
        written = await self.app.push_screen_wait(
            ParametersPanel(now, conversation.provider.endpoint, conversation.model)
        )
        if written is None or written == now:
            return
        conversation.tune(*written)
        changed = ", ".join(now.changes_to(written))
        self.notify(f"From the next prompt on: {changed}.", markup=False)
        self.show_status()

    def action_details(self) -> None:
        """Shows the session in numbers."""
        from streamtui.ui.session_details import SessionDetails

        self.app.push_screen(SessionDetails(self.conversation))
