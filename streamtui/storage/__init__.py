"""Store: every session in one SQLite file, saved as it happens, found again in an instant."""

from streamtui.storage.draft_rows import Draft
from streamtui.storage.queries import KnownModel
from streamtui.storage.search_queries import Facets, SearchHit
from streamtui.storage.store import Store
from streamtui.storage.store_error import StoreError, unreadable_notice

__all__ = ["Draft", "Facets", "KnownModel", "SearchHit", "Store", "StoreError", "unreadable_notice"]
