"""Find the JSON files of an export: a single file, a directory or a ZIP archive."""

import re
import stat
import zipfile
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from io import BufferedIOBase
from pathlib import Path
from typing import cast

from streamtui.core.sanitize import clean_line
from streamtui.core.transfer_error import TransferError
from streamtui.importers.assets import MAX_ASSET_SIZE, Assets

_CONVERSATIONS = re.compile(r"conversations(?:[-_ ]?\(?\d+\)?)?\.json", re.IGNORECASE)
_ANY = re.compile(r".*\.(json|jsonl|ndjson)", re.IGNORECASE)
MAX_RATIO = 300
"""Maximum compression ratio of a file in an archive: text reaches 20, ZIP bombs 1,000."""
ALWAYS_ALLOWED = 64 << 20
"""Size in bytes up to which any compression ratio is accepted."""


@dataclass(frozen=True, slots=True)
class JsonFile:
    """A JSON file to read."""

    name: str
    size: int
    """In bytes; 0 if unknown."""
    open: Callable[[], AbstractContextManager[BufferedIOBase]]
    """Opens the file. Raises OSError and the errors of `zipfile`."""


@dataclass(frozen=True, slots=True)
class ExportFiles:
    """The files of an export."""

    files: list[JsonFile]
    assets: Assets


def single_file(path: Path) -> ExportFiles:
    """Return one file, with the attachments next to it if it belongs to a ChatGPT export. Raises OSError."""
    return ExportFiles([_file(path)], _beside([path]))


def _file(path: Path) -> JsonFile:
    return JsonFile(path.name, path.stat().st_size, lambda: path.open("rb"))


def from_directory(folder: Path) -> ExportFiles:
    """Return the JSON files in `folder`, or only those of ChatGPT. Raises TransferError and OSError."""
    there = [path for path in sorted(folder.iterdir()) if _is_file(path)]
    conversations = [path for path in there if _CONVERSATIONS.fullmatch(path.name)]
    chosen = conversations or [path for path in there if _ANY.fullmatch(path.name)]
    if not chosen:
        raise TransferError(f"{clean_line(str(folder))} has no JSON files to import.")
    files = [_file(path) for path in chosen]
    return ExportFiles(files, _beside(chosen))


def _beside(files: list[Path]) -> Assets:
    """Return the attachments of an unpacked ChatGPT export, which may be in subdirectories."""
    if not _CONVERSATIONS.fullmatch(files[0].name):
        return Assets()
    return Assets({path.name: partial(_read_small, path) for path in files[0].parent.rglob("file*") if _is_file(path)})


def _is_file(path: Path) -> bool:
    """Return whether `path` is a regular file. Links are skipped, as they may lead anywhere."""
    return stat.S_ISREG(path.lstat().st_mode)


def from_archive(archive: zipfile.ZipFile, name: str) -> ExportFiles:
    """Return the conversations in a ZIP archive without unpacking it to disk. Raises TransferError."""
    members = [member for member in archive.infolist() if not member.is_dir()]
    chosen = [member for member in members if _CONVERSATIONS.fullmatch(_base(member))]
    if not chosen:
        raise TransferError(f"{clean_line(name)} has no conversations.json.")
    for member in chosen:
        if member.flag_bits & 1:
            raise TransferError(f"{clean_line(name)} is password-protected. Unpack it and import the directory.")
        _check_compression(member, name)
    chosen.sort(key=_base)
    files = [JsonFile(_base(member), member.file_size, partial(_open_member, archive, member)) for member in chosen]
    return ExportFiles(files, Assets({_base(member): partial(_read_member, archive, member) for member in members}))


def _open_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> BufferedIOBase:
    return cast(BufferedIOBase, archive.open(member))  # typed for writing too


def _base(member: zipfile.ZipInfo) -> str:
    return member.filename.rpartition("/")[2]


def _is_suspicious(member: zipfile.ZipInfo) -> bool:
    return member.file_size > ALWAYS_ALLOWED and member.file_size > MAX_RATIO * max(1, member.compress_size)


def _check_compression(member: zipfile.ZipInfo, name: str) -> None:
    if _is_suspicious(member):
        size = f"{member.file_size / 1e9:.1f} GB"
        raise TransferError(
            f"{clean_line(name)} looks like a ZIP bomb: {clean_line(_base(member))} unpacks to {size}. "
            "If you trust it, unpack it and import the directory."
        )


def _read_small(path: Path) -> bytes:
    if path.stat().st_size > MAX_ASSET_SIZE:
        raise ValueError("too large")
    return path.read_bytes()


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    if member.file_size > MAX_ASSET_SIZE or _is_suspicious(member):
        raise ValueError("too large")
    try:
        return archive.read(member)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise ValueError(str(error)) from error
