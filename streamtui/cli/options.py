"""The options of every command that asks a model: who answers, and how."""

import argparse
import os
from dataclasses import replace
from typing import Any

from streamtui.config import DEMO, Api, Config, ConfigError, Origin
from streamtui.config.loader import Asked, load
from streamtui.core.parameters import Parameters, parameters_from
from streamtui.core.sanitize import clean, clean_line


def add_server_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options that say who answers, and how; `config_from` reads them."""
    add_endpoint_options(parser)
    add_parameter_options(parser)


def add_endpoint_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options that say who answers."""
    server = parser.add_argument_group("who answers")
    server.add_argument(
        "-e", "--endpoint", metavar="NAME", default="", help="a server by its name: ready-made, or from config.toml"
    )
    server.add_argument("--demo", action="store_true", help="the built-in demo: no key, no network")
    server.add_argument(
        "--base-url", metavar="URL", default="", help="a compatible server, as http://localhost:11434/v1"
    )
    server.add_argument(
        "--api-key-env", metavar="NAME", default="", help="the environment variable with that server's key"
    )
    server.add_argument("--api", choices=list(Api), help="how to ask: by the API that is named")
    server.add_argument("-m", "--model", metavar="NAME", default="", help="the model to ask")


def add_parameter_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options that say how to answer."""
    group = parser.add_argument_group("how")
    group.add_argument("-s", "--system", metavar="TEXT", default="", help="a system prompt for a new session")
    group.add_argument("--preset", metavar="NAME", default="", help="system prompt, model and parameters by their name")
    for name, kind, does in _NUMBERS:
        group.add_argument(f"--{name}", metavar="N", type=kind, help=does)
    group.add_argument("--stop", metavar="TEXT", action="append", help="end the reply before this text (repeatable)")
    group.add_argument("--reasoning-effort", metavar="WORD", help="how much to think: minimal, low, medium, high …")
    group.add_argument(
        "--unset",
        metavar="NAME",
        action="append",
        choices=[name for name, *_ in _NUMBERS] + ["stop", "reasoning-effort", "extra"],
        help="do not send this parameter, as temperature or top-p, though your settings set it (repeatable)",
    )
    group.add_argument(
        "--extra", metavar="KEY=JSON", action="append", help="any other field of the request (repeatable)"
    )
    group.add_argument(
        "--moderate", action="store_true", help="let the server's moderation check the reply as it comes"
    )
    group.add_argument("--pace", metavar="N", type=float, help="show replies at N characters a second at most")


_NUMBERS = (
    ("temperature", float, "0: always the likeliest word, 2: the least likely too"),
    ("top-p", float, "choose among the likeliest words that make up this share, 0 to 1"),
    ("max-tokens", int, "tokens of the reply at most"),
    ("seed", int, "the same seed asks for the same reply"),
    ("presence-penalty", float, "-2 to 2: above 0 speaks against words already used"),
    ("frequency-penalty", float, "-2 to 2: above 0 speaks against words used often"),
)


def config_from(asked: argparse.Namespace) -> Config:
    """Returns what flags, environment and file ask for. Raises ConfigError.

    A command may leave out any option: what is not in `asked` was not asked for.
    """
    given = vars(asked)

    def text(name: str) -> str:
        return clean_line(given.get(name) or "")

    if given.get("demo") and (text("base_url") or text("api_key_env") or text("endpoint")):
        raise ConfigError("--demo answers by itself: leave out --endpoint, --base-url and --api-key-env.")
    if text("endpoint") and text("base_url"):
        raise ConfigError("--endpoint and --base-url both name a server: leave one of them out.")
    wanted = Asked(
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
    config = load(wanted, os.environ)
    resumes = bool(given.get("resume") or given.get("session"))
    if not (resumes and wanted.api_key_env) or config.source_of("endpoint").origin is Origin.FLAG:
        return config
    # The key is for the server of the session, whatever the usual one is.
    key = (wanted.api_key_env, config.endpoint.api_key)
    return replace(load(replace(wanted, api_key_env=""), os.environ), session_key=key)


def _parameters(given: dict[str, Any]) -> Parameters:
    names = [name.replace("-", "_") for name, *_ in _NUMBERS] + ["stop", "reasoning_effort"]
    values = {name: given[name] for name in names if given.get(name) is not None}
    values["extra"] = dict(map(_field, given.get("extra") or ()))
    unset = [name.replace("-", "_") for name in given.get("unset") or ()]
    if both := [name.replace("_", "-") for name in unset if values.get(name) not in (None, {})]:
        raise ConfigError(f"--{both[0]} and --unset {both[0]} contradict each other: leave one of them out.")
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
        return name.strip(), json.loads(value, parse_constant=_no_number)
    except ValueError:
        raise ConfigError(
            f"""--extra {clean_line(name)!r} should be KEY=JSON, as in --extra top_k=40 or --extra 'user="me"'."""
        ) from None


def _no_number(text: str) -> float:
    raise ValueError(text)  # NaN and Infinity are no JSON


def _pace(pace: float | None) -> float | None:
    if pace is not None and not 0 < pace <= 1e6:
        raise ConfigError("--pace should be a number of characters a second above 0, as in --pace 200.")
    return pace


def server_flags(config: Config, asked: argparse.Namespace, name: str) -> list[str]:
    """Returns the flags with which the next start talks to the endpoint called `name`; none where it does anyway."""
    if name == DEMO.name:
        return ["--demo"]
    if name != config.endpoint.name:
        return ["-e", name] if name in config.endpoints else []  # the session knows the address by itself
    if config.source_of("endpoint").origin is not Origin.FLAG:
        return []
    if not asked.base_url:
        return ["-e", name]
    from streamtui.core.redaction import without_password

    key = ["--api-key-env", asked.api_key_env] if asked.api_key_env else []
    return ["--base-url", without_password(asked.base_url), *key]


def add_debug_option(parser: argparse.ArgumentParser) -> None:
    """Adds the option that raises the level of the log."""
    parser.add_argument(
        "--debug", action="store_true", help="write what the program does to its log, without keys and messages"
    )


def positive(text: str) -> int:
    """Returns a whole number from 1. Raises argparse.ArgumentTypeError."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} should be a whole number from 1")
    return int(text)


def port(text: str) -> int:
    """Returns a TCP port; 0 is any free one. Raises argparse.ArgumentTypeError."""
    if not (text.isascii() and text.isdecimal() and len(text) < 6 and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} should be a port, 0 to 65535")
    return int(text)


def add_session_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options that say which session goes on."""
    session = parser.add_argument_group("which session").add_mutually_exclusive_group()
    session.add_argument(
        "-c",
        "--continue",
        dest="resume",
        action="store_const",
        const=1,
        default=0,
        help="go on with the latest session",
    )
    session.add_argument("--last", dest="resume", type=positive, metavar="N", help="go on with the N-th latest session")
    session.add_argument(
        "--session", metavar="ID", default="", help="go on with that session; the beginning of its id will do"
    )
