"""Store: every session in one SQLite file, saved as it happens, found again in an instant."""

from streamtui.store.errors import StoreError
from streamtui.store.reading import KnownModel, SearchHit
from streamtui.store.store import Store

__all__ = ["KnownModel", "SearchHit", "Store", "StoreError"]
