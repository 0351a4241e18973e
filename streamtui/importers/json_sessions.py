"""Read sessions from JSON files."""

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
    """Return the sessions as `kind`, by default detected for each entry."""
    whole = sum(file.size for file in collection.files)
    reader = _JsonReader(collection, kind)
    return Source(reader.entries(), lambda: reader.position / whole if whole else None)


class _JsonReader:
    def __init__(self, collection: ExportFiles, kind: Kind | None) -> None:
        self._files, self._assets = collection.files, collection.assets
        self._kind = kind
        self.position = 0
        """Number of bytes read."""

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
                yield UnreadableEntry(f"Can't import {name}: not a JSON file, ZIP archive or SQLite database.")
            except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
                yield UnreadableEntry(f"{name} is damaged; the rest of it was skipped: {clean_line(str(error))}.")
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
