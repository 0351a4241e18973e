"""Errors of exports and imports."""

import errno
from pathlib import Path

from streamtui.core.sanitize import clean_line

_REASONS = {
    errno.ENOSPC: "no space left on the disk",
    errno.EDQUOT: "no space left on the disk",
    errno.EFBIG: "the file would exceed the size limit",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.ENOENT: "no such file or directory",
    errno.ENOTDIR: "part of the path is not a directory",
    errno.EISDIR: "it is a directory",
    errno.ENAMETOOLONG: "the name is too long",
}


class TransferError(Exception):
    """An export or import failed; the message is one sentence for the user."""


class FileExistsTransferError(TransferError):
    """The target file exists and may not be overwritten."""

    def __init__(self, file: Path) -> None:
        super().__init__(f"{clean_line(str(file))} already exists.")


def file_error(action: str, file: Path, error: OSError) -> TransferError:
    """Return the error for a failed `action` ("read", "write", …) on `file`."""
    reason = _REASONS.get(error.errno or 0) or clean_line(error.strerror or str(error))
    return TransferError(f"Can't {action} {clean_line(str(file))}: {reason}.")
