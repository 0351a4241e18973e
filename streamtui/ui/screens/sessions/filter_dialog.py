"""FilterDialog: what the list of sessions can be apply_choice to: pinned, archived, trash, an endpoint, a model."""

import asyncio
from dataclasses import replace

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from streamtui.core.session import USUAL, SessionFilter
from streamtui.storage import Store, StoreError
from streamtui.ui.dialogs.dialog import ListDialog
from streamtui.ui.widgets.clean_input import CleanInput

_PLACES = {
    "usual": "the usual list",
    "pinned": "pinned",
    "archive": "archive",
    "everything": "everything, archived or not",
    "trash": "trash",
}


class FilterDialog(ListDialog):
    """Ends with a choice for `apply_choice`, or with "" when left."""

    def __init__(self, store: Store) -> None:
        super().__init__(classes="tall")
        self._store = store
        self._choices: dict[str, str] = dict(_PLACES)

    def compose(self) -> ComposeResult:
        """A filter above the list."""
        with Vertical(id="dialog"):
            yield CleanInput(placeholder="pinned, archive, trash, a model, an endpoint", id="filter")
            yield Static(id="hint", markup=False)
            yield OptionList(id="choices", markup=False)

    def on_mount(self) -> None:
        """Fills the list."""
        self.set_title("Show", "enter choose", "esc leave")
        self.hint("")
        self.show("")
        self.load()

    @work(exclusive=True)
    async def load(self) -> None:
        """Adds the models and endpoints that occur."""
        try:
            found = await asyncio.wrap_future(self._store.facets())
        except StoreError as error:
            self.hint(str(error))
            return
        self._choices |= {f"model {name}": f"model {name} ({n:,})" for name, n in found.models.items()}
        self._choices |= {f"endpoint {name}": f"endpoint {name} ({n:,})" for name, n in found.endpoints.items()}
        self.show(self.query_one("#filter", Input).value)

    @on(Input.Changed, "#filter")
    def filter(self, event: Input.Changed) -> None:
        """Shows what has every word of the filter."""
        self.show(event.value)

    def show(self, text: str) -> None:
        """Fills the list."""
        words = text.casefold().split()
        fitting = [(id_, shown) for id_, shown in self._choices.items() if all(w in shown.casefold() for w in words)]
        self.options.clear_options()
        self.options.add_options(Option(Content(shown), id=id_) for id_, shown in fitting)
        if fitting:
            self.options.highlighted = 0


def apply_choice(where: SessionFilter, choice: str) -> SessionFilter:
    """Returns `where` with what was chosen in the panel: a place, a model or an endpoint beside the others."""
    kind, _, name = choice.partition(" ")
    if kind == "model" and name:
        return replace(where, model=name)
    if kind == "endpoint" and name:
        return replace(where, endpoint=name)
    if kind == "usual":
        return USUAL
    return replace(
        where,
        pinned=True if kind == "pinned" else None,
        archived={"everything": None, "pinned": None, "archive": True, "trash": None}.get(kind, False),
        trashed=kind == "trash",
    )


def describe_filter(where: SessionFilter) -> str:
    """Returns what the list is apply_choice to; "" where it is not."""
    place = (
        "trash" if where.trashed
        else "pinned" if where.pinned
        else "archive" if where.archived
        else "everything" if where.archived is None
        else ""
    )  # fmt: skip
    model = f"model {where.model}" if where.model else ""
    endpoint = f"endpoint {where.endpoint}" if where.endpoint else ""
    return " · ".join(filter(None, [place, model, endpoint]))
