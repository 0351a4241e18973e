"""`streamtui web`: the chat in a browser."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from streamtui.cli import EXIT_FAILED, EXIT_USAGE
from streamtui.cli.argument_parser import Parser
from streamtui.cli.options import add_server_options, add_session_options, config_from, port
from streamtui.config import ConfigError, is_loopback

PORT = 8765


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command's arguments."""
    parser = Parser(
        prog="streamtui web",
        description="Opens the chat in a browser. It runs on this machine, for this machine.",
        epilog="Keys that browsers keep to themselves (ctrl+n, ctrl+t, ctrl+w) are in the list of ctrl+p.",
    )
    page = parser.add_argument_group("where")
    page.add_argument("--host", default="127.0.0.1", help="the address to listen on (%(default)s)")
    page.add_argument("--port", type=port, default=PORT, help="the port; 0: any that is free (%(default)s)")
    page.add_argument("--no-browser", action="store_true", help="only show the address, open no browser")
    page.add_argument(
        "--i-know",
        action="store_true",
        help="allow an address others can reach: who opens the page can use your keys and read your sessions",
    )
    add_server_options(parser)
    add_session_options(parser)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Serves the chat until ctrl+c. Returns 0, 1 if the port can't be used, 2 for arguments that can't."""
    asked, problem = parser().parse_args(arguments), ""
    if not is_loopback(asked.host) and not asked.i_know:
        problem = (
            f"{asked.host} can be reached by others, who could use your keys and read your sessions; add --i-know."
        )
    try:
        config_from(asked)
    except ConfigError as error:
        problem = str(error)
    if problem:
        print(f"streamtui web: {problem}", file=sys.stderr)
        return EXIT_USAGE
    try:
        from streamtui.web.web_runner import run
    except ImportError:
        print("streamtui web: not installed yet; try pip install 'streamtui[web]'.", file=sys.stderr)
        return EXIT_FAILED
    chat = [sys.executable, "-m", "streamtui", *_for_the_chat(arguments)]
    try:
        asyncio.run(run(chat, asked.host, asked.port, open_browser=not asked.no_browser))
    except KeyboardInterrupt:
        return 0
    except OSError as error:
        print(f"streamtui web: {asked.host}:{asked.port} can't be used: {error.strerror}.", file=sys.stderr)
        return EXIT_FAILED
    return 0


def _for_the_chat(arguments: Sequence[str]) -> list[str]:
    """Returns what of `arguments` is for the chat itself."""
    own = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name in ("--host", "--port"):
        own.add_argument(name)
    for name in ("--no-browser", "--i-know"):
        own.add_argument(name, action="store_true")
    return own.parse_known_args(arguments)[1]
