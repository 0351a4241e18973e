"""The names that a shell offers while it completes a line: those known on this machine, and found quickly."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

from streamtui import paths
from streamtui.cli import EXIT_FAILED, EXIT_USAGE

if TYPE_CHECKING:
    # Imported where they are used: who waits for a name of an endpoint waits for no SQLite.
    from streamtui.config import Config
    from streamtui.storage import Store

Words = Sequence[str]
"""Those of the line before the one to complete."""
Names = Iterator[tuple[str, str]]
"""Each with what it is, which may be empty."""
Answer = TypeVar("Answer")

LIMIT = 100
"""Sessions that are offered, the latest."""
_ID_LENGTH = 8
_WHAT_LENGTH = 60


def print_names(kind: str, words: Words) -> int:
    """Prints the names of a `kind`, one of `KINDS`: a line for each, with a tab before what it is.

    Returns 0, or 1 where they can't be read. The scripts drop what goes to stderr: a prompt is no place for it.
    """
    from streamtui.config import ConfigError
    from streamtui.core.sanitize import clean_line

    if kind not in KINDS:
        print(f"streamtui: there are names of {', '.join(KINDS)}.", file=sys.stderr)
        return EXIT_USAGE
    try:
        # bash has the = of --option=value as a word of its own.
        for name, what in KINDS[kind]([word for word in words if word != "="]):
            print(clean_line(name), clean_line(what[:_WHAT_LENGTH]), sep="\t")
    except (ConfigError, OSError) as error:
        print(f"streamtui: {error}", file=sys.stderr)
        return EXIT_FAILED
    return 0


def _sessions(_: Words) -> Names:
    yield from _sessions_in(trash=False)


def _deleted(_: Words) -> Names:
    yield from _sessions_in(trash=True)


def _sessions_in(trash: bool) -> Names:
    from streamtui.core.session import SessionFilter

    where = SessionFilter(archived=None if trash else False, trashed=trash)
    for summary in _read(lambda store: store.sessions(LIMIT, where=where)) or ():
        yield summary.id[:_ID_LENGTH], summary.title


def _endpoints(_: Words) -> Names:
    from streamtui.core.redaction import without_password

    for endpoint in _config().endpoints.values():
        yield endpoint.name, "built in" if endpoint.demo else without_password(endpoint.base_url)


def _presets(_: Words) -> Names:
    for preset in _config().presets.values():
        yield preset.name, preset.system


def _models(words: Words) -> Names:
    """Those of the endpoint that the words name, else of the usual one: used, set up, or once listed by the server."""
    config = _config(words)
    endpoint = config.endpoint
    of_presets = [preset.model for preset in config.presets.values() if preset.endpoint in ("", endpoint.name)]
    used = [model.name for model in _read(lambda store: store.models(endpoint.name)) or ()]
    listed = _read(lambda store: store.catalog(endpoint.name)) or ()
    for name in dict.fromkeys([*used, endpoint.model, *endpoint.favourites, *endpoint.models, *of_presets, *listed]):
        if name:
            yield name, endpoint.name


def _used_endpoints(_: Words) -> Names:
    facets = _read(lambda store: store.facets())
    yield from _counted(facets.endpoints if facets else {})


def _used_models(_: Words) -> Names:
    facets = _read(lambda store: store.facets())
    yield from _counted(facets.models if facets else {})


def _counted(names: dict[str, int]) -> Names:
    for name, count in names.items():
        yield name, f"{count:,} session{'' if count == 1 else 's'}"


def _themes(_: Words) -> Names:
    for name in paths.theme_files():
        yield name, ""


KINDS: dict[str, Callable[[Words], Names]] = {
    "ids": _sessions,
    "deleted": _deleted,
    "endpoints": _endpoints,
    "presets": _presets,
    "models": _models,
    "used-endpoints": _used_endpoints,
    "used-models": _used_models,
    "themes": _themes,
}
"""What finds the names of each kind."""


def _config(words: Words = ()) -> "Config":
    """Returns the settings, with the endpoint that the words ask for. Raises ConfigError."""
    from streamtui.config.loader import Asked, load

    endpoint, preset = _value(words, "-e", "--endpoint"), _value(words, "--preset")
    return load(Asked("--demo" in words, endpoint, _value(words, "--base-url"), preset=preset), os.environ)


def _value(words: Words, *options: str) -> str:
    """What stands behind the last of these options; it may have it behind a =."""
    for at in range(len(words) - 1, -1, -1):
        name, equals, value = words[at].partition("=")
        if name in options:
            return value if equals else words[at + 1] if at + 1 < len(words) else ""
    return ""


def _read(question: "Callable[[Store], Future[Answer]]") -> Answer | None:
    """Returns the answer of the store; None where nothing is saved yet, or it can't be read, which stderr says."""
    if not paths.database().exists():
        return None
    from streamtui.storage import Store, StoreError

    with Store(paths.database(), saves=False) as store:
        try:
            return question(store).result()
        except StoreError as error:
            print(f"streamtui: {error}", file=sys.stderr)
            return None
