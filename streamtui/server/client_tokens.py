"""ClientTokens: who may use the relay: a folder with one small file a token, which holds its hash."""

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
_RACY = 2.0
"""Seconds in which a folder can change again without its time of change doing so."""


class TokenError(Exception):
    """A token that can't be made or taken back; the text says why."""


@dataclass(frozen=True, slots=True)
class ClientToken:
    """A token that was handed out; itself it is not known any more."""

    name: str
    digest: bytes
    created: float
    """Seconds since the epoch."""


class ClientTokens:
    """The tokens in `folder`, which need not exist. Several processes may read and change them at once."""

    def __init__(self, folder: Path, *, required: bool = True) -> None:
        """`required`: whether requests need a token even while there are none."""
        self._folder = folder
        self._required = required
        self._known: list[ClientToken] = []
        self._stamp: float | None = None
        """When the folder had changed last, as it was read; None: it has to be read again."""

    def add(self, name: str) -> str:
        """Makes a token for `name` and returns it; only its hash is kept.

        A plain SHA-256 will do: a token is 256 random bits, so there is nothing to guess, and nothing that a slow
        hash would slow down but every request.

        Raises TokenError for a name that is taken or can't be a file's, OSError if it can't be written.
        """
        if not _NAME.fullmatch(name):
            raise TokenError(f"{name!r} can't name a token: use letters, digits, dots, dashes, 64 at most.")
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        token = PREFIX + secrets.token_urlsafe(32)
        draft = self._folder / f".{secrets.token_hex(8)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(_digest(token).hex() + "\n")
            # A link fails where the name is taken, and what it shows is complete.
            os.link(draft, self._folder / name)
        except FileExistsError:
            raise TokenError(f"There is a token {name} already: revoke it first, or use another name.") from None
        finally:
            draft.unlink()
        return token

    def revoke(self, name: str) -> None:
        """Takes the token of `name` back, at once and for relays that run too. Raises TokenError if there is none."""
        if name not in {token.name for token in self.all()}:
            raise TokenError(f"There is no token {name}: streamtui serve token list names them.")
        with suppress(FileNotFoundError):  # another process was first
            (self._folder / name).unlink()

    def all(self) -> list[ClientToken]:
        """Returns the tokens by name. Raises OSError if they are there and can't be read."""
        found = []
        with suppress(FileNotFoundError):
            for path in sorted(self._folder.iterdir()):
                if _NAME.fullmatch(path.name):
                    found.append(_read(path))
        return [token for token in found if token is not None]

    def are_required(self) -> bool:
        """Return whether requests need a token. Once there was one they do, also after it is revoked.

        Raises OSError if that can't be read.
        """
        if not self._required:
            self._refresh()
            self._required = bool(self._known)
        return self._required

    def owner(self, token: str) -> str | None:
        """Returns the name of `token`; None for one that was not handed out, or was taken back."""
        self._refresh()
        digest = _digest(token)
        owner = None
        # Every one is compared, and each in constant time: how long it takes says nothing about any of them.
        for known in self._known:
            if hmac.compare_digest(known.digest, digest):
                owner = known.name
        return owner

    def _refresh(self) -> None:
        try:
            stamp = self._folder.stat().st_mtime
        except FileNotFoundError:
            self._known, self._stamp = [], None
            return
        if stamp != self._stamp:
            self._known = self.all()
            self._stamp = stamp if abs(time.time() - stamp) > _RACY else None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _read(path: Path) -> ClientToken | None:
    try:
        return ClientToken(path.name, bytes.fromhex(path.read_text("ascii")), path.stat().st_mtime)
    except FileNotFoundError:  # revoked while we looked
        return None
    except ValueError:  # not one of ours
        return None
