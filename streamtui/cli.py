"""The command line: reads arguments and calls the rest."""

import argparse
import os
import sys
from collections.abc import Sequence

from streamtui import __version__
from streamtui.config import Config, ConfigError, endpoint_from
from streamtui.sanitize import clean

EXIT_FAILED = 1
EXIT_USAGE = 2


def parser() -> argparse.ArgumentParser:
    """Returns the parser of all arguments."""
    parser = argparse.ArgumentParser(
        prog="streamtui",
        description="A full-screen chat that streams OpenAI and every OpenAI-compatible server.",
        epilog="Environment: OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_ORG_ID, OPENAI_PROJECT_ID.",
    )
    parser.add_argument("--version", action="version", version=f"streamtui {__version__}")
    server = parser.add_argument_group("who answers")
    server.add_argument("--demo", action="store_true", help="the built-in demo: no key, no network")
    server.add_argument(
        "--base-url", metavar="URL", default="", help="a compatible server, as http://localhost:11434/v1"
    )
    server.add_argument(
        "--api-key-env", metavar="NAME", default="", help="the environment variable with that server's key"
    )
    server.add_argument("-m", "--model", metavar="NAME", default="", help="the model to ask")
    server.add_argument("-s", "--system", metavar="TEXT", default="", help="a system prompt for a new session")
    session = parser.add_argument_group("which session").add_mutually_exclusive_group()
    session.add_argument("-c", "--continue", dest="resume", action="store_true", help="go on with the latest session")
    session.add_argument(
        "--session", metavar="ID", default="", help="go on with that session; the beginning of its id will do"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the program. Returns 0, 1 if something was not saved, or 2 for arguments that can't be used."""
    asked = parser().parse_args(arguments)
    try:
        config = _config_from(asked)
    except ConfigError as error:
        print(f"streamtui: {error}", file=sys.stderr)
        return EXIT_USAGE
    server = "--demo " if asked.demo else f"--base-url {asked.base_url} " if asked.base_url else ""
    return _chat(config, asked.session, asked.resume, server)


def _config_from(asked: argparse.Namespace) -> Config:
    if asked.demo and (asked.base_url or asked.api_key_env):
        raise ConfigError("--demo answers by itself: leave out --base-url and --api-key-env, or leave out --demo.")
    endpoint = endpoint_from(
        os.environ, base_url=asked.base_url, api_key_env=asked.api_key_env, model=asked.model, demo=asked.demo
    )
    return Config(endpoint, system=clean(asked.system), model=asked.model)


def _chat(config: Config, session_id: str, resume: bool, server: str) -> int:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print("streamtui: the chat needs a terminal for input and output.", file=sys.stderr)
        return EXIT_USAGE
    # Textual paints at most so often: at its own 60, a key typed while a reply streams takes 32 ms to show, now 12.
    os.environ.setdefault("TEXTUAL_FPS", "120")
    # Imported here: Textual takes 0.3 s, and --help has no use for it.
    from streamtui import paths
    from streamtui.ui.app import StreamTUI

    app = StreamTUI(config, paths.database(), session_id=session_id, resume=resume)
    try:
        app.run()
    finally:
        saved = app.close()
    if not saved:
        print(f"streamtui: the end of the conversation was not saved. {app.store.trouble}", file=sys.stderr)
        return EXIT_FAILED
    session = app.chat.session
    if session is not None and session.messages:
        print(f"streamtui {server}--session {session.id[:8]} goes on with “{session.title}”.")
    return app.return_code or 0
