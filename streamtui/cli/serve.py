"""`streamtui serve`: the relay, and the tokens of its clients."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from streamtui import paths
from streamtui.cli import EXIT_FAILED, EXIT_USAGE
from streamtui.cli.argument_parser import Parser
from streamtui.cli.options import add_debug_option, add_endpoint_options, config_from, port
from streamtui.config import Config, ConfigError, Endpoint, Origin, is_loopback
from streamtui.server.client_tokens import ClientTokens, TokenError

if TYPE_CHECKING:
    import socket

    from streamtui.server.relay import Settings

PORT = 8787
_TOKENS = "token"


def parser() -> argparse.ArgumentParser:
    """Returns the parser of all arguments but those of `streamtui serve token`."""
    parser = Parser(
        prog="streamtui serve",
        commands=[_TOKENS],
        description="An OpenAI-compatible server that passes requests on to your endpoints, with their keys.",
        epilog="tokens: streamtui serve token add NAME, revoke NAME, list",
    )
    add_endpoint_options(parser)
    _add_address(parser.add_argument_group("where it listens"))
    _add_clients(parser.add_argument_group("who may use it"))
    _add_limits(parser.add_argument_group("limits, of each worker"))
    add_debug_option(parser)
    parser.add_argument("--quiet", action="store_true", help="log trouble only, not every request")
    return parser


def _add_address(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--host", metavar="NAME", default="127.0.0.1", help="default: %(default)s, this machine only")
    group.add_argument("--port", type=port, metavar="N", default=PORT, help="default: %(default)s; 0: any free one")
    group.add_argument("--unix", type=Path, metavar="PATH", help="a Unix socket, in place of host and port")
    group.add_argument("--workers", type=_number, metavar="N", default=1, help="processes; default: 1")


def _add_clients(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--no-token", action="store_true", help="ask for no token, though there are some")
    group.add_argument(
        "--allow-host", metavar="NAME", action="append", default=[], help="another name it is called by; *: any"
    )
    group.add_argument(
        "--cors-origin", metavar="ORIGIN", action="append", default=[], help="web pages that may use it; *: any"
    )


def _add_limits(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--max-body", type=_number, metavar="MIB", default=32, help="of a request; default: 32")
    group.add_argument("--max-streams", type=_number, metavar="N", default=1000, help="at once; default: 1000")
    group.add_argument(
        "--rate", type=_number, metavar="N", default=0, help="requests a minute of a token; default: any"
    )
    group.add_argument(
        "--timeout", type=_number, metavar="S", default=600, help="an endpoint may be silent; default: 600"
    )
    group.add_argument(
        "--grace", type=_number, metavar="S", default=30, help="streams may go on after ctrl+c; default: 30"
    )


def _number(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} should be a whole number above 0")
    return int(text)


def main(arguments: Sequence[str]) -> int:
    """Runs the relay, or does what `token` says. Returns 0, 1 if it failed, 2 for arguments that can't be used."""
    if arguments[:1] == [_TOKENS]:
        return _tokens(arguments[1:])
    asked = parser().parse_args(arguments)
    missing = [name for name in ("fastapi", "uvicorn") if find_spec(name) is None]
    if missing:
        return _failed(f"serve needs {' and '.join(missing)}: pip install 'streamtui[serve]'")
    try:
        config = config_from(asked)
        settings = _settings(asked, config)
        for trouble in config.troubles:
            print(f"streamtui: {trouble}", file=sys.stderr)
    except ConfigError as error:
        return _failed(str(error), EXIT_USAGE)
    return _serve(asked, settings)


def _failed(sentence: str, status: int = EXIT_FAILED) -> int:
    print(f"streamtui: {sentence}", file=sys.stderr)
    return status


def _settings(asked: argparse.Namespace, config: Config) -> "Settings":
    """Returns what the relay is started with. Raises ConfigError for a combination that would not be safe."""
    from streamtui.server.limits import Limits
    from streamtui.server.relay import Settings

    served = served_of(config)
    if all(endpoint.needs_key for endpoint in served.values()):
        raise ConfigError(f"No API key is set: set {config.endpoint.key_variable}, or try streamtui serve --demo.")
    tokens = _required_tokens(asked)
    origins = tuple(map(_origin, asked.cors_origin))
    if tokens is None or not tokens.are_required():
        for option, names in (("--cors-origin", origins), ("--allow-host", asked.allow_host)):
            if "*" in names:
                raise ConfigError(
                    f"With {option} '*' any web page could use the relay: "
                    "make a token with streamtui serve token add NAME."
                )
    return Settings(
        config.endpoint,
        served,
        tokens,
        hosts=(asked.host, *asked.allow_host),
        origins=origins,
        limits=Limits(asked.max_body * 1024 * 1024, asked.max_streams, asked.rate),
        silence=asked.timeout,
    )


def _origin(text: str) -> str:
    """Return an origin as browsers send it. Raises ConfigError for what no browser sends."""
    origin = text.rstrip("/").lower()
    scheme, found, host = origin.partition("://")
    if origin != "*" and not (scheme and found and host and "/" not in host):
        raise ConfigError(f"--cors-origin {text}: write it with its scheme and without a path, as https://example.com.")
    return origin


def served_of(config: Config) -> dict[str, Endpoint]:
    """Returns the endpoints that are served, by name: the one that a flag names and no other, else all that the user
    has set up: the usual one, those of the file, and those with a key."""
    if config.source_of("endpoint").origin is Origin.FLAG:
        return {config.endpoint.name: config.endpoint}
    return {
        name: endpoint
        for name, endpoint in config.endpoints.items()
        if name == config.endpoint.name or endpoint.api_key or endpoint.fetches_key or _is_in_file(name, config)
    }


def _is_in_file(name: str, config: Config) -> bool:
    # The parameters are those of the whole file too.
    start, parameters = f"endpoints.{name}.", f"endpoints.{name}.parameters."
    return any(
        source.origin is Origin.FILE and key.startswith(start) and not key.startswith(parameters)
        for key, source in config.sources.items()
    )


def _required_tokens(asked: argparse.Namespace) -> ClientTokens | None:
    """Returns the tokens of which requests need one, at once or as soon as there are any; None with --no-token."""
    tokens = ClientTokens(paths.client_tokens())
    alone = asked.unix is not None or is_loopback(asked.host)
    if asked.no_token:
        if not alone:
            raise ConfigError(f"{asked.host} can be reached by others, who need a token: leave --no-token out.")
        return None
    try:
        some = bool(tokens.all())
    except OSError as error:
        raise ConfigError(f"The tokens in {paths.client_tokens()} can't be read: {error.strerror}.") from None
    if some:
        return tokens
    if not alone:
        raise ConfigError(
            f"{asked.host} can be reached by others, who need a token: make one with streamtui serve token add NAME."
        )
    return ClientTokens(paths.client_tokens(), required=False)


def _serve(asked: argparse.Namespace, settings: "Settings") -> int:
    from streamtui.server.runner import Running, run

    try:
        with _listening(asked) as sockets:
            _say_where(asked, sockets[0].getsockname(), settings)
            run(settings, sockets, Running(asked.workers, asked.grace, asked.quiet, asked.debug))
    except OSError as error:
        place = asked.unix or f"port {asked.port} of {asked.host}"
        return _failed(f"The relay can't listen at {place}: {error.strerror}.")
    return 0


def _listening(asked: argparse.Namespace) -> "AbstractContextManager[list[socket.socket]]":
    from streamtui.server.runner import listening, listening_at

    return listening_at(asked.unix) if asked.unix is not None else listening(asked.host, asked.port)


def _say_where(asked: argparse.Namespace, address: object, settings: "Settings") -> None:
    host = f"[{asked.host}]" if ":" in asked.host else asked.host
    place = asked.unix or (f"http://{host}:{address[1]}/v1" if isinstance(address, tuple) else "")
    needed = "with a token" if settings.tokens is not None and settings.tokens.are_required() else "without a token"
    names = ", ".join(settings.endpoints)
    print(f"streamtui serves {names} at {place}, {needed}. ctrl+c ends it.", flush=True)


def _tokens(arguments: Sequence[str]) -> int:
    """Does what `streamtui serve token` is told."""
    parser = Parser(prog="streamtui serve token", description="Who may use the relay.")
    actions = parser.add_subparsers(dest="action", required=True, metavar="add, list or revoke")
    actions.add_parser("add", help="make a token and show it, once").add_argument("name")
    actions.add_parser("list", help="show the names of all tokens")
    actions.add_parser("revoke", help="take a token back").add_argument("name")
    asked = parser.parse_args(arguments or ["list"])
    tokens = ClientTokens(paths.client_tokens())
    try:
        if asked.action == "add":
            print(tokens.add(asked.name))
            print("This is the only time it is shown; what is kept is a hash.", file=sys.stderr)
        elif asked.action == "revoke":
            tokens.revoke(asked.name)
        else:
            found = tokens.all()
            for token in found:
                print(f"{token.name:<20} {datetime.fromtimestamp(token.created):%Y-%m-%d %H:%M}")
            if not found:
                print("There are no tokens yet; streamtui serve token add NAME makes one.", file=sys.stderr)
    except TokenError as error:
        return _failed(str(error))
    except OSError as error:
        return _failed(f"The tokens in {paths.client_tokens()} can't be kept: {error.strerror}.")
    return 0
