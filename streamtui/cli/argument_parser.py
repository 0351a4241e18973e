"""Parser: an argparse parser that says in one sentence what it does not know, and what was probably meant."""

import argparse
import shlex
from collections.abc import Collection, Iterable
from typing import Any, NoReturn

from streamtui.cli import EXIT_USAGE


class Parser(argparse.ArgumentParser):
    """Reads the words of a command. The commands below it are read by parsers of this kind too."""

    def __init__(self, *arguments: Any, commands: Collection[str] = (), instead: str = "", **more: Any) -> None:
        """`commands` are known beside those of `add_subparsers`; `instead`: what to say of a word that is like none."""
        super().__init__(*arguments, **more)
        self._commands = commands
        self._instead = instead

    def error(self, message: str) -> NoReturn:
        """Ends the program with the sentence; the usage, a screenful of options, would hide it."""
        from streamtui.core.sanitize import clean_line

        sentence = clean_line(message.removeprefix("argument ")).rstrip(".")
        end = "" if sentence.endswith("?") else "."
        self.exit(EXIT_USAGE, f"streamtui: {sentence}{end}\nTry {self.prog} --help.\n")

    def parse_known_args(self, args: Iterable[str] | None = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Knows all, or fails: else the parser of the commands above would speak of what it has not."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(self._unknown(unknown[0]))
        return found, unknown

    def _unknown(self, word: str) -> str:
        if len(word) > 1 and word.startswith("-"):
            name = word.partition("=")[0]
            return f"there is no option {shlex.quote(name)}{_perhaps(name, self._option_string_actions)}"
        if not self._commands:
            return f"{word!r} is a word too many"
        if word in self._commands:
            return f"{word} is a command and comes first: {self.prog} {word} …"
        return f"there is no command {shlex.quote(word)}{_perhaps(word, self._commands, self._instead)}"

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        known = list(map(str, action.choices))
        others = f"there are {', '.join(sorted(known))}"
        if isinstance(action, argparse._SubParsersAction):
            raise argparse.ArgumentError(
                None, f"there is no command {shlex.quote(value)}{_perhaps(value, known, others)}"
            )
        raise argparse.ArgumentError(action, f"there is no {value!r}{_perhaps(str(value), known, others)}")


def _perhaps(name: str, known: Iterable[str], otherwise: str = "") -> str:
    from streamtui.core.suggestions import nearest

    near = nearest(name, known)
    return f"; did you mean {near}?" if near else otherwise and f"; {otherwise}"
