"""A keyring in a plain file, named by an environment variable: what the desktop's keyring is to users, to tests."""

import json
import os
import time
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError


class Keyring(KeyringBackend):
    """Keeps what it is given; waits for ever where the file holds a dialogue nobody answers."""

    priority = 1

    @property
    def _file(self) -> Path:
        return Path(os.environ["FILE_KEYRING"])

    def _read(self) -> dict[str, str]:
        if not self._file.exists():
            return {}
        text = self._file.read_text(encoding="utf-8")
        while text == "locked":
            time.sleep(3600)
        kept: dict[str, str] = json.loads(text)
        return kept

    def get_password(self, service: str, username: str) -> str | None:
        """The key, or None."""
        return self._read().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keeps it."""
        self._file.write_text(json.dumps({**self._read(), f"{service}/{username}": password}), encoding="utf-8")

    def delete_password(self, service: str, username: str) -> None:
        """Forgets it."""
        kept = self._read()
        if f"{service}/{username}" not in kept:
            raise PasswordDeleteError("there is no such key")
        del kept[f"{service}/{username}"]
        self._file.write_text(json.dumps(kept), encoding="utf-8")
