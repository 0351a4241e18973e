"""Detect the format of a file and open it as a source of sessions."""

import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from io import BufferedIOBase
from pathlib import Path

from streamtui.core.sanitize import clean_line
from streamtui.core.transfer_error import TransferError, file_error
from streamtui.importers.assets import Assets
from streamtui.importers.database_sessions import READERS, database_source
from streamtui.importers.foreign_database import MAGIC, open_database
from streamtui.importers.import_report import Kind, Source
from streamtui.importers.json_files import ExportFiles, JsonFile, from_archive, from_directory, single_file
from streamtui.importers.json_sessions import json_source


@contextmanager
def open_source(path: Path, kind: Kind | None = None) -> Iterator[Source]:
    """Open a file or directory as `kind`, by default detected. Raises TransferError."""
    with ExitStack() as stack:
        try:
            source = _open(path, kind, stack)
        except OSError as error:
            raise file_error("read", path, error) from error
        except zipfile.BadZipFile as error:
            raise TransferError(
                f"{clean_line(str(path))} is a damaged ZIP archive: {clean_line(str(error))}."
            ) from error
        yield source


def _open(path: Path, kind: Kind | None, stack: ExitStack) -> Source:
    if path.is_dir():
        return json_source(from_directory(path), kind)
    if not path.is_file():
        return stream_source(stack.enter_context(path.open("rb")), kind)  # a pipe such as <(…), or a missing file
    with path.open("rb") as file:
        magic = file.read(len(MAGIC))
    if magic == MAGIC:
        return database_source(stack.enter_context(open_database(path)), kind)
    if kind in READERS:
        raise TransferError(f"{clean_line(str(path))} is not a SQLite database.")
    if magic.startswith(b"PK"):
        return json_source(from_archive(stack.enter_context(zipfile.ZipFile(path)), path.name), kind)
    return json_source(single_file(path), kind)


def stream_source(stream: BufferedIOBase, kind: Kind | None = None) -> Source:
    """Return the sessions in a JSON stream."""
    return json_source(ExportFiles([JsonFile("standard input", 0, lambda: nullcontext(stream))], Assets()), kind)
