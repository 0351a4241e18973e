"""WorkingScreen: a screen whose workers end before its widgets go."""

from textual.messages import Prune
from textual.screen import Screen, ScreenResultType


class WorkingScreen(Screen[ScreenResultType]):
    """What every screen is: one with work of its own that may not be done when the user leaves."""

    async def on_prune(self, event: Prune) -> None:
        """Ends the work; Textual (8.2) does that when the widgets are gone, and what comes up until then fails."""
        self.workers.cancel_node(self)

    def action_suspend(self) -> None:
        """Return to the shell that started the program, which resumes it."""
        self.app.action_suspend_process()
