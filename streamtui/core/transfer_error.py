"""TransferError: why a file can't be written or read."""

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
    """Why an export or import failed, in one clean sentence that says what to do."""


class FileExistsTransferError(TransferError):
    """There is a file of that name already, and nobody said that it may be written over."""

    def __init__(self, file: Path) -> None:
        super().__init__(f"{clean_line(str(file))} exists already; name another file.")


def file_error(action: str, file: Path, error: OSError) -> TransferError:
    """Returns the error for a file that can't be `action` (written, read), by what the system says."""
    reason = _REASONS.get(error.errno or 0) or clean_line(error.strerror or str(error))
    return TransferError(f"{clean_line(str(file))} can't be {action}: {reason}.")
