"""The `streamtui serve` command: the relay and its client tokens."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from streamtui import paths
from streamtui.cli import EXIT_USAGE, fail, print_error
from streamtui.cli.argument_parser import Parser
from streamtui.cli.options import add_debug_option, add_endpoint_options, config_from, port, positive
from streamtui.config import Config, ConfigError, Endpoint, Origin, is_loopback
from streamtui.server.client_tokens import ClientTokens, TokenError

if TYPE_CHECKING:
    import socket

    from streamtui.server.relay import Settings

PORT = 8787
_TOKENS = "token"


def parser() -> argparse.ArgumentParser:
    """Return the argument parser, without that of `streamtui serve token`."""
    parser = Parser(
        prog="streamtui serve",
        usage="streamtui serve [OPTIONS]\n       streamtui serve token COMMAND",
        commands=[_TOKENS],
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Run an OpenAI-compatible relay that forwards requests to your endpoints with their API keys.",
        epilog="examples:\n"
        "  streamtui serve                        serve your endpoints on this machine\n"
        "  streamtui serve token add laptop       create a client token\n"
        "  streamtui serve token list             list client tokens\n"
        "  streamtui serve token revoke laptop    revoke a client token\n"
        "  streamtui serve --host 0.0.0.0         serve other machines (needs a token)",
    )
    add_endpoint_options(parser)
    _add_address(parser.add_argument_group("server"))
    _add_clients(parser.add_argument_group("access"))
    _add_limits(parser.add_argument_group("limits per worker"))
    add_debug_option(parser)
    parser.add_argument("--quiet", action="store_true", help="log errors only, not every request")
    return parser


def _add_address(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--host",
        metavar="NAME",
        default="127.0.0.1",
        help="address to listen on (default: %(default)s, this machine only)",
    )
    group.add_argument(
        "--port", type=port, metavar="N", default=PORT, help="port; 0 for any free port (default: %(default)s)"
    )
    group.add_argument("--unix", type=Path, metavar="PATH", help="listen on a Unix socket instead")
    group.add_argument("--workers", type=positive, metavar="N", default=1, help="worker processes (default: 1)")


def _add_clients(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--no-token", action="store_true", help="accept requests without a token, even if tokens exist")
    group.add_argument(
        "--allow-host", metavar="NAME", action="append", default=[], help="host name to accept, * for any (repeatable)"
    )
    group.add_argument(
        "--cors-origin",
        metavar="ORIGIN",
        action="append",
        default=[],
        help="web origin to allow, * for any (repeatable)",
    )


def _add_limits(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--max-body", type=positive, metavar="MIB", default=32, help="request size in MiB (default: 32)")
    group.add_argument(
        "--max-streams", type=positive, metavar="N", default=1000, help="concurrent requests (default: 1000)"
    )
    group.add_argument(
        "--rate", type=positive, metavar="N", default=0, help="requests per minute and token (default: unlimited)"
    )
    group.add_argument(
        "--timeout", type=positive, metavar="S", default=600, help="seconds to wait for upstream data (default: 600)"
    )
    group.add_argument(
        "--grace",
        type=positive,
        metavar="S",
        default=30,
        help="seconds to let streams finish on shutdown (default: 30)",
    )


def main(arguments: Sequence[str]) -> int:
    """Run the relay or manage client tokens. Return 0, 1 for a failure, 2 for invalid arguments."""
    if arguments[:1] == [_TOKENS]:
        return _manage_tokens(arguments[1:])
    args = parser().parse_args(arguments)
    missing = [name for name in ("fastapi", "prometheus_client", "uvicorn") if find_spec(name) is None]
    if missing:
        return fail(f"serve needs {' and '.join(missing)}. Run: pip install 'streamtui[serve]'")
    try:
        config = config_from(args)
        settings = _settings(args, config)
        for problem in config.warnings:
            print_error(problem)
    except ConfigError as error:
        return fail(str(error), EXIT_USAGE)
    return _serve(args, settings)


def _settings(args: argparse.Namespace, config: Config) -> "Settings":
    """Return the settings of the relay. Raises ConfigError for an unsafe combination."""
    from streamtui.server.limits import Limits
    from streamtui.server.relay import Settings

    served = served_endpoints(config)
    if all(endpoint.needs_key for endpoint in served.values()):
        raise ConfigError(f"No API key. Set {config.endpoint.key_variable}, or try streamtui serve --demo.")
    tokens = _required_tokens(args)
    origins = tuple(map(_origin, args.cors_origin))
    if tokens is None or not tokens.are_required():
        for option, names in (("--cors-origin", origins), ("--allow-host", args.allow_host)):
            if "*" in names:
                raise ConfigError(
                    f"With {option} '*', any web page could use the relay. "
                    "Create a token first: streamtui serve token add NAME."
                )
    return Settings(
        config.endpoint,
        served,
        tokens,
        hosts=(args.host, *args.allow_host),
        origins=origins,
        limits=Limits(args.max_body * 1024 * 1024, args.max_streams, args.rate),
        read_timeout=args.timeout,
    )


def _origin(text: str) -> str:
    """Return an origin as browsers send it. Raises ConfigError."""
    origin = text.rstrip("/").lower()
    scheme, found, host = origin.partition("://")
    if origin != "*" and not (scheme and found and host and "/" not in host):
        raise ConfigError(f"--cors-origin {text} must have a scheme and no path, for example https://example.com.")
    return origin


def served_endpoints(config: Config) -> dict[str, Endpoint]:
    """Return the endpoints to serve, by name.

    That is the one selected by a flag, else the default one, those in the settings file and those with an API key.
    """
    if config.source_of("endpoint").origin is Origin.FLAG:
        return {config.endpoint.name: config.endpoint}
    return {
        name: endpoint
        for name, endpoint in config.endpoints.items()
        if name == config.endpoint.name or endpoint.api_key or endpoint.fetches_key or _is_in_file(name, config)
    }


def _is_in_file(name: str, config: Config) -> bool:
    # The parameters of an endpoint include those set for all endpoints.
    start, parameters = f"endpoints.{name}.", f"endpoints.{name}.parameters."
    return any(
        source.origin is Origin.FILE and key.startswith(start) and not key.startswith(parameters)
        for key, source in config.sources.items()
    )


def _required_tokens(args: argparse.Namespace) -> ClientTokens | None:
    """Return the accepted tokens, required once any exist; None with --no-token. Raises ConfigError."""
    tokens = ClientTokens(paths.client_tokens())
    local = args.unix is not None or is_loopback(args.host)
    if args.no_token:
        if not local:
            raise ConfigError(f"Other machines can reach {args.host}, so clients need a token. Leave out --no-token.")
        return None
    try:
        exist = bool(tokens.all())
    except OSError as error:
        raise ConfigError(f"Can't read the tokens in {paths.client_tokens()}: {error.strerror}.") from None
    if exist:
        return tokens
    if not local:
        raise ConfigError(
            f"Other machines can reach {args.host}, so clients need a token. "
            "Create one: streamtui serve token add NAME."
        )
    return ClientTokens(paths.client_tokens(), required=False)


def _serve(args: argparse.Namespace, settings: "Settings") -> int:
    from streamtui.server.runner import ServerOptions, run

    try:
        with _listening(args) as sockets:
            _print_address(args, sockets[0].getsockname(), settings)
            run(settings, sockets, ServerOptions(args.workers, args.grace, args.quiet, args.debug))
    except OSError as error:
        return fail(f"Can't listen on {args.unix or f'{args.host}:{args.port}'}: {error.strerror}.")
    return 0


def _listening(args: argparse.Namespace) -> "AbstractContextManager[list[socket.socket]]":
    from streamtui.server.runner import listening, listening_on_unix_socket

    return listening_on_unix_socket(args.unix) if args.unix is not None else listening(args.host, args.port)


def _print_address(args: argparse.Namespace, address: object, settings: "Settings") -> None:
    host = f"[{args.host}]" if ":" in args.host else args.host
    place = args.unix or (f"http://{host}:{address[1]}/v1" if isinstance(address, tuple) else "")
    required = settings.tokens is not None and settings.tokens.are_required()
    names = ", ".join(settings.endpoints)
    access = "token required" if required else "no token required"
    print(f"Serving {names} at {place} ({access}). Press Ctrl+C to stop.", flush=True)


def _manage_tokens(arguments: Sequence[str]) -> int:
    """Run `streamtui serve token`."""
    parser = Parser(
        prog="streamtui serve token", description="Manage the tokens that clients of the relay authenticate with."
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="COMMAND")
    actions.add_parser("add", help="create a token and print it once").add_argument("name")
    actions.add_parser("list", help="list token names")
    actions.add_parser("revoke", help="revoke a token").add_argument("name")
    args = parser.parse_args(arguments or ["list"])
    tokens = ClientTokens(paths.client_tokens())
    try:
        if args.action == "add":
            print(tokens.add(args.name))
            print("The token can't be shown again; only its hash is stored.", file=sys.stderr)
        elif args.action == "revoke":
            tokens.revoke(args.name)
        else:
            found = tokens.all()
            for token in found:
                print(f"{token.name:<20} {datetime.fromtimestamp(token.created):%Y-%m-%d %H:%M}")
            if not found:
                print("No tokens yet. To create one, run streamtui serve token add NAME.", file=sys.stderr)
    except TokenError as error:
        return fail(str(error))
    except OSError as error:
        return fail(f"Can't write {paths.client_tokens()}: {error.strerror}.")
    return 0
