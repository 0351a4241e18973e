"""What an import finds in a file, one after the other: sessions, and what could not be read."""

from dataclasses import dataclass

from streamtui.session import Session


@dataclass(frozen=True, slots=True)
class Found:
    """A session in a file."""

    session: Session
    lost: int = 0
    """How many of its messages and attachments could not be read."""


@dataclass(frozen=True, slots=True)
class Broken:
    """An entry that could not be read at all."""

    sentence: str
    """Which entry it is and what is wrong with it."""


Entry = Found | Broken


class Unreadable(ValueError):
    """Why an entry can't be read, in a clause that begins with "it"."""
