"""The `streamtui config` command: settings and API keys."""

import argparse
import asyncio
import getpass
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from streamtui import paths
from streamtui.cli import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, discard_stdout, fail, print_error
from streamtui.cli.argument_parser import Parser
from streamtui.cli.options import add_server_options, config_from
from streamtui.config import Config, ConfigError
from streamtui.config.loader import CliOverrides, endpoint_not_configured, load


def parser() -> argparse.ArgumentParser:
    """Return the argument parser of the command."""
    parser = Parser(
        prog="streamtui config",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=f"Manage settings and API keys.\n\nSettings file: {paths.config_file()}",
        epilog="examples:\n"
        "  streamtui config init\n"
        "  streamtui config show -e ollama\n"
        "  streamtui config set-key openai",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="COMMAND")
    actions.add_parser("init", help="create config.toml with every setting explained")
    actions.add_parser("edit", help="open config.toml in $VISUAL or $EDITOR, then check it")
    actions.add_parser("check", help="check config.toml; exit with 1 if it has errors")
    show = actions.add_parser("show", help="show the effective settings and where each value comes from (keys margs)")
    add_server_options(show)
    actions.add_parser("path", help="print the path of config.toml")
    actions.add_parser("keys", help="list key bindings and the names to set them by")
    for action, verb in (("set-key", "store an API key in"), ("remove-key", "remove an API key from")):
        keyring = actions.add_parser(action, help=f"{verb} the system keyring")
        keyring.add_argument("endpoint", metavar="NAME", help="endpoint that the key is for")
    return parser


def main(arguments: Sequence[str]) -> int:
    """Run the command. Return 0, 1 for a failure or invalid settings, 2 for invalid arguments."""
    args = parser().parse_args(arguments or ["--help"])
    try:
        return _run(args)
    except ConfigError as error:
        return fail(str(error), EXIT_USAGE)
    except BrokenPipeError:
        discard_stdout()
        return EXIT_FAILED
    except OSError as error:
        return fail(f"{error.filename or paths.config_file()}: {error.strerror}.")
    except KeyboardInterrupt:
        print(file=sys.stderr)  # end the line of the password prompt
        return EXIT_INTERRUPTED


def _run(args: argparse.Namespace) -> int:
    match args.action:
        case "init":
            return _init(paths.config_file())
        case "edit":
            return _edit(paths.config_file())
        case "check":
            return _check(paths.config_file())
        case "show":
            return _show(config_from(args))
        case "keys":
            return _keys(config_from(args))
        case "path":
            print(paths.config_file())
            return 0
    return _keyring(args.action, args.endpoint)


def _init(file: Path) -> int:
    if not _write_template(file):
        return fail(f"{file} already exists. To open it, run streamtui config edit.")
    print(f"Created {file} with every setting explained and commented out.")
    print("To open it, run streamtui config edit; to check it, streamtui config check.")
    return 0


def _write_template(file: Path) -> bool:
    """Create the file from the template, readable by its owner only. Return False if it exists."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with open(descriptor, "w", encoding="utf-8") as opened:
        opened.write(resources.files("streamtui.config").joinpath("template.toml").read_text(encoding="utf-8"))
    return True


def _edit(file: Path) -> int:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    _write_template(file)
    try:
        status = subprocess.run([*shlex.split(editor), str(file)], check=False).returncode
    except (OSError, ValueError) as error:
        return fail(f"Can't start the editor {editor!r} ({error}). Set $EDITOR.")
    return fail(f"The editor exited with status {status}.") if status else _check(file)


def _check(file: Path) -> int:
    config = load(CliOverrides(), os.environ)
    problems = [*config.warnings, *_theme_problems(config)]
    for problem in problems:
        print(problem)
    if problems:
        return EXIT_FAILED
    print(f"{file}: no errors" if file.exists() else f"{file} does not exist. To create it, run streamtui config init.")
    return 0


def _theme_problems(config: Config) -> list[str]:
    """Return the errors in the selected theme and in the user's theme files."""
    if not config.theme and not paths.themes_dir().exists():
        return []
    # Imported here: it needs Textual.
    from streamtui.ui.themes import load_all, unknown_theme

    _, problems = load_all()
    if config.theme and (problem := unknown_theme(config.theme)):
        problems.append(f"{paths.config_dir() / str(config.source_of('theme'))}: {problem}")
    return problems


def _show(config: Config) -> int:
    from streamtui.cli.config_show import format_config

    print(format_config(config))
    for problem in config.warnings:
        print_error(problem)
    return 0


def _keys(config: Config) -> int:
    from streamtui.commands import remapped

    commands = remapped(config.keymap)
    width = max(len(command.id) for command in commands)
    for command in commands:
        print(f"{command.id:<{width}}  {command.shown_keys:<31} {command.description}")
    return 0


def _keyring(action: str, name: str) -> int:
    from streamtui.config.keyring_index import update_keyring_index
    from streamtui.providers.api_keys import delete_key, store_key
    from streamtui.providers.base import ProviderError

    endpoints = load(CliOverrides(), os.environ).endpoints
    if name not in endpoints:
        raise ConfigError(endpoint_not_configured(name, endpoints, paths.config_file()))
    endpoint = endpoints[name]
    try:
        if action == "remove-key":
            asyncio.run(delete_key(name))
            update_keyring_index(name, False)
            print(f"Removed the {name} API key from the keyring.")
            return 0
        asyncio.run(store_key(name, _read_key(name)))
        update_keyring_index(name, True)
    except ProviderError as error:
        return fail(error.message)
    print(f"Stored the {name} API key in the keyring. It is sent to {endpoint.base_url} only.")
    if endpoint.api_key_env and os.environ.get(endpoint.api_key_env):
        print(f"The environment variable {endpoint.api_key_env} is set and takes precedence.")
    return 0


def _read_key(name: str) -> str:
    from streamtui.config.validators import secret

    key = getpass.getpass(f"API key for {name} (hidden): ") if sys.stdin.isatty() else sys.stdin.readline()
    try:
        if checked := secret(key):
            return checked
    except ValueError as error:
        raise ConfigError(f"The API key {error}.") from None
    raise ConfigError("No API key was entered. Nothing was changed.")
