"""The command palette: every command of the screen, and every theme."""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.types import IgnoreReturnCallbackType

from streamtui.commands import remapped
from streamtui.ui.screens.chat import ChatScreen
from streamtui.ui.screens.sessions.screen import SessionsScreen


class _Entry(NamedTuple):
    title: str
    details: str
    run: IgnoreReturnCallbackType


class Palette(Provider):
    """Offers commands by title, with their keys and descriptions."""

    def _entries(self) -> Iterator[_Entry]:
        screen = self.screen
        if isinstance(screen, ChatScreen | SessionsScreen):
            is_chat = isinstance(screen, ChatScreen)
            for command in remapped(screen.keymap):
                if command.where == ("chat" if is_chat else "sessions") and command.id != "app.palette":
                    action = f"command('{command.id}')" if is_chat else command.name
                    details = f"{command.shown_keys} · {command.description}"
                    yield _Entry(command.title, details, partial(screen.run_action, action))
        for name in sorted(self.app.available_themes):
            yield _Entry(f"Theme: {name}", "", partial(setattr, self.app, "theme", name))

    async def discover(self) -> Hits:
        """Yield everything, for an empty search."""
        for title, details, run in self._entries():
            yield DiscoveryHit(title, run, help=details or None)

    async def search(self, query: str) -> Hits:
        """Yield what matches `query`, in the title or, with a lower score, in the description."""
        matcher = self.matcher(query)
        for title, details, run in self._entries():
            if (score := matcher.match(title)) > 0:
                yield Hit(score, matcher.highlight(title), run, help=details or None)
            elif (score := matcher.match(details)) > 0:
                yield Hit(score / 2, title, run, help=details)
