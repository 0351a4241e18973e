"""The endpoint picker: a filterable list of endpoints and whether each can be used."""

from collections.abc import Iterator

from rich.cells import cell_len, set_cell_size
from textual import work
from textual.content import Content
from textual.widgets.option_list import Option

from streamtui import paths
from streamtui.config import Endpoint
from streamtui.core.builtin_endpoints import address_wanted, without_address
from streamtui.core.redaction import without_password
from streamtui.ui.dialogs.dialog import ListDialog
from streamtui.ui.fuzzy import folded, score


class EndpointPicker(ListDialog):
    """Return the name of an endpoint. Built-in endpoints that still need an address are listed but can't be picked."""

    PLACEHOLDER = "Filter by name or address"

    def __init__(self, endpoints: list[Endpoint], current: str) -> None:
        super().__init__(classes="tall")
        self._endpoints = {endpoint.name: endpoint for endpoint in endpoints}
        self._endpoints |= {endpoint.name: endpoint for endpoint in without_address(self._endpoints)}
        self._current = current
        self._models_online: dict[str, int] = {}
        """The number of models on each local server that is online."""
        self._checked = False
        """True once all local servers have been checked."""

    def on_mount(self) -> None:
        """Fill the list and check the local servers."""
        self.set_title("Endpoints", "enter connect", "esc close")
        self.update_options()
        self.check_local_servers()

    @work(exclusive=True)
    async def check_local_servers(self) -> None:
        """Find the servers that are online on this machine."""
        from streamtui.providers.local_servers import find_servers

        async for found in find_servers(self._all):
            self._models_online[found.endpoint.name] = len(found.models)
            self._refresh()
        self._checked = True
        self._refresh()

    def _refresh(self) -> None:
        """Update the rows in place, since the user may be about to pick one."""
        for at, option in enumerate(self.options.options):
            self.options.replace_option_prompt_at_index(at, self._row(self._endpoints[option.id or ""]))

    def on_resize(self) -> None:
        """Fit the rows to the new width."""
        self.call_after_refresh(self._refresh)

    def update_options(self) -> None:
        """List the matching endpoints, or say how to add one."""
        super().update_options()
        self.show_hint("" if self.options.option_count else 'No matches. Run "streamtui config edit" to add endpoints.')

    def matching(self, text: str) -> Iterator[Option]:
        """Return the current endpoint, usable ones, ones without a key, then ones without an address."""
        letters = folded(text)
        found = [e for e in self._all if score(letters, folded(f"{e.name} {_address(e)}"))]
        for endpoint in sorted(found, key=lambda e: (e.name != self._current, not e.base_url, e.needs_key)):
            yield Option(self._row(endpoint), id=endpoint.name)

    def _row(self, endpoint: Endpoint) -> Content:
        """Return name, address and state. On a narrow screen the address, which is never shown in full, is omitted."""
        mark = "● " if endpoint.name == self._current else "  "
        names, states = (max(map(cell_len, texts)) for texts in (self._endpoints, map(self._state, self._all)))
        name = set_cell_size(mark + endpoint.name, min(names, 24) + 4)
        width = self.options.scrollable_content_region.width - cell_len(name) - states - 2
        address = set_cell_size(_address(endpoint), min(width, 40)) + "  " if width > 12 else ""
        return Content.assemble(name, (address, "dim"), (self._state(endpoint), "dim"))

    @property
    def _all(self) -> list[Endpoint]:
        return list(self._endpoints.values())

    def pick(self, option_id: str) -> None:
        """Close with the picked endpoint, or say how to set its address if it has none."""
        if self._endpoints[option_id].base_url:
            super().pick(option_id)
        else:
            self.show_hint(address_wanted(option_id, paths.config_file()))

    def _state(self, endpoint: Endpoint) -> str:
        if endpoint.demo:
            return "no key, no network"
        if not endpoint.base_url:
            return "no address"
        if endpoint.is_local:
            return self._local_state(endpoint)
        if endpoint.fetches_key:
            return "key in keyring" if endpoint.api_key_keyring else "key from command"
        if endpoint.api_key:
            return f"key from {endpoint.api_key_env}" if endpoint.api_key_env else "key set"
        return "key missing" if endpoint.needs_key else "no key"

    def _local_state(self, endpoint: Endpoint) -> str:
        models = self._models_online.get(endpoint.name)
        if models is None:
            return "offline" if self._checked else "…"
        return f"online · {models} model{'' if models == 1 else 's'}"


def _address(endpoint: Endpoint) -> str:
    return "built in" if endpoint.demo else without_password(endpoint.base_url).partition("://")[2]
