"""File permissions that keep saved sessions private."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from streamtui import paths


def exposed_files(path: Path) -> Iterator[tuple[Path, int]]:
    """Yield the files and folders of the database `path` that other users can access, and the mode each should have."""
    # SQLite creates the files next to the database with the database's own mode.
    private = {Path(f"{path}{end}"): 0o600 for end in ("", "-wal", "-shm", "-journal")}
    if path == Path(os.path.realpath(paths.database())):  # any other folder may hold other things
        private[path.parent] = 0o700
    for file, mode in private.items():
        with suppress(OSError):  # missing, or removed in the meantime
            if stat.S_IMODE(file.stat().st_mode) & 0o077:
                yield file, mode


def restrict(path: Path) -> None:
    """Make the database `path` private where possible; one restored from a backup may be readable by others."""
    for file, mode in exposed_files(path):
        with suppress(OSError):
            file.chmod(mode)
