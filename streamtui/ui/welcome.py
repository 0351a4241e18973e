"""Welcome: what a first start without a key and without a server offers."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from streamtui.ui.panel import Panel

_TEXT = """\
There is no key for OpenAI and no other server named, so nobody can answer yet.

For OpenAI, set a key and start again:
    export OPENAI_API_KEY=sk-…
For a server of your own (Ollama, LM Studio, llama.cpp, vLLM):
    streamtui --base-url http://localhost:11434/v1
"""


class Welcome(Panel[bool]):
    """Ends with True for the demo, False to look around without anybody who answers."""

    BINDINGS = [("escape", "dismiss(False)", "leave")]

    def compose(self) -> ComposeResult:
        """Words and a choice."""
        with Vertical(id="panel"):
            yield Static(Content(_TEXT), id="words")
            yield OptionList(
                Option("Try the built-in demo: no key, no network", id="demo"),
                Option("Go on without it, to look at saved sessions", id="look"),
                Option("Quit", id="quit"),
                id="choices",
            )

    def on_mount(self) -> None:
        """Names the panel."""
        self.name_panel("Welcome to streamtui", "enter choose · esc leave")
        self.query_one(OptionList).focus()

    @on(OptionList.OptionSelected)
    def choose(self, event: OptionList.OptionSelected) -> None:
        """Ends with what was chosen."""
        if event.option_id == "quit":
            self.app.exit()
        else:
            self.dismiss(event.option_id == "demo")
