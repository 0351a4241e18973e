"""A mixin for screens: stop their workers before their widgets are removed."""

from typing import TYPE_CHECKING, Any

from textual.messages import Prune

if TYPE_CHECKING:
    from textual.screen import Screen


class WorkerCleanup:
    """Stops a screen's workers when it closes."""

    async def on_prune(self: "Screen[Any]", event: Prune) -> None:  # type: ignore[misc]
        """Stop the workers; Textual (8.2) does so only when the widgets are gone, and what they do until then fails."""
        self.workers.cancel_node(self)
