"""The dialog that narrows the list of sessions to a place, an endpoint or a model."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

from textual import work
from textual.content import Content
from textual.widgets.option_list import Option

from streamtui.core.session import USUAL, SessionFilter
from streamtui.storage import Store, StoreError
from streamtui.ui.dialogs.dialog import ListDialog

_PLACES = {
    "usual": "default list",
    "pinned": "pinned",
    "archive": "archive",
    "everything": "everything, including archived",
    "trash": "trash",
}


class FilterDialog(ListDialog):
    """Return a choice for `apply_choice`."""

    PLACEHOLDER = "pinned, archive, trash, a model, an endpoint"

    def __init__(self, store: Store) -> None:
        super().__init__(classes="tall")
        self._store = store
        self._choices: dict[str, str] = dict(_PLACES)

    def on_mount(self) -> None:
        """Fill the list."""
        self.set_title("Filter sessions", "enter select", "esc close")
        self.update_options()
        self.load()

    @work(exclusive=True)
    async def load(self) -> None:
        """Add the models and endpoints of the saved sessions."""
        try:
            found = await asyncio.wrap_future(self._store.facets())
        except StoreError as error:
            self.show_hint(str(error))
            return
        self._choices |= {f"model {name}": f"model {name} ({n:,})" for name, n in found.models.items()}
        self._choices |= {f"endpoint {name}": f"endpoint {name} ({n:,})" for name, n in found.endpoints.items()}
        self.update_options()

    def matching(self, text: str) -> Iterator[Option]:
        """Return the choices with every word of `text`."""
        words = text.casefold().split()
        for choice, label in self._choices.items():
            if all(word in label.casefold() for word in words):
                yield Option(Content(label), id=choice)


def apply_choice(where: SessionFilter, choice: str) -> SessionFilter:
    """Return `where` narrowed to `choice`: a place, a model or an endpoint."""
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
        archived={"archive": True, "everything": None, "pinned": None, "trash": None}[kind],
        trashed=kind == "trash",
    )


def describe_filter(where: SessionFilter) -> str:
    """Return what the list is narrowed to, or "" for the default list."""
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
