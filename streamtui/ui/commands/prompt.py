"""The prompt: history search, external editor."""

from streamtui.ui.commands.base import Controller, handles, in_worker


class PromptCommands(Controller):
    """Fills the prompt box from elsewhere."""

    @handles("prompt.search_history")
    @in_worker("panel")
    async def search_history(self) -> None:
        """Replace the draft, which goes into the history, with an earlier prompt of any session."""
        from streamtui.ui.dialogs.history_dialog import HistoryDialog

        picked = await self.chat.app.push_screen_wait(HistoryDialog(self.chat.conversation.store))
        if picked:
            self.chat.prompt.stash()
            self.chat.prompt.reset(picked)

    @handles("prompt.edit_externally")
    @in_worker("panel")
    async def edit_externally(self) -> None:
        """Edit the draft in the user's editor."""
        prompt = self.chat.prompt
        edited = await self.chat.pane.edit_externally(prompt.text, "prompt.md")
        if edited is not None:
            prompt.reset(edited.rstrip("\n"), prompt.attachments)
            self.chat.save_draft()
