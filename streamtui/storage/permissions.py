"""Privacy: the saved sessions are for nobody else's eyes."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from streamtui import paths


def loose(path: Path) -> Iterator[tuple[Path, int]]:
    """Yields what other users of the computer may look into of the database `path`, and the mode it should have."""
    # SQLite gives the files beside the database the mode it has when they are made.
    private = {Path(f"{path}{end}"): 0o600 for end in ("", "-wal", "-shm", "-journal")}
    if path == Path(os.path.realpath(paths.database())):  # any other folder is not ours alone
        private[path.parent] = 0o700
    for file, mode in private.items():
        with suppress(OSError):  # it is not there, or went away while we looked
            if stat.S_IMODE(file.stat().st_mode) & 0o077:
                yield file, mode


def close(path: Path) -> None:
    """Closes the database `path` to others, where that may be done: restored from a backup it can be open."""
    for file, mode in loose(path):
        with suppress(OSError):
            file.chmod(mode)
