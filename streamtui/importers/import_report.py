"""What an import finds in a file, one after the other: sessions, and what could not be read."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from streamtui.core.session import Session


@dataclass(frozen=True, slots=True)
class ParsedSession:
    """A session in a file."""

    session: Session
    lost: int = 0
    """How many of its messages and attachments could not be read."""


@dataclass(frozen=True, slots=True)
class UnreadableEntry:
    """An entry that could not be read at all."""

    problem: str
    """Which entry it is and what is wrong with it, in a sentence."""


Entry = ParsedSession | UnreadableEntry


class EntryError(ValueError):
    """Why an entry can't be read, in a clause that begins with "it"."""


class Kind(StrEnum):
    """Where sessions can come from."""

    STREAMTUI = "streamtui"
    CHATGPT = "chatgpt"
    ELIA = "elia"
    OTERM = "oterm"
    LLM = "llm"


class Source:
    """Sessions to be read; iterating yields them and what is broken, with no more in memory than one."""

    def __init__(self, entries: Iterator[Entry], progress: Callable[[], float | None]) -> None:
        self._entries = entries
        self._progress = progress

    def __iter__(self) -> Iterator[Entry]:
        return self._entries

    @property
    def progress(self) -> float | None:
        """How much has been read, from 0 to 1; None where nobody knows."""
        return self._progress()
