"""Recognises what a file holds."""

import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from io import BufferedIOBase
from pathlib import Path

from streamtui.core.sanitize import clean_line
from streamtui.core.transfer_error import TransferError, refused
from streamtui.importers.assets import Assets
from streamtui.importers.database_sessions import READERS, chats_in
from streamtui.importers.foreign_database import MAGIC, opened
from streamtui.importers.import_report import Kind, Source
from streamtui.importers.json_files import Collection, JsonFile, alone, in_archive, in_folder
from streamtui.importers.json_sessions import sessions_in


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
        return sessions_in(in_folder(path), kind)
    if not path.is_file():
        return stream_source(stack.enter_context(path.open("rb")), kind)  # a pipe, as of <(…); or nothing at all
    with path.open("rb") as file:
        magic = file.read(len(MAGIC))
    if magic == MAGIC:
        return chats_in(stack.enter_context(opened(path)), kind)
    if kind in READERS:
        raise TransferError(f"{clean_line(str(path))} is no SQLite database.")
    if magic.startswith(b"PK"):
        return sessions_in(in_archive(stack.enter_context(zipfile.ZipFile(path)), path.name), kind)
    return sessions_in(alone(path), kind)


def stream_source(stream: BufferedIOBase, kind: Kind | None = None) -> Source:
    """Returns the sessions in a stream of JSON."""
    return sessions_in(Collection([JsonFile("the input", 0, lambda: nullcontext(stream))], Assets()), kind)
