"""The `streamtui` command: the full-screen chat."""

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from streamtui import __version__
from streamtui.cli import COMMANDS, EXIT_FAILED, EXIT_USAGE, fail, print_error
from streamtui.cli.argument_parser import Parser
from streamtui.cli.options import add_debug_option, add_server_options, add_session_options, config_from, endpoint_flags
from streamtui.config import Config, ConfigError

if TYPE_CHECKING:
    from streamtui.ui.app import StreamTUI


def parser() -> argparse.ArgumentParser:
    """Return the argument parser."""
    commands = "".join(f"\n  {name:<12}{about}" for name, about in COMMANDS.items())
    parser = Parser(
        prog="streamtui",
        usage="streamtui [OPTIONS]\n       streamtui COMMAND [OPTIONS] …",
        commands=COMMANDS,
        fallback='To send one prompt, use: streamtui ask "…"',
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Chat with OpenAI and OpenAI-compatible servers in the terminal.",
        epilog=f"commands:{commands}\n\n"
        "examples:\n"
        "  streamtui                       open the chat\n"
        "  streamtui -e ollama -m llama3   use a model of a local server\n"
        "  streamtui --continue            continue the latest session\n"
        "  streamtui ask --help            show the help of a command\n\n"
        "environment:\n"
        "  OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_ORG_ID, OPENAI_PROJECT_ID and the API key variables of other\n"
        "  endpoints. Run streamtui config show to see the effective settings and where each value comes from.",
    )
    parser.add_argument("--version", action="version", version=f"streamtui {__version__}")
    add_server_options(parser)
    add_session_options(parser)
    add_debug_option(parser)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Run the chat. Return 0, 1 if something was not saved, 2 for invalid arguments."""
    args = parser().parse_args(arguments)
    try:
        config = config_from(args)
    except ConfigError as error:
        return fail(str(error), EXIT_USAGE)
    return _chat(config, args)


def _chat(config: Config, args: argparse.Namespace) -> int:
    in_browser = "TEXTUAL_DRIVER" in os.environ
    if not in_browser and not (sys.stdin.isatty() and sys.stdout.isatty()):
        return fail('The chat needs a terminal. To use a pipe, run streamtui ask "…".', EXIT_USAGE)
    if not in_browser and os.environ.get("TERM", "") in ("", "dumb", "unknown"):
        return fail(
            f"This terminal (TERM={os.environ.get('TERM', '')}) can't show a full-screen program. "
            "Use streamtui ask, or set TERM to your terminal's type.",
            EXIT_USAGE,
        )
    # At Textual's default of 60 frames a second, a key typed while a reply streams takes 32 ms to show; now 12 ms.
    os.environ.setdefault("TEXTUAL_FPS", "120")
    # Imported here: Textual takes 0.3 s, which --help does not need.
    from streamtui import error_log, paths
    from streamtui.ui.app import StreamTUI

    error_log.start(debug=args.debug)
    if in_browser and (session_id := os.environ.get("STREAMTUI_PAGE_SESSION", "")):  # the page was reloaded
        args.session, args.resume = session_id, 0
    app = StreamTUI(config, paths.database(), session_id=args.session, resume=args.resume)
    try:
        app.run()
    finally:
        saved = app.close() or _rescue(app)
    if app.crash:
        print_error(app.crash)
    elif args.debug:
        print_error(f"Debug log: {error_log.shown_path()}")
    if not saved:
        return EXIT_FAILED
    session = app.chat.session
    if session is not None and session.messages and not in_browser:
        flags = endpoint_flags(config, args, app.chat.conversation.provider.endpoint.name)
        command = shlex.join(["streamtui", *flags, "--session", session.id[:8]])
        print(f"To continue “{session.title}”: {command}")
    return app.return_code or 0


def _rescue(app: "StreamTUI") -> bool:
    """Write unsaved sessions to a file and report where it is. Return False: nothing more was saved to the database."""
    from streamtui import paths
    from streamtui.exporters.rescue import rescue

    sessions = app.chat.unsaved
    file = rescue(sessions, (paths.data_dir(), Path.home())) if sessions else None
    print_error(f"Not everything was saved. {app.store.save_error or app.store.permanent_error}")
    if file is not None:
        print_error(f"The conversation was written to {file}. To restore it, run streamtui sessions import.")
    return False
