"""The sessions in JSON files, read one after the other."""

import zipfile
import zlib
from collections.abc import Iterator
from io import BufferedIOBase
from typing import Any

from streamtui.core import coerce
from streamtui.core.sanitize import clean_line
from streamtui.importers import chatgpt
from streamtui.importers.import_report import Entry, EntryError, Kind, ParsedSession, Source, UnreadableEntry
from streamtui.importers.json_files import ExportFiles
from streamtui.importers.json_stream import JsonEntries, NotJsonError
from streamtui.importers.streamtui_json import is_session, session_from


def json_source(collection: ExportFiles, kind: Kind | None) -> Source:
    """Returns the sessions of `kind`, by default of what each entry looks like."""
    whole = sum(file.size for file in collection.files)
    reading = _Reading(collection, kind)
    return Source(reading.entries(), lambda: reading.position / whole if whole else None)


class _Reading:
    def __init__(self, collection: ExportFiles, kind: Kind | None) -> None:
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
            except NotJsonError:
                yield UnreadableEntry(f"{name} can't be imported: it is no JSON, no ZIP archive and no database.")
            except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
                yield UnreadableEntry(f"{name} is damaged, what follows in it can't be read: {clean_line(str(error))}.")
            before += file.size
            self.position = before

    def _entries(self, stream: BufferedIOBase, name: str) -> Iterator[Entry]:
        for number, value in enumerate(JsonEntries(stream), 1):
            try:
                yield self._entry(value)
            except (EntryError, RecursionError) as error:
                title = coerce.line(coerce.mapping(value).get("title"))
                which = f"{name}, entry {number}" + (f" (“{title}”)" if title else "")
                reason = "it is nested too deeply" if isinstance(error, RecursionError) else error
                yield UnreadableEntry(f"{which}: {reason}.")

    def _entry(self, value: Any) -> ParsedSession:
        if isinstance(value, EntryError):
            raise value
        if self._kind is Kind.STREAMTUI or (self._kind is None and is_session(value)):
            return session_from(value)
        if self._kind is Kind.CHATGPT or chatgpt.is_conversation(value):
            return chatgpt.conversation(value, self._assets)
        raise EntryError("it is not a streamtui session or a ChatGPT conversation")
