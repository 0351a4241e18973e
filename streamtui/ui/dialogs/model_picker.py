"""ModelPicker: the models of a server, to filter and pick from, the ones used last first."""

import asyncio
from collections.abc import Iterator

from rich.cells import cell_len
from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.fuzzy import Matcher
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from streamtui.conversation import Conversation
from streamtui.core.models import ModelInfo, model_info, priced_by_name
from streamtui.core.sanitize import clean_line
from streamtui.providers.base import ProviderError
from streamtui.storage import KnownModel, StoreError
from streamtui.tokens import rounded
from streamtui.ui.bindings import bindings_of
from streamtui.ui.dialogs.dialog import ListDialog
from streamtui.ui.widgets.clean_input import CleanInput


class ModelPicker(ListDialog):
    """Ends with the name of the model picked or typed, or with "" when left."""

    BINDINGS = bindings_of("models", priority=True)

    def __init__(self, conversation: Conversation) -> None:
        super().__init__(classes="tall")
        self._conversation = conversation
        self._endpoint = conversation.provider.endpoint
        self._store = conversation.store
        self._current = conversation.model
        self._known: dict[str, KnownModel] = {}
        self._names: list[str] = []
        self._facts: dict[str, str] = {}
        """What is known of models, in words."""

    def compose(self) -> ComposeResult:
        """A filter above the list."""
        with Vertical(id="dialog"):
            yield CleanInput(placeholder="Filter, or type the name of any model", id="filter")
            yield Static(id="hint", markup=False)
            yield OptionList(id="models", markup=False)

    def on_mount(self) -> None:
        """Fills the list."""
        keys = "enter pick", "ctrl+t favourite", "shift+F2 other server", "esc leave"
        self.set_title(f"Models of {self._endpoint.name}", *keys)
        self.load()

    @work(exclusive=True)
    async def load(self) -> None:
        """Shows the models known from earlier at once, and the server's when it has answered."""
        self.hint("Asking the server for its models …")
        try:
            known = await asyncio.wrap_future(self._store.models(self._endpoint.name))
            self._known = {model.name: model for model in known}
        except StoreError as error:
            self.notify(str(error), severity="warning", markup=False)
        self._take([])
        try:
            listed = await self._conversation.fetch_catalog()
        except ProviderError as error:
            self.hint(f"{error.message} A name typed here is used as it is.")
            return
        self.hint("" if listed else "The server lists no models. Type a name and press enter.")
        self._facts.clear()
        self._take(listed)

    def _take(self, listed: list[str]) -> None:
        used = sorted(self._known.values(), key=lambda model: (-model.last_used, model.name))
        first = [model.name for model in used if model.last_used or model.favorite] + list(self._endpoint.favorites)
        current = [self._current] if self._current else []
        self._names = list(dict.fromkeys([*first, *current, *sorted(listed)]))
        self.show(self.query_one("#filter", Input).value)
        priced = any("$" in facts for facts in self._facts.values())
        self.query_one("#dialog").border_title = Content(
            f"Models of {self._endpoint.name}{' · $ a million tokens' if priced else ''}"
        )

    @on(Input.Changed, "#filter")
    def filter(self, event: Input.Changed) -> None:
        """Shows what fits the filter, the best first."""
        self.show(event.value)

    def on_resize(self) -> None:
        """Fits the lines to the width."""
        self.call_after_refresh(lambda: self.show(self.query_one("#filter", Input).value))

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
        star = "★ " if self._is_favourite(name) else "  "
        note = "  in use" if name == self._current else "" if name in self._names else "  as typed"
        facts = self._facts.get(name)
        if facts is None:
            said = self._conversation.catalog.get(name)
            by_name = priced_by_name(self._endpoint, name, said)
            facts = self._facts[name] = describe_model(model_info(self._endpoint, name, said), by_name=by_name)
        room = self.options.scrollable_content_region.width - cell_len(star + name + note) - cell_len(facts) - 1
        return Content.assemble(star, name, (note, "dim"), (" " * room + facts if room > 1 else "", "dim"))

    def _is_favourite(self, name: str) -> bool:
        known = self._known.get(name)
        return name in self._endpoint.favorites or (known is not None and known.favorite)

    def action_toggle_favourite(self) -> None:
        """Makes the highlighted model a favourite, or no longer one."""
        name = self.highlighted_id
        if not name or self.options.highlighted is None:
            return
        if name in self._endpoint.favorites:
            self.notify(f"{name} is a favourite by your settings; take it out there.", markup=False)
            return
        before = self._known.get(name)
        favourite = before is None or not before.favorite
        self._known[name] = KnownModel(name, before.last_used if before else 0.0, favourite)
        self._store.set_favorite(self._endpoint.name, name, favourite)
        self.options.replace_option_prompt_at_index(self.options.highlighted, self._line(name))

    def action_pick_endpoint(self) -> None:
        """Leaves, for another server's models."""
        self.dismiss("")
        self.app.call_later(self.app.run_action, "screen.pick_endpoint")


def describe_model(facts: ModelInfo, *, by_name: bool = False) -> str:
    """Returns the window and the prices of a million tokens, as in ``400k · $1.25 in · $10 out``.

    `by_name`: the prices are those of the model's maker, and carry ``~``.
    """
    if facts.input_price == facts.output_price == 0:
        prices = ["free"]
    else:
        both = ((facts.input_price, "in"), (facts.output_price, "out"))
        prices = [f"{'~' if by_name else ''}${price:g} {way}" for price, way in both if price is not None]
    return " · ".join([*([rounded(facts.window)] if facts.window else []), *prices])
