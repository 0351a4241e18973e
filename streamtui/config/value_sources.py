"""Where each value of the configuration comes from."""

from dataclasses import dataclass
from enum import Enum
from typing import Any


class Origin(Enum):
    """The kinds of sources, in order of precedence."""

    FLAG = "flag"
    ENVIRONMENT = "environment"
    FILE = "file"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Source:
    """The exact source of a value."""

    origin: Origin
    where: str
    """As shown to the user: ``--model``, ``OPENAI_API_KEY``, ``config.toml, line 3``."""

    def __str__(self) -> str:
        return self.where


BUILT_IN = Source(Origin.DEFAULT, "default")
IN_KEYRING = Source(Origin.DEFAULT, "streamtui config set-key")


def flag(name: str) -> Source:
    """Return the command-line flag `name` as a source."""
    return Source(Origin.FLAG, name)


def variable(name: str) -> Source:
    """Return the environment variable `name` as a source."""
    return Source(Origin.ENVIRONMENT, name)


class Sources(dict[str, Source]):
    """Sources by the dotted names of values, as in ``endpoints.groq.base_url``. A missing name has its default."""

    def first(self, name: str, *candidates: tuple[Any, Source]) -> Any:
        """Return the first value that is set (not None or "") and record its source; None if none is set."""
        for value, source in candidates:
            if value not in (None, ""):
                self[name] = source
                return value
        return None
