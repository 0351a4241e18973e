"""The `streamtui sessions` command: saved sessions."""

import argparse
import sys
from collections.abc import Sequence

from streamtui import paths
from streamtui.cli import (
    EXIT_INTERRUPTED,
    SAVE_TIMEOUT,
    discard_stdout,
    fail,
    session_changes,
    session_check,
    session_export,
    session_import,
    session_lists,
)
from streamtui.cli.argument_parser import Parser
from streamtui.core.transfer_error import FileExistsTransferError, TransferError
from streamtui.storage import Store, StoreError

_MODULES = (session_lists, session_export, session_import, session_changes, session_check)
"""Each has `add_commands`, which adds parsers whose default `run` takes the arguments and the store."""


def parser() -> argparse.ArgumentParser:
    """Return the argument parser of the command."""
    parser = Parser(
        prog="streamtui sessions",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Manage saved sessions. Without a command, list the latest. Ids can be shortened.",
        epilog="examples:\n"
        "  streamtui sessions list --pinned\n"
        '  streamtui sessions search "sourdough bread"\n'
        "  streamtui sessions export 3f2a --format html -o bread.html\n"
        "  streamtui sessions import conversations.json\n\n"
        "exit status:\n"
        "  0 success, 1 failure, 2 invalid arguments",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in _MODULES:
        module.add_commands(commands)
    path = commands.add_parser("path", help="print the path of the database")
    path.set_defaults(run=_print_path)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Run the command. Return 0, 1 for a failure, 2 for invalid arguments, 130 after Ctrl+C."""
    args = parser().parse_args(arguments if _has_command(arguments) else ["list", *arguments])
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # question marks on terminals without Unicode, not a traceback
    store = Store(paths.database())
    reported = ""
    try:
        status = int(args.run(args, store))
        sys.stdout.flush()
    except FileExistsTransferError as error:
        status = fail(f"{error} To overwrite it, add --force.")
    except (StoreError, TransferError) as error:
        reported = str(error)
        status = fail(reported)
    except BrokenPipeError:
        discard_stdout()
        status = 0
    except KeyboardInterrupt:
        status = EXIT_INTERRUPTED
    if not store.close(SAVE_TIMEOUT) and (reason := store.save_error or store.permanent_error) != reported:
        status = fail(reason)
    return status


def _has_command(arguments: Sequence[str]) -> bool:
    return bool(arguments) and (arguments[0] in ("-h", "--help") or not arguments[0].startswith("-"))


def _print_path(args: argparse.Namespace, store: Store) -> int:
    print(store.path)
    return 0
