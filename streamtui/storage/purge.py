"""Purging: removes permanently deleted text from the search index, and so from the file.

Words of a deleted message stay in the index until their segment is merged. (FTS5's own `secure-delete` removes them at
once, but makes the index unusable for SQLite before 3.42, which Python 3.11 may come with.)
"""

import sqlite3

_KEY = "purge"
_STARTED = "begun"  # stored in the database
PAGES = 500
"""Most index pages written in one step: 2 MB, about 30 ms."""

_STATE = "SELECT value FROM memory WHERE key = ?"


def request(connection: sqlite3.Connection) -> None:
    """Request a purge, in the transaction that deletes."""
    connection.execute("INSERT OR REPLACE INTO memory VALUES (?, '')", (_KEY,))


def is_requested(connection: sqlite3.Connection) -> bool:
    """Return whether the index may contain words of deleted messages."""
    return connection.execute(_STATE, (_KEY,)).fetchone() is not None


def step(connection: sqlite3.Connection) -> None:
    """Merge part of the index in a transaction of its own; the last step clears the request."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        state = connection.execute(_STATE, (_KEY,)).fetchone()
        before = connection.total_changes
        # A negative number of pages starts a full merge, a positive one continues it.
        pages = PAGES if state == (_STARTED,) else -PAGES
        connection.execute("INSERT INTO message_index(message_index, rank) VALUES ('merge', ?)", (pages,))
        if connection.total_changes - before < 2:  # nothing left to merge
            connection.execute("DELETE FROM memory WHERE key = ?", (_KEY,))
        else:
            connection.execute("INSERT OR REPLACE INTO memory VALUES (?, ?)", (_KEY, _STARTED))
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise
