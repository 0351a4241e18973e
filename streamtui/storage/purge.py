"""Purging: text that is deleted for good leaves the full-text index too, and with it the file.

Words of a deleted message stay in the index until their segment is merged. (FTS5's own `secure-delete` takes them
out at once, but then SQLite before 3.42, which Python 3.11 may come with, can no longer use the index.)
"""

import sqlite3

_KEY = "purge"
_BEGUN = "begun"
PAGES = 500
"""Pages of the index that one step writes at most: 2 MB, some 30 ms."""

_STATE = "SELECT value FROM memory WHERE key = ?"


def request(connection: sqlite3.Connection) -> None:
    """Notes, with the deletion itself, that the index has to be purged."""
    connection.execute("INSERT OR REPLACE INTO memory VALUES (?, '')", (_KEY,))


def is_requested(connection: sqlite3.Connection) -> bool:
    """Returns whether the index holds words of deleted messages."""
    return connection.execute(_STATE, (_KEY,)).fetchone() is not None


def step(connection: sqlite3.Connection) -> None:
    """Merges a part of the index, in a transaction of its own; the last step withdraws the request."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        state = connection.execute(_STATE, (_KEY,)).fetchone()
        before = connection.total_changes
        # A negative number of pages begins to merge everything, a positive one goes on with it.
        pages = PAGES if state == (_BEGUN,) else -PAGES
        connection.execute("INSERT INTO message_index(message_index, rank) VALUES ('merge', ?)", (pages,))
        if connection.total_changes - before < 2:  # nothing is left to merge
            connection.execute("DELETE FROM memory WHERE key = ?", (_KEY,))
        else:
            connection.execute("INSERT OR REPLACE INTO memory VALUES (?, ?)", (_KEY, _BEGUN))
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise
