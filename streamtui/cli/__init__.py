"""The command line: `streamtui` opens the chat, `streamtui COMMAND` does something beside it."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module

COMMANDS: dict[str, str] = {
    "ask": "one prompt, its answer on stdout",
    "time": "the same request streamed and not, side by side",
    "sessions": "list, find, show, export, import, rename and delete saved sessions",
    "web": "the same chat in a browser",
    "config": "write, open, check and show the settings; keep keys in the keyring",
    "tokens": "count tokens; get the encodings that count them exactly",
    "serve": "an OpenAI-compatible server that keeps the key to itself",
    "completion": "a script that completes commands, options and names in your shell",
}
"""What every command does, by name; the command NAME is the module ``streamtui.cli.NAME`` with a `main`."""

_SERVERS = ("serve", "web")
"""Commands that work without stdout."""

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the program. Returns its exit status: 0, 1 if it failed, 2 for arguments that can't be used."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    name = arguments[0] if arguments and arguments[0] in COMMANDS else ""
    has_stdout = sys.stdout is not None
    _open_closed_streams()
    if "_ARGCOMPLETE" in os.environ:
        import_module("streamtui.cli.completion").complete()
    if not has_stdout and name not in _SERVERS:
        print("streamtui: stdout is closed, there is nowhere to write the result.", file=sys.stderr)
        return EXIT_FAILED
    # Imported by name: no command pays for what another one needs.
    command = import_module(f"streamtui.cli.{name or 'chat'}")
    try:
        status: int = command.main(arguments[1:] if name else arguments)
    except Exception as error:  # noqa: BLE001 - the last place that can tell of it in a sentence
        return _failed(error)
    return status


def _open_closed_streams() -> None:
    """Put /dev/null in place of standard streams that the caller closed, which Python represents by None."""
    for stream, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, stream) is None:
            setattr(sys, stream, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def _failed(error: Exception) -> int:
    from streamtui import error_log

    error_log.start()
    error_log.LOG.critical("An internal error ended streamtui", exc_info=error)
    name = type(error).__name__
    print(f"streamtui: an internal error ended the program ({name}). {error_log.where()}", file=sys.stderr)
    return EXIT_FAILED
