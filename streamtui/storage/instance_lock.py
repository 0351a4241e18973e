"""Locks that tell which running instances use a database. Each ends with its process, however that ends."""

import os
from contextlib import suppress
from pathlib import Path

from streamtui.core.message import new_id

# Process IDs would not do: they are reused after a reboot.


class InstanceLock:
    """The lock of this instance, held as long as it uses the database."""

    def __init__(self, database: Path) -> None:
        self.id = new_id()
        self._folder = database.with_name(database.name + "-windows")  # the name that released versions use
        self._file: int | None = None

    def open(self) -> None:
        """Acquire the lock, which shows other instances that this one is running. Raise OSError without file locks."""
        while self._file is None:
            # Another instance may probe the file, or remove the folder, before it is locked.
            with suppress(BlockingIOError, FileNotFoundError):
                self._file = self._create()
                for stale in os.listdir(self._folder):
                    self.is_other_running(stale)

    def _create(self) -> int | None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        file = os.open(self._folder / self.id, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            _lock(file)
            if os.path.samestat(os.stat(self._folder / self.id), os.fstat(file)):
                return file
        except BaseException:
            os.close(file)
            raise
        os.close(file)
        return None

    def close(self) -> None:
        """Release the lock and remove its file."""
        if self._file is not None:
            with suppress(OSError):  # the folder may be read-only by now; the lock is released anyway
                (self._folder / self.id).unlink()
                self._folder.rmdir()
            os.close(self._file)
            self._file = None

    def is_other_running(self, id: str | None) -> bool:
        """Return whether `id` is another running instance, false if unknown. Remove the file of one that ended."""
        if id is None or id == self.id or not id.isalnum():
            return False
        path = self._folder / id
        try:
            file = os.open(path, os.O_RDWR)
        except OSError:
            return False
        try:
            _lock(file)
            path.unlink()
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            os.close(file)
        return False


def _lock(file: int) -> None:
    """Lock a file. Raise BlockingIOError if another process holds the lock, OSError without file locks."""
    try:
        import fcntl
    except ImportError as error:  # Windows
        raise OSError("no locks") from error
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
