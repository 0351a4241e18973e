"""`streamtui sessions`: the saved sessions, for scripts and for those who prefer a shell."""

import argparse
import os
import sys
from collections.abc import Sequence

from streamtui import paths
from streamtui.cli import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    session_changes,
    session_check,
    session_export,
    session_import,
    session_lists,
)
from streamtui.cli.argument_parser import Parser
from streamtui.cli.saving import SAVE_TIMEOUT
from streamtui.core.transfer_error import FileTakenError, TransferError
from streamtui.storage import Store, StoreError

_VERBS = (session_lists, session_export, session_import, session_changes, session_check)
"""Each has `add_verbs`, which adds parsers whose default `run` takes the arguments and the store."""


def parser() -> argparse.ArgumentParser:
    """Returns the parser of all arguments."""
    parser = Parser(
        prog="streamtui sessions",
        description="The saved sessions, for scripts and shells. Without a COMMAND the latest are listed. "
        "Of an id the beginning will do.",
        epilog="exit codes: 0 done, 1 failed or something could not be read, 2 arguments that can't be used",
    )
    verbs = parser.add_subparsers(dest="verb", metavar="COMMAND", required=True)
    for module in _VERBS:
        module.add_verbs(verbs)
    path = verbs.add_parser("path", help="print where the sessions are kept", description="Prints the database's path.")
    path.set_defaults(run=_print_path)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Runs a command. Returns 0, 1 if it failed, 2 for arguments that can't be used, 130 after ctrl+c."""
    asked = parser().parse_args(arguments if _has_verb(arguments) else ["list", *arguments])
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a terminal without Unicode gets question marks, not a traceback
    store = Store(paths.database())
    told = ""
    try:
        status = int(asked.run(asked, store))
        sys.stdout.flush()
    except FileTakenError as error:
        status = _fail(f"{error} --force writes over it.")
    except (StoreError, TransferError) as error:
        told = str(error)
        status = _fail(told)
    except BrokenPipeError:
        # Who reads has seen enough, as head does. What is still in the buffer would be a traceback at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except KeyboardInterrupt:
        status = EXIT_INTERRUPTED
    if not store.close(SAVE_TIMEOUT) and (reason := store.save_error or store.permanent_error) != told:
        status = _fail(reason)
    return status


def _has_verb(arguments: Sequence[str]) -> bool:
    return bool(arguments) and (arguments[0] in ("-h", "--help") or not arguments[0].startswith("-"))


def _fail(sentence: str) -> int:
    print(f"streamtui: {sentence}", file=sys.stderr)
    return EXIT_FAILED


def _print_path(asked: argparse.Namespace, store: Store) -> int:
    print(store.path)
    return 0
