"""Read sessions from the databases of Elia, oterm and LLM."""

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from streamtui.core import coerce
from streamtui.core.sanitize import clean_line
from streamtui.core.transfer_error import TransferError
from streamtui.importers import elia, llm, oterm
from streamtui.importers.foreign_database import Database
from streamtui.importers.import_report import Entry, Kind, ParsedSession, Source, UnreadableEntry
from streamtui.storage.schema import APPLICATION_ID


class _Reader(NamedTuple):
    """The functions that read the database of a program."""

    is_supported: Callable[[Database], bool]
    chats: Callable[[Database], list[dict[str, Any]]]
    session: Callable[[Database, dict[str, Any]], ParsedSession]


READERS = {
    Kind.LLM: _Reader(llm.is_supported, llm.chats, llm.session),
    Kind.ELIA: _Reader(elia.is_supported, elia.chats, elia.session),
    Kind.OTERM: _Reader(oterm.is_supported, oterm.chats, oterm.session),
}


def database_source(database: Database, kind: Kind | None) -> Source:
    """Return the sessions of the program `kind`, by default detected by its tables. Raises TransferError."""
    reader = _reader_of(database, kind)
    chats, done = reader.chats(database), 0

    def entries() -> Iterator[Entry]:
        nonlocal done
        for chat in chats:
            yield _chat(reader, database, chat)
            done += 1

    return Source(entries(), lambda: done / max(1, len(chats)))


def _reader_of(database: Database, kind: Kind | None) -> _Reader:
    name = clean_line(str(database.path))
    if database.application == APPLICATION_ID:
        raise TransferError(f"{name} is a streamtui database. Export its sessions as JSON and import that file.")
    for known, reader in READERS.items():
        if kind in (None, known) and reader.is_supported(database):
            return reader
    programs = kind or ", ".join(READERS)
    raise TransferError(f"{name} is not a database of {programs}.")


def _chat(reader: _Reader, database: Database, chat: dict[str, Any]) -> Entry:
    try:
        return reader.session(database, chat)
    except sqlite3.Error as error:
        return UnreadableEntry(
            f"Chat {coerce.line(str(chat['id']))}: can't read the database: {clean_line(str(error))}."
        )
