"""Shell completion: the `streamtui completion` command and the completers that argcomplete calls."""

import argparse
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from argcomplete.completers import FilesCompleter, SuppressCompleter
from argcomplete.finders import CompletionFinder
from argcomplete.lexers import split_line
from argcomplete.shell_integration import shellcode

from streamtui import paths
from streamtui.cli import COMMANDS
from streamtui.cli.argument_parser import Parser
from streamtui.core.sanitize import clean_line

if TYPE_CHECKING:
    # Imported where they are used: completing an option name needs neither the settings nor SQLite.
    from streamtui.config import Config
    from streamtui.storage import Store

Names = dict[str, str]
"""Candidates and their descriptions."""
Completer = Callable[[argparse.Namespace], Names]
Answer = TypeVar("Answer")

SESSION_LIMIT = 100
"""Number of sessions offered, newest first."""
_ID_LENGTH = 8
_DESCRIPTION_LENGTH = 60


def parser() -> argparse.ArgumentParser:
    """Return the argument parser of the command."""
    parser = Parser(
        prog="streamtui completion",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Print a shell completion script for commands, options, session ids, endpoints, models, "
        "presets and themes.",
        epilog='bash: add to ~/.bashrc\n  eval "$(streamtui completion bash)"\n'
        'zsh: add to ~/.zshrc after compinit\n  eval "$(streamtui completion zsh)"\n'
        "fish: run once\n  streamtui completion fish > ~/.config/fish/completions/streamtui.fish",
    )
    parser.add_argument("shell", choices=["bash", "zsh", "fish"], help="shell to print the script for")
    return parser


def main(arguments: Sequence[str]) -> int:
    """Print the completion script. Return 0."""
    print(shellcode(["streamtui"], shell=parser().parse_args(arguments).shell))
    return 0


def complete() -> None:
    """Answer a completion request of the shell and exit. argcomplete passes the command line in the environment."""
    words = split_line(os.environ["COMP_LINE"], int(os.environ["COMP_POINT"]))[3]
    command = words[1] if len(words) > 1 and words[1] in COMMANDS else ""
    parser: argparse.ArgumentParser = import_module(f"streamtui.cli.{command or 'chat'}").parser()
    if command:
        # Tells argcomplete which word is the program's name, as for `python -m MODULE`.
        os.environ["_ARGCOMPLETE"] = "2"
    else:
        parser.add_argument("command", nargs="?").completer = lambda **_: COMMANDS  # type: ignore[attr-defined]
    _attach_completers(parser, {**_COMPLETERS, **_SESSION_COMPLETERS} if command == "sessions" else _COMPLETERS)
    # Options are offered after a dash only, and files only where a file is expected.
    _Finder()(parser, always_complete_options=False, default_completer=SuppressCompleter())


def _attach_completers(parser: argparse.ArgumentParser, completers: dict[str, Completer]) -> None:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for subparser in action.choices.values():
                _attach_completers(subparser, completers)
        elif action.metavar in ("PATH", "FILE"):
            action.completer = FilesCompleter()  # type: ignore[attr-defined]
        elif completer := completers.get(str(action.metavar)) or completers.get(action.dest):
            action.completer = _safe(completer)  # type: ignore[attr-defined]


def _safe(completer: Completer) -> Callable[..., Names]:
    """Wrap a completer: no control characters reach the prompt, and unreadable settings offer nothing."""

    def complete(parsed_args: argparse.Namespace, **_: Any) -> Names:
        from streamtui.config import ConfigError
        from streamtui.storage import StoreError

        try:
            found = completer(parsed_args)
        except (ConfigError, StoreError, OSError):
            return {}
        return {clean_line(name): clean_line(about[:_DESCRIPTION_LENGTH]) for name, about in found.items() if name}

    return complete


class _Finder(CompletionFinder):
    """Show session titles beside their ids in bash too, which has no descriptions."""

    def quote_completions(self, completions: list[str], prequote: str, wordbreak: int | None) -> list[str]:
        quoted: list[str] = super().quote_completions(completions, prequote, wordbreak)
        titles = [self._display_completions.get(name) if _is_id(name) else "" for name in completions]
        if os.environ.get("_ARGCOMPLETE_SHELL") != "bash" or len(quoted) < 2 or not all(titles):
            return quoted
        return [f"{name}  {title}" for name, title in zip(quoted, titles, strict=True)]


def _is_id(name: str) -> bool:
    return len(name) == _ID_LENGTH and name.isalnum()


def _sessions(_: argparse.Namespace, *, trash: bool = False) -> Names:
    from streamtui.core.session import SessionFilter
    from streamtui.exporters.labels import UNTITLED

    where = SessionFilter(archived=None if trash else False, trashed=trash)
    found = _read(lambda store: store.sessions(SESSION_LIMIT, where=where)) or ()
    return {summary.id[:_ID_LENGTH]: summary.title or UNTITLED for summary in found}


def _deleted_sessions(args: argparse.Namespace) -> Names:
    return _sessions(args, trash=True)


def _endpoints(_: argparse.Namespace) -> Names:
    from streamtui.core.redaction import without_password

    endpoints = _config(argparse.Namespace()).endpoints.values()
    return {item.name: "built in" if item.demo else without_password(item.base_url) for item in endpoints}


def _presets(_: argparse.Namespace) -> Names:
    return {preset.name: preset.system for preset in _config(argparse.Namespace()).presets.values()}


def _models(args: argparse.Namespace) -> Names:
    """Return the models of the selected endpoint: used, configured, or listed by the server earlier."""
    config = _config(args)
    endpoint = config.endpoint
    of_presets = [preset.model for preset in config.presets.values() if preset.endpoint in ("", endpoint.name)]
    used = [model.name for model in _read(lambda store: store.models(endpoint.name)) or ()]
    listed = _read(lambda store: store.catalog(endpoint.name)) or ()
    names = [*used, endpoint.model, *endpoint.favorites, *endpoint.models, *of_presets, *listed]
    return dict.fromkeys(names, endpoint.name)


def _used_endpoints(_: argparse.Namespace) -> Names:
    facets = _read(lambda store: store.facets())
    return _with_counts(facets.endpoints if facets else {})


def _used_models(_: argparse.Namespace) -> Names:
    facets = _read(lambda store: store.facets())
    return _with_counts(facets.models if facets else {})


def _with_counts(names: dict[str, int]) -> Names:
    return {name: f"{count:,} session{'' if count == 1 else 's'}" for name, count in names.items()}


def _themes(_: argparse.Namespace) -> Names:
    return dict.fromkeys(paths.theme_files(), "")


_COMPLETERS: dict[str, Completer] = {
    "ID": _sessions,
    "DELETED-ID": _deleted_sessions,
    "endpoint": _endpoints,
    "model": _models,
    "preset": _presets,
    "theme": _themes,
}
"""Completers by metavar or by destination of an argument."""
_SESSION_COMPLETERS: dict[str, Completer] = {"endpoint": _used_endpoints, "model": _used_models}
"""Those of `streamtui sessions`, whose options filter by what saved sessions used."""


def _config(args: argparse.Namespace) -> "Config":
    """Return the settings with the endpoint that the command line selects. Raises ConfigError."""
    from streamtui.config.loader import CliOverrides, load

    given = vars(args)
    endpoint, base_url, preset = (given.get(name) or "" for name in ("endpoint", "base_url", "preset"))
    return load(CliOverrides(bool(given.get("demo")), endpoint, base_url, preset=preset), os.environ)


def _read(query: "Callable[[Store], Future[Answer]]") -> Answer | None:
    """Return the result of a query; None if nothing has been saved yet. Raises StoreError."""
    if not paths.database().exists():
        return None
    from streamtui.storage import Store

    with Store(paths.database(), saves=False) as store:
        return query(store).result()
