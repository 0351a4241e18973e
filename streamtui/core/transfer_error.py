"""TransferError: why a file can't be written or read."""

import errno
from pathlib import Path

from streamtui.core.sanitize import clean_line

_REASONS = {
    errno.ENOSPC: "the disk has no room for it",
    errno.EDQUOT: "the disk has no room for it",
    errno.EFBIG: "it would be larger than files may be",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "you may not; check the permissions of the file and of its folder",
    errno.EPERM: "you may not; check the permissions of the file and of its folder",
    errno.ENOENT: "there is no such file or folder",
    errno.ENOTDIR: "a part of its path is no folder",
    errno.EISDIR: "it is a folder",
    errno.ENAMETOOLONG: "its name is too long",
}


class TransferError(Exception):
    """Why an export or import failed, in one clean sentence that says what to do."""


class FileTakenError(TransferError):
    """There is a file of that name already, and nobody said that it may be written over."""

    def __init__(self, file: Path) -> None:
        super().__init__(f"{clean_line(str(file))} exists already; name another file.")


def refused(action: str, file: Path, error: OSError) -> TransferError:
    """Returns the error for a file that can't be `action` (written, read), by what the system says."""
    reason = _REASONS.get(error.errno or 0) or clean_line(error.strerror or str(error))
    return TransferError(f"{clean_line(str(file))} can't be {action}: {reason}.")
