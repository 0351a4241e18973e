"""The command line: `streamtui` opens the chat, `streamtui COMMAND` runs a subcommand."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module

COMMANDS: dict[str, str] = {
    "ask": "send one prompt and print the reply",
    "time": "compare streaming with waiting for the whole reply",
    "sessions": "list, search, show, export, import, rename and delete saved sessions",
    "web": "run the chat in a browser",
    "config": "create, edit, check and show settings; store API keys in the keyring",
    "tokens": "count tokens and manage tokenizer encodings",
    "serve": "run an OpenAI-compatible relay that keeps your API keys on the server",
    "completion": "print a shell completion script",
}
"""The help text of each subcommand; NAME is implemented by `main` and `parser` of ``streamtui.cli.NAME``."""

_SERVERS = ("serve", "web")
"""Commands that work without stdout."""

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
SAVE_TIMEOUT = 15.0
"""Seconds to wait for the database; a locked one fails after two busy timeouts."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program. Return its exit status: 0, 1 for a failure, 2 for invalid arguments."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    name = arguments[0] if arguments and arguments[0] in COMMANDS else ""
    has_stdout = sys.stdout is not None
    _open_closed_streams()
    if "_ARGCOMPLETE" in os.environ:
        import_module("streamtui.cli.completion").complete()
    if not has_stdout and name not in _SERVERS:
        return fail("Can't write the result: stdout is closed.")
    # Imported by name, so that no command pays for the imports of another.
    command = import_module(f"streamtui.cli.{name or 'chat'}")
    try:
        status: int = command.main(arguments[1:] if name else arguments)
    except Exception as error:  # noqa: BLE001 - the last place that can report it
        return _report_internal_error(error)
    return status


def print_error(sentence: str) -> None:
    """Print an error or notice to stderr."""
    from streamtui.core.sanitize import clean_line

    with suppress(OSError):  # stderr is closed
        print(f"streamtui: {clean_line(sentence)}", file=sys.stderr, flush=True)


def fail(sentence: str, status: int = EXIT_FAILED) -> int:
    """Print an error and return the exit status."""
    print_error(sentence)
    return status


def discard_stdout() -> None:
    """Drop what is still buffered for a closed pipe; Python would print a traceback on exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _open_closed_streams() -> None:
    """Put /dev/null in place of standard streams that the caller closed, which Python represents by None."""
    for stream, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, stream) is None:
            setattr(sys, stream, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def _report_internal_error(error: Exception) -> int:
    from streamtui import error_log

    error_log.start()
    error_log.LOG.critical("An internal error ended streamtui", exc_info=error)
    return fail(f"an internal error ended the program ({type(error).__name__}). {error_log.where()}")
