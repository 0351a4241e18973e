"""The options of every command that asks a model: who answers, and how."""

import argparse
import os

from streamtui.config import Config, ConfigError, endpoint_from
from streamtui.sanitize import clean


def add_server_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options that `config_from` reads."""
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


def config_from(asked: argparse.Namespace) -> Config:
    """Returns what flags, environment and file ask for. Raises ConfigError."""
    if asked.demo and (asked.base_url or asked.api_key_env):
        raise ConfigError("--demo answers by itself: leave out --base-url and --api-key-env, or leave out --demo.")
    endpoint = endpoint_from(
        os.environ, base_url=asked.base_url, api_key_env=asked.api_key_env, model=asked.model, demo=asked.demo
    )
    return Config(endpoint, system=clean(asked.system), model=asked.model)


def add_session_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options that say which session goes on."""
    session = parser.add_argument_group("which session").add_mutually_exclusive_group()
    session.add_argument("-c", "--continue", dest="resume", action="store_true", help="go on with the latest session")
    session.add_argument(
        "--session", metavar="ID", default="", help="go on with that session; the beginning of its id will do"
    )
