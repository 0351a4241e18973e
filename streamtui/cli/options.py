"""Options shared by commands that talk to a model, and the configuration they make."""

import argparse
import os
from dataclasses import replace
from typing import Any

from streamtui.config import DEMO, Api, Config, ConfigError, Origin
from streamtui.config.loader import CliOverrides, load
from streamtui.core.parameters import Parameters, parameters_from
from streamtui.core.sanitize import clean, clean_line


def add_server_options(parser: argparse.ArgumentParser) -> None:
    """Add the endpoint, model and request options that `config_from` reads."""
    add_endpoint_options(parser)
    add_parameter_options(parser)


def add_endpoint_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that select an endpoint and a model."""
    group = parser.add_argument_group("endpoint and model")
    group.add_argument(
        "-e", "--endpoint", metavar="NAME", default="", help="endpoint to use, built in or from config.toml"
    )
    group.add_argument("--demo", action="store_true", help="use the built-in demo (no API key, no network)")
    group.add_argument(
        "--base-url",
        metavar="URL",
        default="",
        help="use an OpenAI-compatible server, for example http://localhost:11434/v1",
    )
    group.add_argument(
        "--api-key-env", metavar="NAME", default="", help="environment variable with the API key for that server"
    )
    group.add_argument("--api", choices=list(Api), help="API to use")
    group.add_argument("-m", "--model", metavar="NAME", default="", help="model to use")


def add_parameter_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for the prompt and the request parameters."""
    group = parser.add_argument_group("request")
    group.add_argument("-s", "--system", metavar="TEXT", default="", help="system prompt of a new session")
    group.add_argument(
        "--preset", metavar="NAME", default="", help="preset of system prompt, model and parameters to use"
    )
    for name, kind, about in _NUMBERS:
        group.add_argument(f"--{name}", metavar="N", type=kind, help=about)
    group.add_argument("--stop", metavar="TEXT", action="append", help="stop sequence (repeatable)")
    group.add_argument("--reasoning-effort", metavar="LEVEL", help="minimal, low, medium, high, …")
    group.add_argument(
        "--unset",
        metavar="NAME",
        action="append",
        choices=[name for name, *_ in _NUMBERS] + ["stop", "reasoning-effort", "extra"],
        help="omit a parameter that your settings set, for example temperature (repeatable)",
    )
    group.add_argument("--extra", metavar="KEY=JSON", action="append", help="additional request field (repeatable)")
    group.add_argument(
        "--moderate", action="store_true", help="check the reply with the moderation API while it streams"
    )
    group.add_argument("--pace", metavar="N", type=float, help="show at most N characters per second")


_NUMBERS = (
    ("temperature", float, "sampling temperature, 0 to 2"),
    ("top-p", float, "nucleus sampling probability, 0 to 1"),
    ("max-tokens", int, "maximum number of tokens in the reply"),
    ("seed", int, "seed for reproducible sampling"),
    ("presence-penalty", float, "penalty for tokens that have appeared, -2 to 2"),
    ("frequency-penalty", float, "penalty for tokens by how often they appeared, -2 to 2"),
)


def config_from(args: argparse.Namespace) -> Config:
    """Return the configuration from flags, environment and settings file. Raises ConfigError.

    `args` need not have all options.
    """
    given = vars(args)

    def text(name: str) -> str:
        return clean_line(given.get(name) or "")

    if given.get("demo") and (text("base_url") or text("api_key_env") or text("endpoint")):
        raise ConfigError("--demo can't be combined with --endpoint, --base-url or --api-key-env.")
    if text("endpoint") and text("base_url"):
        raise ConfigError("--endpoint can't be combined with --base-url.")
    overrides = CliOverrides(
        demo=bool(given.get("demo")),
        endpoint=text("endpoint"),
        base_url=text("base_url"),
        api_key_env=text("api_key_env"),
        model=text("model"),
        system=clean(given.get("system") or ""),
        preset=text("preset"),
        api=Api(given["api"]) if given.get("api") else None,
        parameters=_parameters(given),
        pace=_pace(given.get("pace")),
        moderate=bool(given.get("moderate")),
    )
    config = load(overrides, os.environ)
    resumes = bool(given.get("resume") or given.get("session"))
    if not (resumes and overrides.api_key_env) or config.source_of("endpoint").origin is Origin.FLAG:
        return config
    # The key is for the session's endpoint, not for the default one.
    key = (overrides.api_key_env, config.endpoint.api_key)
    return replace(load(replace(overrides, api_key_env=""), os.environ), session_key=key)


def _parameters(given: dict[str, Any]) -> Parameters:
    names = [name.replace("-", "_") for name, *_ in _NUMBERS] + ["stop", "reasoning_effort"]
    values = {name: given[name] for name in names if given.get(name) is not None}
    values["extra"] = dict(map(_field, given.get("extra") or ()))
    unset = [name.replace("-", "_") for name in given.get("unset") or ()]
    if both := [name.replace("_", "-") for name in unset if values.get(name) not in (None, {})]:
        raise ConfigError(f"--{both[0]} can't be combined with --unset {both[0]}.")
    try:
        return parameters_from({**values, "unset": unset})
    except ValueError as error:
        name, _, expected = str(error).partition(" ")
        raise ConfigError(f"--{name.replace('_', '-')} {expected}.") from None


def _field(text: str) -> tuple[str, Any]:
    import json

    name, equals, value = text.partition("=")
    try:
        if not (equals and name.strip()):
            raise ValueError(text)
        return name.strip(), json.loads(value, parse_constant=_reject_constant)
    except ValueError:
        raise ConfigError(
            f"""--extra {clean_line(name)!r} must be KEY=JSON, for example --extra top_k=40 or --extra 'user="me"'."""
        ) from None


def _reject_constant(text: str) -> float:
    raise ValueError(text)  # NaN and Infinity are not valid JSON


def _pace(pace: float | None) -> float | None:
    if pace is not None and not 0 < pace <= 1e6:
        raise ConfigError("--pace must be a positive number of characters per second, for example --pace 200.")
    return pace


def endpoint_flags(config: Config, args: argparse.Namespace, name: str) -> list[str]:
    """Return the flags that select the endpoint `name` on the next start; none if it is the default."""
    if name == DEMO.name:
        return ["--demo"]
    if name != config.endpoint.name:
        return ["-e", name] if name in config.endpoints else []  # a session stores its address
    if config.source_of("endpoint").origin is not Origin.FLAG:
        return []
    if not args.base_url:
        return ["-e", name]
    from streamtui.core.redaction import without_password

    key = ["--api-key-env", args.api_key_env] if args.api_key_env else []
    return ["--base-url", without_password(args.base_url), *key]


def add_debug_option(parser: argparse.ArgumentParser) -> None:
    """Add `--debug`."""
    parser.add_argument("--debug", action="store_true", help="write a debug log (without API keys and messages)")


def positive(text: str) -> int:
    """Parse a positive integer. Raises argparse.ArgumentTypeError."""
    if not (text.isdecimal() and len(text) < 10 and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is not an integer from 1 to 999,999,999")
    return int(text)


def port(text: str) -> int:
    """Parse a TCP port; 0 means any free port. Raises argparse.ArgumentTypeError."""
    if not (text.isascii() and text.isdecimal() and len(text) < 6 and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port number (0 to 65535)")
    return int(text)


def add_session_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that select a saved session."""
    group = parser.add_argument_group("session").add_mutually_exclusive_group()
    group.add_argument(
        "-c", "--continue", dest="resume", action="store_const", const=1, default=0, help="continue the latest session"
    )
    group.add_argument("--last", dest="resume", type=positive, metavar="N", help="continue the Nth latest session")
    group.add_argument("--session", metavar="ID", default="", help="continue the session with this id or id prefix")
