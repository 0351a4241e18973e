"""The chats in a database of another program, read one after the other."""

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
    """How the database of a program is read."""

    is_supported: Callable[[Database], bool]
    chats: Callable[[Database], list[dict[str, Any]]]
    session: Callable[[Database, dict[str, Any]], ParsedSession]


READERS = {
    Kind.LLM: _Reader(llm.is_supported, llm.chats, llm.session),
    Kind.ELIA: _Reader(elia.is_supported, elia.chats, elia.session),
    Kind.OTERM: _Reader(oterm.is_supported, oterm.chats, oterm.session),
}


def database_source(database: Database, kind: Kind | None) -> Source:
    """Returns the chats of the program `kind`, by default of the one whose tables these are. Raises TransferError."""
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
        raise TransferError(
            f"{name} is a database of streamtui itself: where it belongs, export its sessions as JSON; import that."
        )
    for known, reader in READERS.items():
        if kind in (None, known) and reader.is_supported(database):
            return reader
    what = f"no database of {kind}" if kind else "a database of none of the programs that can be imported from"
    raise TransferError(f"{name} is {what}.")


def _chat(reader: _Reader, database: Database, chat: dict[str, Any]) -> Entry:
    try:
        return reader.session(database, chat)
    except sqlite3.Error as error:
        return UnreadableEntry(
            f"Chat {coerce.line(str(chat['id']))}: the database can't be read there: {clean_line(str(error))}."
        )
