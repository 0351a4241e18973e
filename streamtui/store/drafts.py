"""Drafts: what is written in a window and not sent yet, kept until it is."""

import sqlite3
import time
from dataclasses import dataclass
from hashlib import sha256

from streamtui.message import Attachment
from streamtui.sanitize import clean
from streamtui.store.reading import IsAnother
from streamtui.store.writing import Operation, delete_unused_blobs

_SAVE = """
    INSERT INTO drafts (written_by, text, updated) VALUES (?, ?, ?)
    ON CONFLICT (written_by) DO UPDATE SET text = excluded.text, updated = excluded.updated"""

_FILES = """
    SELECT f.name, f.media_type, b.data FROM draft_files f JOIN blobs b ON b.hash = f.hash
    WHERE f.written_by = ? ORDER BY f.n"""


@dataclass(frozen=True, slots=True)
class Draft:
    """A prompt that was not sent."""

    text: str = ""
    attachments: tuple[Attachment, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.text.strip() or self.attachments)


def save(window: str, draft: Draft, before: Draft) -> Operation:
    """Saves what is written in a window in place of `before`; its files only where they are others."""
    now, text, files = time.time(), clean(draft.text), draft.attachments
    same_files = files is before.attachments or files == before.attachments

    def save_draft(connection: sqlite3.Connection) -> None:
        if draft:
            connection.execute(_SAVE, (window, text, now))
        if not (draft and same_files):
            _replace_files(connection, window, files)
        if not draft:
            connection.execute("DELETE FROM drafts WHERE written_by = ?", (window,))

    return save_draft


def _replace_files(connection: sqlite3.Connection, window: str, files: tuple[Attachment, ...]) -> None:
    old = connection.execute("SELECT hash FROM draft_files WHERE written_by = ?", (window,)).fetchall()
    connection.execute("DELETE FROM draft_files WHERE written_by = ?", (window,))
    for n, file in enumerate(files):
        digest = sha256(file.data).digest()
        connection.execute("INSERT OR IGNORE INTO blobs (hash, data) VALUES (?, ?)", (digest, file.data))
        row = (window, n, digest, clean(file.name), clean(file.media_type))
        connection.execute("INSERT INTO draft_files VALUES (?, ?, ?, ?, ?)", row)
    delete_unused_blobs(connection, old)


def take(connection: sqlite3.Connection, window: str, is_another: IsAnother) -> Draft | None:
    """Gives the window the newest draft of those that have ended, and returns it; None where there is none."""
    for (writer,) in connection.execute("SELECT written_by FROM drafts ORDER BY updated DESC").fetchall():
        if writer == window:
            return None  # something is written in it already
        if not is_another(writer):
            connection.execute("UPDATE drafts SET written_by = ? WHERE written_by = ?", (window, writer))
            (text,) = connection.execute("SELECT text FROM drafts WHERE written_by = ?", (window,)).fetchone()
            return Draft(text, tuple(Attachment(*row) for row in connection.execute(_FILES, (window,))))
    return None
