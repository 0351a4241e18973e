"""The dialog shown on startup when the endpoint has no API key."""

from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from streamtui.config import DEMO, Endpoint
from streamtui.ui.dialogs.dialog import NARROW, Dialog

if TYPE_CHECKING:
    from streamtui.providers.local_servers import LocalServer

OTHER = "other"
"""The result for picking from all endpoints."""


class Welcome(Dialog[Endpoint | str | None]):
    """Return the endpoint to use, `OTHER`, or None to only browse sessions."""

    BINDINGS = [("escape", "dismiss", "Close")]

    def __init__(self, wanted: Endpoint, others: list[Endpoint]) -> None:
        """`wanted` has no API key; local servers among `others` are offered if they are online."""
        super().__init__()
        self._wanted = wanted
        self._others = others
        self._found: dict[str, LocalServer] = {}

    def compose(self) -> ComposeResult:
        """Create the message and the choices."""
        name = self._wanted.name
        with Vertical(id="dialog"):
            yield Static(Content(f"No API key for {'OpenAI' if name == 'openai' else name} yet.\n"), id="message")
            yield OptionList(id="choices", markup=False)
            yield Static(id="hint", markup=False)

    def on_mount(self) -> None:
        """Add the choices and look for local servers."""
        self.set_title("Welcome to streamtui", "enter select", "esc close")
        self.options.add_options(Option(label, id=choice) for choice, label in self._choices().items())
        self.options.highlighted = 0
        self.options.focus()
        self.show_hint("Looking for local servers …")
        self.find_local_servers()

    @work(exclusive=True)
    async def find_local_servers(self) -> None:
        """Offer local servers as they are found."""
        from streamtui.providers.local_servers import find_servers

        async for found in find_servers(self._others):
            name = found.endpoint.name
            self._found[name] = found
            # At the end, so that no row moves away from under the cursor.
            self.options.add_option(Option(_label(found, self._is_wide), id=f"local:{name}"))
        self.show_hint("" if self._found else "No local servers found (Ollama, LM Studio, llama.cpp, vLLM).")

    @property
    def _is_wide(self) -> bool:
        return self.app.size.width >= NARROW

    def _choices(self) -> dict[str, str]:
        """Return the choices by id, with shorter labels on a narrow screen."""
        details = {
            "key": f" (or set {self._wanted.key_variable} and restart)",
            OTHER: ": OpenRouter, Groq, Mistral …",
            "demo": ": no key, no network",
        }
        labels = {
            "key": f"Enter the API key for {self._wanted.name}",
            OTHER: "Use another endpoint",
            "demo": "Try the built-in demo",
            "browse": "Browse saved sessions",
            "quit": "Quit",
        }
        return {choice: label + details.get(choice, "") * self._is_wide for choice, label in labels.items()}

    @on(OptionList.OptionSelected)
    def choose(self, event: OptionList.OptionSelected) -> None:
        """Close with the chosen endpoint, or quit the app."""
        choice = event.option_id or ""
        if choice == "quit":
            self.app.exit()
        elif choice.startswith("local:"):
            self.dismiss(self._found[choice.removeprefix("local:")].endpoint)
        else:
            results: dict[str, Endpoint | str] = {"key": self._wanted, "demo": DEMO, OTHER: OTHER}
            self.dismiss(results.get(choice))


def _label(server: "LocalServer", wide: bool) -> str:
    names = ": " + ", ".join(server.models[:3]) + (" …" if len(server.models) > 3 else "")
    return f"Use {server.endpoint.name} on this machine{names * wide}"
