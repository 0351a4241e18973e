"""EndpointPicker: the endpoints that can answer, to filter and pick from."""

from collections.abc import Iterator

from rich.cells import cell_len, set_cell_size
from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.fuzzy import Matcher
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from streamtui import paths
from streamtui.config import Endpoint
from streamtui.core.builtin_endpoints import address_wanted, without_address
from streamtui.core.redaction import without_password
from streamtui.ui.dialogs.dialog import ListDialog
from streamtui.ui.widgets.clean_input import CleanInput


class EndpointPicker(ListDialog):
    """Ends with the name of the endpoint picked, or with "" when left. Ready-made ones that still need an address
    are in the list too, and say so."""

    def __init__(self, endpoints: list[Endpoint], current: str) -> None:
        super().__init__(classes="tall")
        self._endpoints = {endpoint.name: endpoint for endpoint in endpoints}
        self._endpoints |= {endpoint.name: endpoint for endpoint in without_address(self._endpoints)}
        self._current = current
        self._here: dict[str, int] = {}
        """The models of the servers on this machine that were found to run."""
        self._looked = False

    def compose(self) -> ComposeResult:
        """A filter above the list."""
        with Vertical(id="dialog"):
            yield CleanInput(placeholder="Filter by name or address", id="filter")
            yield Static(id="hint", markup=False)
            yield OptionList(id="endpoints", markup=False)

    def on_mount(self) -> None:
        """Fills the list."""
        self.set_title("Endpoints", "enter connect", "esc close")
        self.hint("")
        self.show("")
        self.look()

    @work(exclusive=True)
    async def look(self) -> None:
        """Finds out which servers on this machine run."""
        from streamtui.providers.local_servers import find_servers

        async for found in find_servers(self._all):
            self._here[found.endpoint.name] = len(found.models)
            self._refresh()
        self._looked = True
        self._refresh()

    def _refresh(self) -> None:
        """Writes the lines again, and leaves them in their order: one may be about to be picked."""
        for at in range(self.options.option_count):
            name = self.options.get_option_at_index(at).id or ""
            self.options.replace_option_prompt_at_index(at, self._line(self._endpoints[name]))

    @on(Input.Changed, "#filter")
    def filter(self, event: Input.Changed) -> None:
        """Shows what fits the filter."""
        self.show(event.value)

    def on_resize(self) -> None:
        """Fits the lines to the width."""
        self.call_after_refresh(self._refresh)

    def show(self, text: str) -> None:
        """Fills the list with the endpoints that fit `text`."""
        self.options.clear_options()
        self.options.add_options(Option(self._line(endpoint), id=endpoint.name) for endpoint in self._fitting(text))
        if self.options.option_count:
            self.options.highlighted = 0
        self.hint("" if self.options.option_count else "None fits. streamtui config edit adds endpoints.")

    def _fitting(self, text: str) -> Iterator[Endpoint]:
        """The one in use first, then those that can answer, then those that need a key, or an address."""
        matcher = Matcher(text)
        fitting = [e for e in self._all if not text or matcher.match(f"{e.name} {_address(e)}")]
        yield from sorted(fitting, key=lambda e: (e.name != self._current, not e.base_url, e.needs_key))

    def _line(self, endpoint: Endpoint) -> Content:
        """Name, address and state; where there is little room the address goes, as all of it is in no line."""
        mark = "● " if endpoint.name == self._current else "  "
        names, states = (max(map(cell_len, texts)) for texts in (self._endpoints, map(self._state, self._all)))
        name = set_cell_size(mark + endpoint.name, min(names, 24) + 4)
        room = self.options.scrollable_content_region.width - cell_len(name) - states - 2
        address = set_cell_size(_address(endpoint), min(room, 40)) + "  " if room > 12 else ""
        return Content.assemble(name, (address, "dim"), (self._state(endpoint), "dim"))

    @property
    def _all(self) -> list[Endpoint]:
        return list(self._endpoints.values())

    def pick(self, option_id: str) -> None:
        """Ends with the endpoint picked; stays where that has no address, and says what to do."""
        if self._endpoints[option_id].base_url:
            super().pick(option_id)
        else:
            self.hint(address_wanted(option_id, paths.config_file()))

    def _state(self, endpoint: Endpoint) -> str:
        if endpoint.demo:
            return "no key, no network"
        if not endpoint.base_url:
            return "no address yet"
        if endpoint.is_local:
            return self._state_here(endpoint)
        if endpoint.fetches_key:
            return "key in the keyring" if endpoint.api_key_keyring else "key by a command"
        if endpoint.api_key:
            return f"key in {endpoint.api_key_env}" if endpoint.api_key_env else "key set"
        return "no key yet" if endpoint.needs_key else "no key"

    def _state_here(self, endpoint: Endpoint) -> str:
        if endpoint.name in self._here:
            models = self._here[endpoint.name]
            return f"runs · {models} model{'' if models == 1 else 's'}"
        return "does not run" if self._looked else "…"


def _address(endpoint: Endpoint) -> str:
    return "built in" if endpoint.demo else without_password(endpoint.base_url).partition("://")[2]
