"""ModelPicker: the models of a server, to filter and pick from, the ones used last first."""

import asyncio
from collections.abc import Iterator

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.fuzzy import Matcher
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from streamtui.providers.base import Provider, ProviderError
from streamtui.sanitize import clean_line
from streamtui.store import KnownModel, Store, StoreError
from streamtui.ui.bindings import bindings_of
from streamtui.ui.clean_input import CleanInput
from streamtui.ui.panel import ListPanel


class ModelPicker(ListPanel):
    """Ends with the name of the model picked or typed, or with "" when left."""

    BINDINGS = bindings_of("models", priority=True)

    def __init__(self, provider: Provider, store: Store, current: str) -> None:
        super().__init__(classes="tall")
        self._provider = provider
        self._store = store
        self._current = current
        self._known: dict[str, KnownModel] = {}
        self._names: list[str] = []

    def compose(self) -> ComposeResult:
        """A filter above the list."""
        with Vertical(id="panel"):
            yield CleanInput(placeholder="Filter, or type the name of any model", id="filter")
            yield Static(id="hint", markup=False)
            yield OptionList(id="models", markup=False)

    def on_mount(self) -> None:
        """Fills the list."""
        keys = "enter pick · ctrl+t favourite · shift+F2 other server · esc leave"
        self.name_panel(f"Models of {self._provider.endpoint.name}", keys)
        self.load()

    @work(exclusive=True)
    async def load(self) -> None:
        """Shows the models known from earlier at once, and the server's when it has answered."""
        self.hint("Asking the server for its models …")
        try:
            known = await asyncio.wrap_future(self._store.models(self._provider.endpoint.name))
            self._known = {model.name: model for model in known}
        except StoreError as error:
            self.notify(str(error), severity="warning", markup=False)
        self._take([])
        try:
            listed = await self._provider.models()
        except ProviderError as error:
            self.hint(f"{error.sentence} A name typed here is used as it is.")
            return
        self.hint("" if listed else "The server lists no models. Type a name and press enter.")
        self._take(listed)

    def _take(self, listed: list[str]) -> None:
        used = sorted(self._known.values(), key=lambda model: (-model.last_used, model.name))
        first = [model.name for model in used if model.last_used or model.favourite]
        current = [self._current] if self._current else []
        self._names = list(dict.fromkeys([*first, *current, *sorted(listed)]))
        self.show(self.query_one("#filter", Input).value)

    @on(Input.Changed, "#filter")
    def filter(self, event: Input.Changed) -> None:
        """Shows what fits the filter, the best first."""
        self.show(event.value)

    def show(self, text: str) -> None:
        """Fills the list with the names that fit `text`."""
        self.options.clear_options()
        self.options.add_options(Option(self._line(name), id=name) for name in self._fitting(clean_line(text)))
        if self.options.option_count:
            self.options.highlighted = 0

    def _fitting(self, text: str) -> Iterator[str]:
        """The names that fit, the best first; at the end `text` itself, where it is none of them."""
        if not text:
            yield from self._names
            return
        matcher = Matcher(text)
        scores = {name: matcher.match(name) for name in self._names}
        yield from sorted((name for name in self._names if scores[name]), key=lambda name: -scores[name])
        if text not in self._names:
            yield text

    def _line(self, name: str) -> Content:
        known = self._known.get(name)
        star = "★ " if known is not None and known.favourite else "  "
        note = "  in use" if name == self._current else "" if name in self._names else "  as typed"
        return Content.assemble(star, name, (note, "dim"))

    def action_toggle_favourite(self) -> None:
        """Makes the highlighted model a favourite, or no longer one."""
        name = self.highlighted_id
        if not name or self.options.highlighted is None:
            return
        before = self._known.get(name)
        favourite = before is None or not before.favourite
        self._known[name] = KnownModel(name, before.last_used if before else 0.0, favourite)
        self._store.set_favourite(self._provider.endpoint.name, name, favourite)
        self.options.replace_option_prompt_at_index(self.options.highlighted, self._line(name))

    def action_pick_endpoint(self) -> None:
        """Leaves, for another server's models."""
        self.dismiss("")
        self.app.call_later(self.app.run_action, "screen.pick_endpoint")
