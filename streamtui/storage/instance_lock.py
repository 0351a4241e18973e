"""Windows: which running programs use a database. Each holds a lock that ends with it, however it ends."""

import os
from contextlib import suppress
from pathlib import Path

from streamtui.core.message import new_id

# A process's number would not do: after a restart of the machine another process has it.


class InstanceLock:
    """This program, for as long as it uses the database."""

    def __init__(self, database: Path) -> None:
        self.id = new_id()
        self._folder = database.with_name(database.name + "-windows")
        self._file: int | None = None

    def open(self) -> None:
        """Lets other programs see that this one runs. Raises OSError where there are no locks."""
        while self._file is None:
            # Another window may look at the file, or take away the folder, before the lock is there.
            with suppress(BlockingIOError, FileNotFoundError):
                self._file = self._locked()
                for left_behind in os.listdir(self._folder):
                    self.is_another(left_behind)

    def _locked(self) -> int | None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        file = os.open(self._folder / self.id, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            _lock(file)
            named = os.stat(self._folder / self.id)
            if os.path.samestat(named, os.fstat(file)):
                return file
        except BaseException:
            os.close(file)
            raise
        os.close(file)
        return None

    def close(self) -> None:
        """Lets other programs see that this one has ended."""
        if self._file is not None:
            with suppress(OSError):  # a folder that can't be written any more: the lock ends all the same
                (self._folder / self.id).unlink()
                self._folder.rmdir()
            os.close(self._file)
            self._file = None

    def is_another(self, id: str | None) -> bool:
        """Whether `id` is another window that runs. False where nobody can say. Clears up behind one that ended."""
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
    """Raises BlockingIOError where another program has the lock, OSError where there are none."""
    try:
        import fcntl
    except ImportError as error:  # Windows
        raise OSError("no locks") from error
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
