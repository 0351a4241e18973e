"""`streamtui`: the full-screen chat."""

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from streamtui import __version__
from streamtui.cli import COMMANDS, EXIT_FAILED, EXIT_USAGE
from streamtui.cli.argument_parser import Parser
from streamtui.cli.options import add_debug_option, add_server_options, add_session_options, config_from, server_flags
from streamtui.config import Config, ConfigError
from streamtui.core.sanitize import clean_line

if TYPE_CHECKING:
    from streamtui.ui.app import StreamTUI


def parser() -> argparse.ArgumentParser:
    """Returns the parser of all arguments."""
    commands = "".join(f"\n  streamtui {name:<12}{does}" for name, does in COMMANDS.items())
    parser = Parser(
        prog="streamtui",
        commands=COMMANDS,
        instead='to ask a model without the screen: streamtui ask "…"',
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="A full-screen chat that streams OpenAI and every OpenAI-compatible server.",
        epilog=(f"commands (each with its own --help):{commands}\n\n" if commands else "")
        + "environment: OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_ORG_ID, OPENAI_PROJECT_ID, and the key variables\n"
        "of the endpoints; streamtui config show says what comes from where.",
    )
    parser.add_argument("--version", action="version", version=f"streamtui {__version__}")
    add_server_options(parser)
    add_session_options(parser)
    add_debug_option(parser)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Runs the chat. Returns 0, 1 if something was not saved, or 2 for arguments that can't be used."""
    asked = parser().parse_args(arguments)
    try:
        config = config_from(asked)
    except ConfigError as error:
        print(f"streamtui: {error}", file=sys.stderr)
        return EXIT_USAGE
    return _chat(config, asked)


def _chat(config: Config, asked: argparse.Namespace) -> int:
    in_page = "TEXTUAL_DRIVER" in os.environ
    if not in_page and not (sys.stdin.isatty() and sys.stdout.isatty()):
        print("streamtui: the chat needs a terminal for input and output.", file=sys.stderr)
        return EXIT_USAGE
    if not in_page and os.environ.get("TERM", "") in ("", "dumb", "unknown"):
        print(
            f"streamtui: the terminal (TERM={os.environ.get('TERM', '')}) can't show a full-screen program. "
            "Use `streamtui ask`, or set TERM to your terminal's type.",
            file=sys.stderr,
        )
        return EXIT_USAGE
    # Textual paints at most so often: at its own 60, a key typed while a reply streams takes 32 ms to show, now 12.
    os.environ.setdefault("TEXTUAL_FPS", "120")
    # Imported here: Textual takes 0.3 s, and --help has no use for it.
    from streamtui import error_log, paths
    from streamtui.ui.app import StreamTUI

    error_log.start(debug=asked.debug)
    if in_page and (shown := os.environ.get("STREAMTUI_PAGE_SESSION", "")):  # a page that was reloaded
        asked.session, asked.resume = shown, 0
    app = StreamTUI(config, paths.database(), session_id=asked.session, resume=asked.resume)
    try:
        app.run()
    finally:
        saved = app.close() or _rescue(app)
    if app.crash:
        print(f"streamtui: {app.crash}", file=sys.stderr)
    elif asked.debug:
        print(f"streamtui: debug log: {error_log.shown_path()}", file=sys.stderr)
    if not saved:
        return EXIT_FAILED
    session = app.chat.session
    if session is not None and session.messages and not in_page:
        flags = server_flags(config, asked, app.chat.conversation.provider.endpoint.name)
        again = shlex.join(["streamtui", *flags, "--session", session.id[:8]])
        print(f"{again} goes on with “{session.title}”.")
    return app.return_code or 0


def _rescue(app: "StreamTUI") -> bool:
    """Puts what the store could not save into a file, and says where it is. Returns False: it is not in the store."""
    from streamtui import paths
    from streamtui.exporters.rescue import rescue

    sessions = app.chat.unsaved
    file = rescue(sessions, (paths.data_dir(), Path.home())) if sessions else None
    print(f"streamtui: not everything was saved. {app.store.save_error or app.store.permanent_error}", file=sys.stderr)
    if file is not None:
        name = clean_line(str(file))
        print(f"streamtui: the conversation is in {name}; streamtui sessions import brings it back.", file=sys.stderr)
    return False
