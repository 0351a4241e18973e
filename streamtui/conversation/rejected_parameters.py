"""Memory of the request parameters that models reject, so that they are not sent again."""

import asyncio
import json
from collections.abc import Mapping

from streamtui.storage import Store, StoreError


class RejectedParameters:
    """Rejected parameters by endpoint and model, each with its replacement; "" for none."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, dict[str, str]] = {}

    async def of(self, endpoint: str, model: str) -> Mapping[str, str]:
        """Return the parameters that `model` rejects. The first call reads them from the store."""
        key = _key(endpoint, model)
        if key not in self._known:
            try:
                remembered = await asyncio.wrap_future(self._store.recall(key))
            except StoreError:
                remembered = None  # the store reports the error; the server will reject the parameters again
            self._known.setdefault(key, _fields(remembered or "{}"))
        return self._known[key]

    def learn(self, endpoint: str, model: str, rejected: Mapping[str, str]) -> None:
        """Remember the parameters that `model` has just rejected."""
        key = _key(endpoint, model)
        known = self._known[key] = {**self._known.get(key, {}), **rejected}
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
