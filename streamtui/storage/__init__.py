"""Storage: all sessions in one SQLite file, saved as they stream and searchable at once. See SCHEMA.md."""

from streamtui.storage.draft_rows import Draft
from streamtui.storage.queries import KnownModel
from streamtui.storage.search_queries import Facets, SearchHit
from streamtui.storage.store import Store
from streamtui.storage.store_error import StoreError, unreadable_notice

__all__ = ["Draft", "Facets", "KnownModel", "SearchHit", "Store", "StoreError", "unreadable_notice"]
