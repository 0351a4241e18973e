"""The JSON files of an export, wherever they lie: single_file, in a folder, in an archive."""

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
"""Times that a file in an archive may be larger than it looks: text reaches 20, what is made to fill a disk 1,000."""
ALWAYS_ALLOWED = 64 << 20
"""Bytes up to which that does not matter."""


@dataclass(frozen=True, slots=True)
class JsonFile:
    """A file to read, not opened yet."""

    name: str
    size: int
    """In bytes; 0 where it is not known."""
    open: Callable[[], AbstractContextManager[BufferedIOBase]]
    """Opens it. Raises OSError, and whatever a damaged archive raises."""


@dataclass(frozen=True, slots=True)
class ExportFiles:
    """What there is to read."""

    files: list[JsonFile]
    assets: Assets


def single_file(path: Path) -> ExportFiles:
    """Returns one file, with what lies beside it if it is ChatGPT's. Raises OSError."""
    return ExportFiles([_file(path)], _beside([path]))


def _file(path: Path) -> JsonFile:
    return JsonFile(path.name, path.stat().st_size, lambda: path.open("rb"))


def from_directory(folder: Path) -> ExportFiles:
    """Returns the exports in `folder`: ChatGPT's unpacked, else every JSON file. Raises TransferError and OSError."""
    there = [path for path in sorted(folder.iterdir()) if _is_file(path)]
    conversations = [path for path in there if _CONVERSATIONS.fullmatch(path.name)]
    chosen = conversations or [path for path in there if _ANY.fullmatch(path.name)]
    if not chosen:
        raise TransferError(f"{clean_line(str(folder))} holds no export: no conversations.json and no other JSON file.")
    files = [_file(path) for path in chosen]
    return ExportFiles(files, _beside(chosen))


def _beside(files: list[Path]) -> Assets:
    """The pictures of an export that was unpacked are in its folder and in those below."""
    if not _CONVERSATIONS.fullmatch(files[0].name):
        return Assets()
    return Assets({path.name: partial(_read_small, path) for path in files[0].parent.rglob("file*") if _is_file(path)})


def _is_file(path: Path) -> bool:
    """A link may lead anywhere, so it is no part of an export."""
    return stat.S_ISREG(path.lstat().st_mode)


def from_archive(archive: zipfile.ZipFile, name: str) -> ExportFiles:
    """Returns the conversations in a ZIP archive. Nothing is unpacked onto the disk. Raises TransferError."""
    members = [member for member in archive.infolist() if not member.is_dir()]
    chosen = [member for member in members if _CONVERSATIONS.fullmatch(_base(member))]
    if not chosen:
        raise TransferError(f"{clean_line(name)} is no export: there is no conversations.json in it.")
    for member in chosen:
        if member.flag_bits & 1:
            raise TransferError(f"{clean_line(name)} is locked with a password; unpack it and import the folder.")
        _check_compression(member, name)
    chosen.sort(key=_base)
    files = [JsonFile(_base(member), member.file_size, partial(_open_member, archive, member)) for member in chosen]
    return ExportFiles(files, Assets({_base(member): partial(_read_member, archive, member) for member in members}))


def _open_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> BufferedIOBase:
    return cast(BufferedIOBase, archive.open(member))  # for writing it would be another


def _base(member: zipfile.ZipInfo) -> str:
    return member.filename.rpartition("/")[2]


def _is_suspicious(member: zipfile.ZipInfo) -> bool:
    return member.file_size > ALWAYS_ALLOWED and member.file_size > MAX_RATIO * max(1, member.compress_size)


def _check_compression(member: zipfile.ZipInfo, name: str) -> None:
    if _is_suspicious(member):
        size = f"{member.file_size / 1e9:.1f} GB"
        raise TransferError(
            f"{clean_line(name)} is made to fill memory: {clean_line(_base(member))} would swell to {size}. "
            "If you trust it, unpack it and import the folder."
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
