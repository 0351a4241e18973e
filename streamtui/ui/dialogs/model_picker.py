"""The model picker: a filterable list of an endpoint's models, recently used ones first."""

import asyncio
from collections.abc import Iterator

from rich.cells import cell_len, set_cell_size
from textual import work
from textual.content import Content
from textual.widgets.option_list import Option

from streamtui.conversation import Conversation
from streamtui.core.models import LONGEST_NAME, ModelInfo, model_info, priced_by_name
from streamtui.core.sanitize import clean_line
from streamtui.providers.base import ProviderError
from streamtui.storage import KnownModel, StoreError
from streamtui.tokens import rounded
from streamtui.ui.bindings import bindings_for
from streamtui.ui.dialogs.dialog import ListDialog, best_matches

DEFAULT_WIDTH = 80
"""Width of a row, in cells, before the list has a size."""


class ModelPicker(ListDialog):
    """Return the name of a listed or typed model."""

    BINDINGS = bindings_for("models", priority=True)
    PLACEHOLDER = "Filter, or type any model name"

    def __init__(self, conversation: Conversation) -> None:
        super().__init__(classes="tall")
        self._conversation = conversation
        self._endpoint = conversation.provider.endpoint
        self._store = conversation.store
        self._current = conversation.model
        self._known: dict[str, KnownModel] = {}
        self._names: list[str] = []
        self._descriptions: dict[str, str] = {}
        """The context window and prices of each model, formatted."""

    def on_mount(self) -> None:
        """Fill the list."""
        keys = "enter select", "ctrl+t favorite", "shift+F2 endpoints", "esc close"
        self.set_title(f"Models of {self._endpoint.name}", *keys)
        self.load()

    @work(exclusive=True)
    async def load(self) -> None:
        """List the known models, then those that the server lists."""
        self.show_hint("Loading models …")
        try:
            known = await asyncio.wrap_future(self._store.models(self._endpoint.name))
            self._known = {model.name: model for model in known}
        except StoreError as error:
            self.notify(str(error), severity="warning", markup=False)
        self._show_models([])
        try:
            listed = await self._conversation.fetch_catalog()
        except ProviderError as error:
            self.show_hint(f"{error.message} You can still type a model name.")
            return
        self.show_hint("" if listed else "The server lists no models. Type a model name and press enter.")
        self._descriptions.clear()
        self._show_models(listed)

    def _show_models(self, listed: list[str]) -> None:
        if not self.children:
            return  # closed meanwhile
        used = sorted(self._known.values(), key=lambda model: (-model.last_used, model.name))
        first = [model.name for model in used if model.last_used or model.favorite] + list(self._endpoint.favorites)
        current = [self._current] if self._current else []
        self._names = list(dict.fromkeys([*first, *current, *sorted(listed)]))
        self.update_options()
        if any("$" in description for description in self._descriptions.values()):
            self.query_one("#dialog").border_title = Content(f"Models of {self._endpoint.name} · $ per million tokens")

    def on_resize(self) -> None:
        """Fit the rows to the new width."""
        self.call_after_refresh(self.update_options)

    def matching(self, text: str) -> Iterator[Option]:
        """Return the matching models, the best match first, then `text` itself if no model has that name."""
        text = clean_line(text[:LONGEST_NAME])
        names = best_matches(text, self._names)
        if text and text not in self._names:
            names.append(text)
        for name in names:
            yield Option(self._row(name), id=name)

    def _row(self, name: str) -> Content:
        star = "★ " if self._is_favorite(name) else "  "
        note = "  current" if name == self._current else "" if name in self._names else "  as typed"
        description = self._descriptions.get(name)
        if description is None:
            entry = self._conversation.catalog.get(name)
            by_name = priced_by_name(self._endpoint, name, entry)
            description = describe_model(model_info(self._endpoint, name, entry), by_name=by_name)
            self._descriptions[name] = description
        width = self.options.scrollable_content_region.width or DEFAULT_WIDTH
        name = _cut(name, max(1, width - cell_len(star + note)))
        gap = width - cell_len(star + name + note) - cell_len(description) - 1
        return Content.assemble(star, name, (note, "dim"), (" " * gap + description if gap > 1 else "", "dim"))

    def _is_favorite(self, name: str) -> bool:
        known = self._known.get(name)
        return name in self._endpoint.favorites or (known is not None and known.favorite)

    def action_favorite(self) -> None:
        """Add the highlighted model to the favorites or remove it."""
        name = self.highlighted_id
        if not name or self.options.highlighted is None:
            return
        if name in self._endpoint.favorites:
            self.notify(f"{name} is a favorite in your settings. Remove it there.", markup=False)
            return
        before = self._known.get(name)
        favorite = before is None or not before.favorite
        self._known[name] = KnownModel(name, before.last_used if before else 0.0, favorite)
        self._store.set_favorite(self._endpoint.name, name, favorite)
        self.options.replace_option_prompt_at_index(self.options.highlighted, self._row(name))

    def action_switch_endpoint(self) -> None:
        """Close and open the endpoint picker."""
        self.dismiss("")
        self.app.call_later(self.app.run_action, "screen.command('endpoint.switch')")


def _cut(name: str, width: int) -> str:
    """Return `name` in at most `width` cells, with an ellipsis if it is cut."""
    start = name[: width + 1]
    return name if name == start and cell_len(start) <= width else f"{set_cell_size(start, width - 1).rstrip()}…"


def describe_model(info: ModelInfo, *, by_name: bool = False) -> str:
    """Return the context window and the prices per million tokens, such as ``400k · $1.25 in · $10 out``.

    `by_name`: prefix the prices with ``~``, as they are those of the model's maker.
    """
    if info.input_price == info.output_price == 0:
        prices = ["free"]
    else:
        both = ((info.input_price, "in"), (info.output_price, "out"))
        prices = [f"{'~' if by_name else ''}${price:g} {direction}" for price, direction in both if price is not None]
    return " · ".join([*([rounded(info.window)] if info.window else []), *prices])
