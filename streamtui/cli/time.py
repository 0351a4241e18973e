"""`streamtui time`: the same request streamed and not, side by side."""

import argparse
import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING

from streamtui import paths
from streamtui.cli import EXIT_FAILED, EXIT_USAGE
from streamtui.cli.argument_parser import Parser
from streamtui.cli.ask import add_question_options, question_of
from streamtui.cli.options import add_server_options, config_from
from streamtui.cli.quiet_exit import run_quietly, say
from streamtui.config import Config, ConfigError

if TYPE_CHECKING:
    from streamtui.ask.prompt_input import Question
    from streamtui.ask.stream_timing import Speed


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command's arguments."""
    parser = Parser(
        prog="streamtui time",
        description="Asks the same twice, streamed and as a whole, and shows what streaming buys. Nothing is saved.",
    )
    add_question_options(parser)
    add_server_options(parser)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Asks twice and prints a table and a plot. Returns 0, 1 if one was not answered, 2 for wrong arguments."""
    asked = parser().parse_args(arguments)
    from streamtui.ask.prompt_input import QuestionError

    try:
        config, question = config_from(asked), question_of(asked)
    except (ConfigError, QuestionError) as error:
        say(str(error))
        return EXIT_USAGE
    return run_quietly(_compare(config, question))


async def _compare(config: Config, question: "Question") -> int:
    from streamtui.ask.comparison import PLOT_WIDTH, plot, table

    streamed = await _timed(config, question, True)
    whole = await _timed(config, question, False) if streamed is not None else None
    if streamed is None or whole is None:
        return EXIT_FAILED
    width = max(10, min(PLOT_WIDTH, shutil.get_terminal_size().columns - 12))
    print(*table(streamed, whole), "", *plot(streamed, whole, width), sep="\n", flush=True)
    return 0


async def _timed(config: Config, question: "Question", stream: bool) -> "Speed | None":
    """Asks once, with a connection of its own; None, said on stderr, where there is no answer."""
    from dataclasses import replace

    from streamtui.ask.output import Silent
    from streamtui.ask.runner import Asker
    from streamtui.core.session import Session
    from streamtui.providers import connect
    from streamtui.storage import Store

    endpoint = config.endpoint
    provider = connect(endpoint)
    session = Session(endpoint=endpoint.name, model=config.model or endpoint.model, system=config.system)
    session.parameters = config.new_parameters
    store = Store(paths.database(), say, saves=False)
    try:
        asker = Asker(replace(config, pace=None), session, provider, store, stream=stream, tell=say)
        await asker.get_ready()
        output = Silent()
        reply = await asker.ask(question, output)
    finally:
        await provider.aclose()
        store.close()
    if reply.error:
        say(reply.error)
        return None
    return output.speed
