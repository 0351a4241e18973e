"""Drafts: unsent prompts, one per session and running instance."""

import sqlite3
import time
from dataclasses import dataclass
from hashlib import sha256

from streamtui.core.message import Attachment
from streamtui.core.sanitize import clean
from streamtui.storage.queries import IsOtherRunning
from streamtui.storage.write_operations import Operation, delete_unused_blobs

_SAVE = """
    INSERT INTO drafts (written_by, text, updated) VALUES (?, ?, ?)
    ON CONFLICT (written_by) DO UPDATE SET text = excluded.text, updated = excluded.updated"""

_FILES = """
    SELECT f.name, f.media_type, b.data FROM draft_files f JOIN blobs b ON b.hash = f.hash
    WHERE f.written_by = ? ORDER BY f.n"""


@dataclass(frozen=True, slots=True)
class Draft:
    """An unsent prompt."""

    text: str = ""
    attachments: tuple[Attachment, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.text.strip() or self.attachments)


def _row_id(instance: str, session_id: str) -> str:
    return f"{instance} {session_id}".rstrip()


def save(instance: str, session_id: str, draft: Draft, before: Draft) -> Operation:
    """Return an operation that replaces an instance's draft `before` for a session; "" is the unsaved session."""
    now, text, files = time.time(), clean(draft.text), draft.attachments
    same_files = files is before.attachments or files == before.attachments
    row_id = _row_id(instance, session_id)

    def save_draft(connection: sqlite3.Connection) -> None:
        if draft:
            connection.execute(_SAVE, (row_id, text, now))
        if not (draft and same_files):
            _replace_files(connection, row_id, files)
        if not draft:
            connection.execute("DELETE FROM drafts WHERE written_by = ?", (row_id,))

    return save_draft


def _replace_files(connection: sqlite3.Connection, row_id: str, files: tuple[Attachment, ...]) -> None:
    old = connection.execute("SELECT hash FROM draft_files WHERE written_by = ?", (row_id,)).fetchall()
    connection.execute("DELETE FROM draft_files WHERE written_by = ?", (row_id,))
    for n, file in enumerate(files):
        digest = sha256(file.data).digest()
        connection.execute("INSERT OR IGNORE INTO blobs (hash, data) VALUES (?, ?)", (digest, file.data))
        row = (row_id, n, digest, clean(file.name), clean(file.media_type))
        connection.execute("INSERT INTO draft_files VALUES (?, ?, ?, ?, ?)", row)
    delete_unused_blobs(connection, old)


def claim(
    connection: sqlite3.Connection, instance: str, session_id: str, is_other_running: IsOtherRunning
) -> Draft | None:
    """Return the newest draft of a session that no other running instance owns, and give it to `instance`.

    None if there is no such draft.
    """
    row_id = _row_id(instance, session_id)
    for (writer,) in connection.execute("SELECT written_by FROM drafts ORDER BY updated DESC").fetchall():
        owner, _, session = writer.partition(" ")
        if session == session_id and not is_other_running(owner):
            if writer != row_id:
                connection.execute("DELETE FROM drafts WHERE written_by = ?", (row_id,))
                connection.execute("UPDATE drafts SET written_by = ? WHERE written_by = ?", (row_id, writer))
            (text,) = connection.execute("SELECT text FROM drafts WHERE written_by = ?", (row_id,)).fetchone()
            return Draft(text, tuple(Attachment(*row) for row in connection.execute(_FILES, (row_id,))))
    return None
