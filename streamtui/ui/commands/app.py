"""The app: palette, help, suspend, quit."""

from typing import TYPE_CHECKING

from streamtui.ui.commands.base import Controller, handles

if TYPE_CHECKING:
    from streamtui.ui.screens.chat import ChatScreen

QUIT_WITHIN = 3.0
"""Seconds within which a second ctrl+c quits."""


class AppCommands(Controller):
    """Acts on the whole program."""

    def __init__(self, chat: "ChatScreen") -> None:
        super().__init__(chat)
        self._quits_next = False

    @handles("app.palette")
    def show_palette(self) -> None:
        """Show all commands."""
        self.chat.app.action_command_palette()

    @handles("app.help")
    async def show_keys(self) -> None:
        """Show the keys."""
        await self.chat.run_action("app.show_keys")

    @handles("app.suspend")
    def suspend(self) -> None:
        """Return to the shell that started the program, which resumes it."""
        self.chat.app.action_suspend_process()

    @handles("app.quit")
    def quit(self) -> None:
        """Quit; a reply that is arriving is stopped and kept."""
        self.chat.app.exit()

    def ask_to_quit(self) -> None:
        """Quit at the second call within 3 seconds."""
        if self._quits_next:
            self.quit()
            return
        self._quits_next = True
        self.chat.set_timer(QUIT_WITHIN, self._reset)
        self.chat.notify("Press Ctrl+C again to quit.", timeout=QUIT_WITHIN, markup=False)

    def _reset(self) -> None:
        self._quits_next = False
