"""Client tokens, stored as one file per token that contains its hash."""

import hashlib
import hmac
import os
import re
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PREFIX = "st-"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MTIME_RESOLUTION = 2.0
"""Seconds within which two changes of a directory can have the same modification time."""


class TokenError(Exception):
    """A token that can't be created or revoked; the text says why."""


@dataclass(frozen=True, slots=True)
class ClientToken:
    """A stored token. Only its hash is known."""

    name: str
    digest: bytes
    created: float
    """Seconds since the epoch."""


class ClientTokens:
    """The tokens in a directory, which several processes can read and change at the same time."""

    def __init__(self, directory: Path, *, required: bool = True) -> None:
        """`directory` need not exist; `required`: whether requests need a token even if there are none."""
        self._directory = directory
        self._required = required
        self._cached: list[ClientToken] = []
        self._cached_mtime: float | None = None
        """Modification time of the directory when it was read; None: read it again."""

    def add(self, name: str) -> str:
        """Create a token for `name` and return it. Only its hash is stored.

        An unsalted SHA-256 suffices for 256 random bits: nobody can guess them, and a slow hash would only slow down
        requests.

        Raises TokenError for a name that is invalid or taken, and OSError if the token can't be stored.
        """
        if not _NAME.fullmatch(name):
            raise TokenError(
                f"Invalid token name {name!r}. Use up to 64 letters, digits, dots, dashes and underscores, "
                "starting with a letter or digit."
            )
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        token = PREFIX + secrets.token_urlsafe(32)
        temporary = self._directory / f".{secrets.token_hex(8)}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(_digest(token).hex() + "\n")
            # Unlike a rename, a link fails if the name is taken; and the file is complete once it is visible.
            os.link(temporary, self._directory / name)
        except FileExistsError:
            raise TokenError(f'Token "{name}" already exists. Revoke it first, or use another name.') from None
        finally:
            temporary.unlink()
        return token

    def revoke(self, name: str) -> None:
        """Revoke the token of `name`, also for running relays. Raises TokenError if it doesn't exist."""
        if name not in {token.name for token in self.all()}:
            raise TokenError(f'Token "{name}" not found. To list all tokens: streamtui serve token list')
        with suppress(FileNotFoundError):  # revoked by another process
            (self._directory / name).unlink()

    def all(self) -> list[ClientToken]:
        """Return all tokens, sorted by name. Raises OSError if the directory can't be read."""
        tokens = []
        with suppress(FileNotFoundError):
            for path in sorted(self._directory.iterdir()):
                if _NAME.fullmatch(path.name):
                    tokens.append(_read(path))
        return [token for token in tokens if token is not None]

    def are_required(self) -> bool:
        """Return whether requests need a token. Stays true after the last token is revoked.

        Raises OSError if the directory can't be read.
        """
        if not self._required:
            self._refresh()
            self._required = bool(self._cached)
        return self._required

    def owner(self, token: str) -> str | None:
        """Return the name of `token`; None if it is unknown or revoked."""
        self._refresh()
        digest = _digest(token)
        owner = None
        # No early exit and constant-time comparisons, so that the timing reveals nothing.
        for known in self._cached:
            if hmac.compare_digest(known.digest, digest):
                owner = known.name
        return owner

    def _refresh(self) -> None:
        try:
            mtime = self._directory.stat().st_mtime
        except FileNotFoundError:
            self._cached, self._cached_mtime = [], None
            return
        if mtime != self._cached_mtime:
            self._cached = self.all()
            self._cached_mtime = mtime if abs(time.time() - mtime) > _MTIME_RESOLUTION else None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _read(path: Path) -> ClientToken | None:
    """Return the token in a file; None if the file was just deleted or contains no hash."""
    try:
        return ClientToken(path.name, bytes.fromhex(path.read_text("ascii")), path.stat().st_mtime)
    except (FileNotFoundError, ValueError):
        return None
