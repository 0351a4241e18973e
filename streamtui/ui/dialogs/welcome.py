"""Welcome: what a start offers when the server it would talk to wants a key and there is none."""

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
"""What Welcome ends with where the user wants to see all endpoints."""


class Welcome(Dialog[Endpoint | str | None]):
    """Ends with the endpoint to talk to, `OTHER`, or None to look around without anybody who answers."""

    BINDINGS = [("escape", "dismiss", "leave")]

    def __init__(self, wanted: Endpoint, others: list[Endpoint]) -> None:
        """`wanted` needs a key; those of `others` that are on this machine are looked for."""
        super().__init__()
        self._wanted = wanted
        self._others = others
        self._found: dict[str, LocalServer] = {}

    def compose(self) -> ComposeResult:
        """Words and a choice."""
        with Vertical(id="dialog"):
            yield Static(Content(f"There is no key for {self._wanted.name}, so nobody can answer yet.\n"), id="words")
            yield OptionList(id="choices", markup=False)
            yield Static(id="hint", markup=False)

    def on_mount(self) -> None:
        """Names the panel, and looks who is here."""
        self.set_title("Welcome to streamtui", "enter choose", "esc leave")
        choices = self.query_one(OptionList)
        choices.add_options(Option(text, id=name) for name, text in self._choices().items())
        choices.highlighted = 0
        choices.focus()
        self.hint("Looking for servers on this machine …")
        self.look()

    @work(exclusive=True)
    async def look(self) -> None:
        """Offers the servers on this machine as they are found."""
        from streamtui.providers.local_servers import find_servers

        choices = self.query_one(OptionList)
        async for found in find_servers(self._others):
            name = found.endpoint.name
            self._found[name] = found
            # At the end, so that no row moves away from under the cursor.
            choices.add_option(Option(_words_on(found, self._is_wide), id=f"local:{name}"))
        nobody = "No server was found on this machine (Ollama, LM Studio, llama.cpp, vLLM)."
        self.hint("" if self._found else nobody)

    @property
    def _is_wide(self) -> bool:
        return self.app.size.width >= NARROW

    def _choices(self) -> dict[str, str]:
        """Return the choices by id, in fewer words on a narrow screen."""
        wide = self._is_wide
        key = f"Enter the key for {self._wanted.name}"
        return {
            "key": f"{key} (or set {self._wanted.key_variable} and start again)" if wide else key,
            OTHER: "Talk to another server: OpenRouter, Groq, Mistral …" if wide else "Talk to another server",
            "demo": "Try the built-in demo: no key, no network" if wide else "Try the built-in demo",
            "look": "Go on without anybody, to look at saved sessions" if wide else "Go on without anybody",
            "quit": "Quit",
        }

    @on(OptionList.OptionSelected)
    def choose(self, event: OptionList.OptionSelected) -> None:
        """Ends with what was chosen."""
        choice = event.option_id or ""
        if choice == "quit":
            self.app.exit()
        elif choice.startswith("local:"):
            self.dismiss(self._found[choice.removeprefix("local:")].endpoint)
        else:
            results: dict[str, Endpoint | str] = {"key": self._wanted, "demo": DEMO, OTHER: OTHER}
            self.dismiss(results.get(choice))


def _words_on(server: "LocalServer", wide: bool) -> str:
    name, models = server.endpoint.name, server.models
    if not wide:
        return f"Talk to {name}, on this machine"
    return f"Talk to {name}, on this machine: {', '.join(models[:3])}{' …' if len(models) > 3 else ''}"
