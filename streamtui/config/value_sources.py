"""Where the values of the config come from."""

from dataclasses import dataclass
from enum import Enum
from typing import Any


class Origin(Enum):
    """The kinds of sources; the earlier beats the later."""

    FLAG = "flag"
    ENVIRONMENT = "environment"
    FILE = "file"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Source:
    """Where exactly a value comes from."""

    origin: Origin
    where: str
    """In words: ``--model``, ``OPENAI_API_KEY``, ``config.toml, line 3``."""

    def __str__(self) -> str:
        return self.where


BUILT_IN = Source(Origin.DEFAULT, "built in")
IN_KEYRING = Source(Origin.DEFAULT, "streamtui config set-key")


def flag(name: str) -> Source:
    """The flag `name`."""
    return Source(Origin.FLAG, name)


def variable(name: str) -> Source:
    """The environment variable `name`."""
    return Source(Origin.ENVIRONMENT, name)


class Sources(dict[str, Source]):
    """The sources of values by their dotted names, as in ``endpoints.groq.base_url``; what is missing is built in."""

    def first(self, name: str, *candidates: tuple[Any, Source]) -> Any:
        """Returns the first of the values that is set (not None or ""), and notes its source; None for none."""
        for value, source in candidates:
            if value not in (None, ""):
                self[name] = source
                return value
        return None
