"""`streamtui completion`: a script that lets a shell complete commands, options and names."""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module

from streamtui.cli import COMMANDS
from streamtui.cli.argument_parser import Parser

FILES, NOTHING = "files", "nothing"
"""What a word can be beside a name, the kinds of which are `completion_names.KINDS`."""
NAMES = "--names"
"""The option behind which the scripts ask for names."""

_KINDS = {"ID": "ids", "DELETED-ID": "deleted", "PATH": FILES, "FILE": FILES}
"""By what the parsers call the words in their help."""
_KINDS_OF_NAMES = {"endpoint": "endpoints", "model": "models", "preset": "presets", "theme": "themes"}
"""By what the parsers call the words in what they return: all are NAME in the help."""
_ONLY_USED = {"endpoints": "used-endpoints", "models": "used-models"}
"""What sessions are filtered by."""


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a command."""

    names: tuple[str, ...]
    does: str
    kind: str | None
    """What follows it: names of a kind, `FILES`, or `NOTHING` that is known; None where nothing follows."""
    choices: tuple[str, ...] = ()
    """What may follow it, where that is one of a few."""


@dataclass(frozen=True, slots=True)
class Place:
    """A command, and what can be written behind it."""

    path: tuple[str, ...]
    """Its words, without the name of the program."""
    commands: dict[str, str]
    """What the commands below it do, by name."""
    options: tuple[Option, ...]
    kind: str
    """What its other words are."""
    choices: tuple[str, ...]
    """What they may be, where that is one of a few."""


def parser() -> argparse.ArgumentParser:
    """Returns the parser of all arguments."""
    parser = Parser(
        prog="streamtui completion",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Prints a script that lets a shell complete commands, options, ids of sessions and names "
        "of endpoints, models, presets and themes.",
        epilog='bash   put into ~/.bashrc:  eval "$(streamtui completion bash)"\n'
        'zsh    put into ~/.zshrc, behind compinit:  eval "$(streamtui completion zsh)"\n'
        "fish   streamtui completion fish > ~/.config/fish/completions/streamtui.fish",
    )
    parser.add_argument("shell", choices=["bash", "zsh", "fish"])
    return parser


def main(arguments: Sequence[str]) -> int:
    """Prints the script, or the names that one asks for. Returns 0; 1 where names can't be read."""
    if arguments[:1] == [NAMES] and len(arguments) > 1:
        from streamtui.cli.completion_names import print_names

        return print_names(arguments[1], arguments[2:])
    from streamtui.cli import completion_scripts

    asked = parser().parse_args(arguments)
    print(getattr(completion_scripts, asked.shell)(list(places())), end="")
    return 0


def places() -> Iterator[Place]:
    """Yields every command with what can follow it, as the parsers have it."""
    yield _place((), import_module("streamtui.cli.chat").parser(), COMMANDS)
    for name in COMMANDS:
        yield from _places((name,), import_module(f"streamtui.cli.{name}").parser())


def _places(path: tuple[str, ...], parser: argparse.ArgumentParser) -> Iterator[Place]:
    below = next((action for action in parser._actions if isinstance(action, argparse._SubParsersAction)), None)
    helps = {each.dest: each.help or "" for each in below._choices_actions} if below else {}
    yield _place(path, parser, {name: helps.get(name, "") for name in below.choices} if below else {})
    for name, inner in below.choices.items() if below else ():
        yield from _places((*path, name), inner)


def _place(path: tuple[str, ...], parser: argparse.ArgumentParser, commands: dict[str, str]) -> Place:
    shown = [action for action in parser._actions if action.help != argparse.SUPPRESS]
    words = [
        action for action in shown if not action.option_strings and not isinstance(action, argparse._SubParsersAction)
    ]
    first = words[0] if words else None
    return Place(
        path,
        commands,
        tuple(_option(path, parser, action) for action in shown if action.option_strings),
        _kind(path, first) if first else NOTHING,
        _choices(first) if first else (),
    )


def _option(path: tuple[str, ...], parser: argparse.ArgumentParser, action: argparse.Action) -> Option:
    does = (action.help or "") % {**vars(action), "prog": parser.prog}
    kind = None if action.nargs == 0 else _kind(path, action)
    return Option(tuple(action.option_strings), does, kind, _choices(action))


def _kind(path: tuple[str, ...], action: argparse.Action) -> str:
    kind = _KINDS.get(str(action.metavar)) or _KINDS_OF_NAMES.get(action.dest, NOTHING)
    return _ONLY_USED.get(kind, kind) if path[:1] == ("sessions",) else kind


def _choices(action: argparse.Action) -> tuple[str, ...]:
    return tuple(map(str, action.choices or ()))
