"""Commands: the entries of the palette: every key's action and every theme."""

from collections.abc import Iterator
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.types import IgnoreReturnCallbackType

from streamtui.keys import remapped
from streamtui.ui.chat_screen import ChatScreen
from streamtui.ui.screens.sessions.screen import SessionsScreen


class Commands(Provider):
    """What can be done on the screen shown, by name, with its key."""

    def _entries(self) -> Iterator[tuple[str, str, IgnoreReturnCallbackType]]:
        screen = self.screen
        if isinstance(screen, ChatScreen | SessionsScreen):
            place = "chat" if isinstance(screen, ChatScreen) else "sessions"
            for key in remapped(screen.keymap):
                if key.place == place and key.action != "palette":
                    yield key.does.capitalize(), key.shown, partial(screen.run_action, key.action)
        for name in sorted(self.app.available_themes):
            yield f"Theme: {name}", "", partial(setattr, self.app, "theme", name)

    async def discover(self) -> Hits:
        """Everything, for an empty search."""
        for text, keys, callback in self._entries():
            yield DiscoveryHit(text, callback, help=keys or None)

    async def search(self, query: str) -> Hits:
        """What fits the search."""
        matcher = self.matcher(query)
        for text, keys, callback in self._entries():
            if (score := matcher.match(text)) > 0:
                yield Hit(score, matcher.highlight(text), callback, help=keys or None)
