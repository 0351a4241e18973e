"""Store: every session in one SQLite file, saved as it happens, found again in an instant."""

from streamtui.store.drafts import Draft
from streamtui.store.errors import StoreError, unreadable_notice
from streamtui.store.reading import KnownModel
from streamtui.store.searching import Facets, SearchHit
from streamtui.store.store import Store

__all__ = ["Draft", "Facets", "KnownModel", "SearchHit", "Store", "StoreError", "unreadable_notice"]
