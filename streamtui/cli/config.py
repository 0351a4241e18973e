"""`streamtui config`: writes, opens, checks and shows the settings, and keeps keys in the system's keyring."""

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
from streamtui.cli import COMMANDS, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE
from streamtui.cli.argument_parser import Parser
from streamtui.cli.options import add_server_options, config_from
from streamtui.config import Config, ConfigError
from streamtui.config.loader import Asked, load, no_endpoint


def parser() -> argparse.ArgumentParser:
    """Returns the parser of all arguments."""
    parser = Parser(
        prog="streamtui config",
        description=f"{COMMANDS['config'].capitalize()}.",
        epilog=f"The settings are in {paths.config_file()}.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("init", help="write a config.toml in which every setting is explained")
    actions.add_parser("edit", help="open config.toml in $VISUAL or $EDITOR, and check it afterwards")
    actions.add_parser("check", help="say what in config.toml can't be used; exit with 1 if there is anything")
    show = actions.add_parser("show", help="show what holds and where each value comes from, keys masked")
    add_server_options(show)
    actions.add_parser("path", help="print where config.toml is")
    actions.add_parser("keys", help="list the actions whose keys can be set, with their keys")
    for action, does in (("set-key", "put the key of an endpoint into"), ("remove-key", "take it out of")):
        keeping = actions.add_parser(action, help=f"{does} the system's keyring")
        keeping.add_argument("endpoint", metavar="NAME", help="the endpoint whose key it is")
    return parser


def main(arguments: Sequence[str]) -> int:
    """Runs the command. Returns 0, 1 if it failed or the settings have mistakes, 2 for arguments it can't use."""
    asked = parser().parse_args(arguments or ["--help"])
    try:
        return _run(asked)
    except ConfigError as error:
        print(f"streamtui: {error}", file=sys.stderr)
        return EXIT_USAGE
    except BrokenPipeError:  # who reads it has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except OSError as error:
        print(f"streamtui: {error.filename or paths.config_file()}: {error.strerror}.", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        print(file=sys.stderr)  # behind the question that was left
        return EXIT_INTERRUPTED


def _run(asked: argparse.Namespace) -> int:
    match asked.action:
        case "init":
            return _init(paths.config_file())
        case "edit":
            return _edit(paths.config_file())
        case "check":
            return _check(paths.config_file())
        case "show":
            return _show(config_from(asked))
        case "keys":
            return _keys(config_from(asked))
        case "path":
            print(paths.config_file())
            return 0
    return _keyring(asked.action, asked.endpoint)


def _init(file: Path) -> int:
    if not _written(file):
        print(f"streamtui: {file} is there already; streamtui config edit opens it.", file=sys.stderr)
        return EXIT_FAILED
    print(f"Wrote {file}: every setting is in it, explained and commented out.")
    print("streamtui config edit opens it, streamtui config check looks for mistakes.")
    return 0


def _written(file: Path) -> bool:
    """Writes the template, for its owner only; False where the file is there already."""
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
    _written(file)
    try:
        status = subprocess.run([*shlex.split(editor), str(file)], check=False).returncode
    except (OSError, ValueError) as error:
        print(f"streamtui: the editor {editor!r} can't be started ({error}): set $EDITOR.", file=sys.stderr)
        return EXIT_FAILED
    if status:
        print(f"streamtui: the editor ended with {status}.", file=sys.stderr)
        return EXIT_FAILED
    return _check(file)


def _check(file: Path) -> int:
    config = load(Asked(), os.environ)
    troubles = [*config.troubles, *_troubles_with_themes(config)]
    for trouble in troubles:
        print(trouble)
    if troubles:
        return EXIT_FAILED
    print(f"{file} is all right." if file.exists() else f"There is no {file}; streamtui config init writes one.")
    return 0


def _troubles_with_themes(config: Config) -> list[str]:
    """What is wrong with the theme that is named, and with the user's own theme files."""
    if not config.theme and not paths.themes_dir().exists():
        return []
    # Imported here: it needs Textual.
    from streamtui.ui.themes import load_all, unknown_theme

    _, troubles = load_all()
    if config.theme and (trouble := unknown_theme(config.theme)):
        troubles.append(f"{paths.config_dir() / str(config.source_of('theme'))}: {trouble}")
    return troubles


def _show(config: Config) -> int:
    from streamtui.cli.config_show import shown

    print(shown(config))
    for trouble in config.troubles:
        print(f"streamtui: {trouble}", file=sys.stderr)
    return 0


def _keys(config: Config) -> int:
    from streamtui.keys import remapped

    entries = remapped(config.keymap)
    width = max(len(entry.id) for entry in entries)
    for entry in entries:
        print(f"{entry.id:<{width}}  {entry.shown:<31} {entry.does}")
    return 0


def _keyring(action: str, name: str) -> int:
    from streamtui.config.keyring_index import note_in_keyring
    from streamtui.providers.api_keys import forget_key, keep_key
    from streamtui.providers.base import ProviderError

    endpoints = load(Asked(), os.environ).endpoints
    if name not in endpoints:
        raise ConfigError(no_endpoint(action, name, endpoints, paths.config_file()))
    endpoint = endpoints[name]
    try:
        if action == "remove-key":
            asyncio.run(forget_key(name))
            note_in_keyring(name, False)
            print(f"The key of {name} is no longer in the keyring.")
            return 0
        asyncio.run(keep_key(name, _asked_key(name)))
        note_in_keyring(name, True)
    except ProviderError as error:
        print(f"streamtui: {error.sentence}", file=sys.stderr)
        return EXIT_FAILED
    print(f"The key of {name} is in the keyring; it goes to {endpoint.base_url} only.")
    if endpoint.api_key_env and os.environ.get(endpoint.api_key_env):
        print(f"While {endpoint.api_key_env} is set, that one is used.")
    return 0


def _asked_key(name: str) -> str:
    from streamtui.config.validators import secret

    key = getpass.getpass(f"Key for {name} (it is not shown): ") if sys.stdin.isatty() else sys.stdin.readline()
    try:
        if checked := secret(key):
            return checked
    except ValueError as error:
        raise ConfigError(f"What was entered {error}.") from None
    raise ConfigError("No key was entered; nothing is changed.")
