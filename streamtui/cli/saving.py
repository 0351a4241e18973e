"""Waits until a command's changes are on the disk, so that it can report them."""

from streamtui.storage import Store, StoreError

SAVE_TIMEOUT = 15.0
"""Seconds; a locked database takes two busy timeouts to fail."""


def save(store: Store) -> None:
    """Write everything queued. Raises StoreError with the reason if that fails."""
    if not store.close(SAVE_TIMEOUT):
        raise StoreError(store.save_error)
