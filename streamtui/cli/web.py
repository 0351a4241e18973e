"""The `streamtui web` command: the chat in a browser."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from streamtui.cli import EXIT_USAGE, fail
from streamtui.cli.argument_parser import Parser
from streamtui.cli.options import add_server_options, add_session_options, config_from, port
from streamtui.config import ConfigError, is_loopback

PORT = 8765


def parser() -> argparse.ArgumentParser:
    """Return the argument parser of the command."""
    parser = Parser(
        prog="streamtui web",
        usage="streamtui web [OPTIONS]",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Run the chat on this machine and open it in a browser.",
        epilog="Browsers reserve some keys (ctrl+n, ctrl+t, ctrl+w). Press ctrl+p to find the commands.\n\n"
        "examples:\n"
        "  streamtui web\n"
        "  streamtui web --port 9000 --no-browser -e ollama",
    )
    group = parser.add_argument_group("server")
    group.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    group.add_argument("--port", type=port, default=PORT, help="port; 0 for any free port (default: %(default)s)")
    group.add_argument("--no-browser", action="store_true", help="print the address without opening a browser")
    group.add_argument(
        "--allow-remote",
        "--i-know",
        action="store_true",
        help="allow a --host that other machines can reach; anyone who opens the page can use your API keys "
        "and read your sessions",
    )
    add_server_options(parser)
    add_session_options(parser)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Serve the chat until Ctrl+C. Return 0, 1 if the port can't be used, 2 for invalid arguments."""
    args = parser().parse_args(arguments)
    try:
        config_from(args)
    except ConfigError as error:
        return fail(str(error), EXIT_USAGE)
    if not is_loopback(args.host) and not args.allow_remote:
        return fail(
            f"Other machines can reach {args.host}, use your API keys and read your sessions. "
            "To allow that, add --allow-remote.",
            EXIT_USAGE,
        )
    try:
        from streamtui.web.server import run
    except ImportError:
        return fail("The web server is not installed. Run: pip install 'streamtui[web]'")
    chat = [sys.executable, "-m", "streamtui", *_chat_arguments(arguments)]
    try:
        asyncio.run(run(chat, args.host, args.port, open_browser=not args.no_browser))
    except KeyboardInterrupt:
        return 0
    except OSError as error:
        return fail(f"Can't listen on {args.host}:{args.port}: {error.strerror}.")
    return 0


def _chat_arguments(arguments: Sequence[str]) -> list[str]:
    """Return the arguments that the chat itself takes."""
    own = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name in ("--host", "--port"):
        own.add_argument(name)
    for name in ("--no-browser", "--allow-remote", "--i-know"):
        own.add_argument(name, action="store_true")
    return own.parse_known_args(arguments)[1]
