"""The `streamtui time` command: compare a streamed request with one that is not."""

import argparse
import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING

from streamtui import paths
from streamtui.cli import EXIT_FAILED, EXIT_USAGE, fail, print_error
from streamtui.cli.argument_parser import Parser
from streamtui.cli.ask import add_question_options, question_of
from streamtui.cli.options import add_server_options, config_from
from streamtui.cli.run_async import run_async
from streamtui.config import Config, ConfigError

if TYPE_CHECKING:
    from streamtui.ask.prompt_input import PromptInput
    from streamtui.ask.stream_timing import StreamTiming


def parser() -> argparse.ArgumentParser:
    """Return the argument parser of the command."""
    parser = Parser(
        prog="streamtui time",
        usage="streamtui time [OPTIONS] [PROMPT …]",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Send a prompt twice, streamed and not, and compare the timing. Nothing is saved.",
        epilog='example:\n  streamtui time "write a short story" -m gpt-5',
    )
    add_question_options(parser)
    add_server_options(parser)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Send the prompt twice; print a table and a plot. Return 0, 1 for a failed request, 2 for invalid arguments."""
    args = parser().parse_args(arguments)
    from streamtui.ask.prompt_input import PromptInputError

    try:
        config, question = config_from(args), question_of(args)
    except (ConfigError, PromptInputError) as error:
        return fail(str(error), EXIT_USAGE)
    return run_async(_compare(config, question))


async def _compare(config: Config, question: "PromptInput") -> int:
    from streamtui.ask.comparison import PLOT_WIDTH, plot, table

    streamed = await _timed(config, question, True)
    whole = await _timed(config, question, False) if streamed is not None else None
    if streamed is None or whole is None:
        return EXIT_FAILED
    width = max(10, min(PLOT_WIDTH, shutil.get_terminal_size().columns - 12))
    print(*table(streamed, whole), "", *plot(streamed, whole, width), sep="\n", flush=True)
    return 0


async def _timed(config: Config, question: "PromptInput", stream: bool) -> "StreamTiming | None":
    """Send the prompt once on a new connection. Print the error and return None if the request fails."""
    from dataclasses import replace

    from streamtui.ask.output import SilentOutput
    from streamtui.ask.runner import PromptRunner
    from streamtui.core.session import Session
    from streamtui.providers import connect
    from streamtui.storage import Store

    endpoint = config.endpoint
    provider = connect(endpoint)
    session = Session(endpoint=endpoint.name, model=config.model or endpoint.model, system=config.system)
    session.parameters = config.new_parameters
    store = Store(paths.database(), print_error, saves=False)
    try:
        asker = PromptRunner(replace(config, pace=None), session, provider, store, stream=stream, notify=print_error)
        await asker.prepare()
        output = SilentOutput()
        reply = await asker.run(question, output)
    finally:
        await provider.aclose()
        store.close()
    if reply.error:
        print_error(reply.error)
        return None
    return output.timing
