"""The results of parsing an import file: sessions and unreadable entries."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from streamtui.core.session import Session


@dataclass(frozen=True, slots=True)
class ParsedSession:
    """A session in an import file."""

    session: Session
    lost: int = 0
    """The number of unreadable messages and attachments."""


@dataclass(frozen=True, slots=True)
class UnreadableEntry:
    """An entry of an import file that could not be parsed."""

    problem: str
    """The entry and what is wrong with it, as a sentence."""


Entry = ParsedSession | UnreadableEntry


class EntryError(ValueError):
    """An entry can't be parsed. The message is a clause that starts with "it"."""


class Kind(StrEnum):
    """The programs that sessions can be imported from."""

    STREAMTUI = "streamtui"
    CHATGPT = "chatgpt"
    ELIA = "elia"
    OTERM = "oterm"
    LLM = "llm"


class Source:
    """An iterator over the entries of an import file that holds one entry in memory at a time."""

    def __init__(self, entries: Iterator[Entry], progress: Callable[[], float | None]) -> None:
        self._entries = entries
        self._progress = progress

    def __iter__(self) -> Iterator[Entry]:
        return self._entries

    @property
    def progress(self) -> float | None:
        """The fraction read, 0 to 1; None if unknown."""
        return self._progress()
