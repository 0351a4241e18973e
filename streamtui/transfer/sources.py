"""Recognises what a file holds, and reads its sessions one after the other."""

import sqlite3
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from enum import StrEnum
from io import BufferedIOBase
from pathlib import Path
from typing import Any, NamedTuple

from streamtui.sanitize import clean_line
from streamtui.transfer import chatgpt, elia, llm, oterm, values
from streamtui.transfer.assets import Assets
from streamtui.transfer.database import MAGIC, Database, opened
from streamtui.transfer.entries import Broken, Entry, Found, Unreadable
from streamtui.transfer.errors import TransferError, refused
from streamtui.transfer.from_json import is_session, session_from
from streamtui.transfer.json_files import Collection, JsonFile, alone, in_archive, in_folder
from streamtui.transfer.json_stream import JsonEntries, NoJsonError

OWN_DATABASE = 0x73747569
"""What streamtui's own databases have in their header."""


class Kind(StrEnum):
    """Where sessions can come from."""

    STREAMTUI = "streamtui"
    CHATGPT = "chatgpt"
    ELIA = "elia"
    OTERM = "oterm"
    LLM = "llm"


class Source:
    """Sessions to be read; iterating yields them and what is broken, with no more in memory than one."""

    def __init__(self, entries: Iterator[Entry], progress: Callable[[], float | None]) -> None:
        self._entries = entries
        self._progress = progress

    def __iter__(self) -> Iterator[Entry]:
        return self._entries

    @property
    def progress(self) -> float | None:
        """How much has been read, from 0 to 1; None where nobody knows."""
        return self._progress()


@contextmanager
def open_source(path: Path, kind: Kind | None = None) -> Iterator[Source]:
    """Opens a file or folder with sessions of `kind`, by default of the kind it looks like. Raises TransferError."""
    with ExitStack() as stack:
        try:
            source = _open(path, kind, stack)
        except OSError as error:
            raise refused("read", path, error) from error
        except zipfile.BadZipFile as error:
            raise TransferError(f"{clean_line(str(path))} is damaged: {clean_line(str(error))}.") from error
        yield source


def _open(path: Path, kind: Kind | None, stack: ExitStack) -> Source:
    if path.is_dir():
        return _json_source(in_folder(path), kind)
    if not path.is_file():
        return stream_source(stack.enter_context(path.open("rb")), kind)  # a pipe, as of <(…); or nothing at all
    with path.open("rb") as file:
        magic = file.read(len(MAGIC))
    if magic == MAGIC:
        return _database_source(stack.enter_context(opened(path)), kind)
    if kind in _DATABASES:
        raise TransferError(f"{clean_line(str(path))} is no SQLite database.")
    if magic.startswith(b"PK"):
        return _json_source(in_archive(stack.enter_context(zipfile.ZipFile(path)), path.name), kind)
    return _json_source(alone(path), kind)


def stream_source(stream: BufferedIOBase, kind: Kind | None = None) -> Source:
    """Returns the sessions in a stream of JSON."""
    return _json_source(Collection([JsonFile("the input", 0, lambda: nullcontext(stream))], Assets()), kind)


# Databases


class _Reader(NamedTuple):
    """How the database of a program is read."""

    is_this: Callable[[Database], bool]
    chats: Callable[[Database], list[dict[str, Any]]]
    session: Callable[[Database, dict[str, Any]], Found]


_DATABASES = {
    Kind.LLM: _Reader(llm.is_this, llm.chats, llm.session),
    Kind.ELIA: _Reader(elia.is_this, elia.chats, elia.session),
    Kind.OTERM: _Reader(oterm.is_this, oterm.chats, oterm.session),
}


def _database_source(database: Database, kind: Kind | None) -> Source:
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
    if database.application == OWN_DATABASE:
        raise TransferError(
            f"{name} is a database of streamtui itself: where it belongs, export its sessions as JSON; import that."
        )
    for known, reader in _DATABASES.items():
        if kind in (None, known) and reader.is_this(database):
            return reader
    what = f"no database of {kind}" if kind else "a database of none of the programs that can be imported from"
    raise TransferError(f"{name} is {what}.")


def _chat(reader: _Reader, database: Database, chat: dict[str, Any]) -> Entry:
    try:
        return reader.session(database, chat)
    except sqlite3.Error as error:
        return Broken(
            f"Chat {values.line(str(chat['id']))}: the database can't be read there: {clean_line(str(error))}."
        )


# JSON


def _json_source(collection: Collection, kind: Kind | None) -> Source:
    whole = sum(file.size for file in collection.files)
    reading = _Reading(collection, kind)
    return Source(reading.entries(), lambda: reading.position / whole if whole else None)


class _Reading:
    def __init__(self, collection: Collection, kind: Kind | None) -> None:
        self._files, self._assets = collection.files, collection.assets
        self._kind = kind
        self.position = 0
        """Bytes read."""

    def entries(self) -> Iterator[Entry]:
        before = 0
        for file in self._files:
            name = clean_line(file.name)
            try:
                with file.open() as stream:
                    for entry in self._entries(stream, name):
                        self.position = before + (stream.tell() if file.size else 0)
                        yield entry
            except NoJsonError:
                yield Broken(f"{name} can't be imported: it is no JSON, no ZIP archive and no database.")
            except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
                yield Broken(f"{name} is damaged, what follows in it can't be read: {clean_line(str(error))}.")
            before += file.size
            self.position = before

    def _entries(self, stream: BufferedIOBase, name: str) -> Iterator[Entry]:
        for number, value in enumerate(JsonEntries(stream), 1):
            try:
                yield self._entry(value)
            except (Unreadable, RecursionError) as error:
                title = values.line(values.mapping(value).get("title"))
                which = f"{name}, entry {number}" + (f" (“{title}”)" if title else "")
                reason = "it is nested too deeply" if isinstance(error, RecursionError) else error
                yield Broken(f"{which}: {reason}.")

    def _entry(self, value: Any) -> Found:
        if isinstance(value, Unreadable):
            raise value
        if self._kind is Kind.STREAMTUI or (self._kind is None and is_session(value)):
            return session_from(value)
        if self._kind is Kind.CHATGPT or chatgpt.is_conversation(value):
            return chatgpt.conversation(value, self._assets)
        raise Unreadable("it is neither a session of streamtui nor a conversation of ChatGPT")
