"""An argument parser whose errors are one sentence with a suggestion."""

import argparse
import shlex
from collections.abc import Collection, Iterable
from typing import Any, NoReturn

from streamtui.cli import EXIT_USAGE


class Parser(argparse.ArgumentParser):
    """Parse the arguments of a command. Its subparsers are of the same class."""

    def __init__(self, *args: Any, commands: Collection[str] = (), fallback: str = "", **options: Any) -> None:
        """`commands`: subcommands beside those of `add_subparsers`; `fallback`: the hint if no command is similar."""
        super().__init__(*args, **options)
        self._commands = commands
        self._fallback = fallback

    def error(self, message: str) -> NoReturn:
        """Print `message` and exit. The usage is left out: a screenful of options would hide the error."""
        from streamtui.core.sanitize import clean_line

        sentence = clean_line(message.removeprefix("argument ")).rstrip(".")
        end = "" if sentence.endswith("?") else "."
        self.exit(EXIT_USAGE, f"streamtui: {sentence}{end}\nTry {self.prog} --help.\n")

    def parse_known_args(self, args: Iterable[str] | None = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Fail on unknown arguments, so that a subparser reports its own."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(self._describe_unknown(unknown[0]))
        return found, unknown

    def _describe_unknown(self, argument: str) -> str:
        if len(argument) > 1 and argument.startswith("-"):
            name = argument.partition("=")[0]
            return f"unknown option {shlex.quote(name)}{_suggestion(name, self._option_string_actions)}"
        if not self._commands:
            return f"unexpected argument {argument!r}"
        if argument in self._commands:
            return f"the command must come first: {self.prog} {argument} …"
        return f"unknown command {shlex.quote(argument)}{_suggestion(argument, self._commands, self._fallback)}"

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        known = list(map(str, action.choices))
        suggestion = _suggestion(str(value), known, f"Choose from: {', '.join(sorted(known))}")
        if isinstance(action, argparse._SubParsersAction):
            raise argparse.ArgumentError(None, f"unknown command {shlex.quote(value)}{suggestion}")
        raise argparse.ArgumentError(action, f"invalid value {value!r}{suggestion}")


def _suggestion(name: str, known: Iterable[str], fallback: str = "") -> str:
    from streamtui.core.suggestions import nearest

    near = nearest(name, known)
    return f". Did you mean {near}?" if near else fallback and f". {fallback}"
