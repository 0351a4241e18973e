"""RejectedParameters: what a model of an endpoint refused is remembered, so that it is not sent again."""

import asyncio
import json
from collections.abc import Mapping

from streamtui.storage import Store, StoreError


class RejectedParameters:
    """Fields that models refused, by endpoint and model, with their new names; "" for left out."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, dict[str, str]] = {}

    async def of(self, endpoint: str, model: str) -> Mapping[str, str]:
        """Returns what `model` is known to refuse; read from the store the first time."""
        key = _key(endpoint, model)
        if key not in self._known:
            try:
                remembered = await asyncio.wrap_future(self._store.recall(key))
            except StoreError:
                remembered = None  # the store tells its listener; the server says again what it refuses
            self._known.setdefault(key, _fields(remembered or "{}"))
        return self._known[key]

    def learn(self, endpoint: str, model: str, refused: Mapping[str, str]) -> None:
        """Remembers what `model` refused just now."""
        key = _key(endpoint, model)
        known = self._known[key] = {**self._known.get(key, {}), **refused}
        self._store.remember(key, json.dumps(known))


def _key(endpoint: str, model: str) -> str:
    return json.dumps(["adaptations", endpoint, model])


def _fields(text: str) -> dict[str, str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    pairs = found.items() if isinstance(found, dict) else ()
    return {name: value for name, value in pairs if isinstance(value, str)}
