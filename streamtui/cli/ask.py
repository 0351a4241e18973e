"""`streamtui ask`: one prompt, its answer on stdout."""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from streamtui import paths
from streamtui.cli import EXIT_FAILED, EXIT_USAGE
from streamtui.cli.argument_parser import Parser
from streamtui.cli.options import add_debug_option, add_server_options, add_session_options, config_from
from streamtui.cli.quiet_exit import run_quietly, say
from streamtui.cli.saving import SAVE_TIMEOUT
from streamtui.config import Config, ConfigError, Endpoint, Origin
from streamtui.core.sanitize import clean_line

if TYPE_CHECKING:
    # Imported where they are used: --help has no use for them.
    from streamtui.ask.output import Output
    from streamtui.ask.prompt_input import Question
    from streamtui.ask.status_line import StatusLine
    from streamtui.core.message import Message
    from streamtui.core.session import Session
    from streamtui.storage import Store

_EPILOG = """\
The answer goes to stdout, everything else to stderr.
exit status: 0 answered; 1 failed, or the answer is empty or incomplete; 2 wrong arguments; 130 interrupted
Whatever arrived is saved. If saving fails, a message on stderr says why; the status stays the same.
examples:
  streamtui ask "why is the sky blue?"
  git diff | streamtui ask "review this" -e openai
  streamtui ask "what is on it?" --image photo.png
  streamtui ask -c "and at night?"
"""


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command's arguments."""
    parser = Parser(
        prog="streamtui ask",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Asks a model once and writes the answer to stdout as it arrives.",
        epilog=_EPILOG,
    )
    add_question_options(parser)
    shown = parser.add_argument_group("what is shown")
    form = shown.add_mutually_exclusive_group()
    form.add_argument("--raw", action="store_true", help="on a terminal too: the text as it comes, not rendered")
    form.add_argument("--json", action="store_true", help="one JSON object: text, usage, timing, finish reason")
    form.add_argument("--events", action="store_true", help="every event of the server as a line of JSON")
    form.add_argument("--timing", action="store_true", help="every piece with its time, then what that makes")
    shown.add_argument("--no-stream", action="store_true", help="ask for the whole answer at once")
    shown.add_argument("--show-reasoning", action="store_true", help="write what the model thinks to stderr")
    add_server_options(parser)
    add_session_options(parser)
    add_debug_option(parser)
    parser.add_argument("--no-save", action="store_true", help="keep nothing of it")
    return parser


def add_question_options(parser: argparse.ArgumentParser) -> None:
    """Adds what `question_of` reads."""
    question = parser.add_argument_group("the question")
    question.add_argument("prompt", nargs="*", help="what to ask; what is piped in follows it")
    question.add_argument(
        "-f", "--file", metavar="FILE", type=Path, action="append", default=[], help="attach a file (repeatable)"
    )
    question.add_argument(
        "--image", metavar="FILE", type=Path, action="append", default=[], help="attach an image (repeatable)"
    )


def main(arguments: Sequence[str]) -> int:
    """Asks. Returns 0, 1 if there is no (whole) answer, 2 for wrong arguments, 130 if interrupted."""
    asked = parser().parse_args(arguments)
    from streamtui import error_log
    from streamtui.ask.prompt_input import QuestionError

    try:
        config = config_from(asked)
        question = question_of(asked)
    except (ConfigError, QuestionError) as error:
        say(str(error))
        return EXIT_USAGE
    for trouble in config.troubles:
        say(trouble)
    error_log.start(debug=asked.debug)
    error_log.LOG.addHandler(error_log.Notices(say))
    return run_quietly(_ask(config, asked, question))


def question_of(asked: argparse.Namespace) -> "Question":
    """Returns what the options, and what is piped in, ask. Raises QuestionError."""
    from streamtui.ask.prompt_input import LARGEST, question_from

    piped = b"" if sys.stdin.isatty() else sys.stdin.buffer.read(LARGEST + 1)
    return question_from(asked.prompt, piped, asked.file, asked.image)


async def _ask(config: Config, asked: argparse.Namespace, question: "Question") -> int:
    from streamtui.ask.runner import Asker
    from streamtui.ask.status_line import StatusLine
    from streamtui.providers import connect
    from streamtui.storage import Store, StoreError

    store = Store(paths.database(), saves=not asked.no_save)
    provider = None
    try:
        session, endpoint = await _session(config, asked, store)
        if endpoint.needs_key:  # nothing is sent, so nothing is saved that the next -c would go on with
            say(f"No API key is set for {endpoint.name}: set {endpoint.key_variable}, or try streamtui ask --demo.")
            return EXIT_FAILED
        provider = connect(endpoint)
        status = StatusLine(sys.stderr)
        asker = Asker(config, session, provider, store, stream=not asked.no_stream, tell=say, status=status)
        reply = await asker.ask(question, _output(asked, status))
    except ConfigError as error:
        say(str(error))
        return EXIT_USAGE
    except StoreError as error:
        say(str(error))
        return EXIT_FAILED
    finally:
        if provider is not None:
            await provider.aclose()
        if not await asyncio.to_thread(store.close, SAVE_TIMEOUT):
            say(store.save_error)
    if shortcoming := _shortcoming(reply):
        say(shortcoming)
    return EXIT_FAILED if shortcoming else 0


async def _session(config: Config, asked: argparse.Namespace, store: "Store") -> "tuple[Session, Endpoint]":
    """Returns the session that goes on, or a new one, and who answers. Raises StoreError and ConfigError."""
    from streamtui.core.session import Session
    from streamtui.storage import StoreError, unreadable_notice

    wanted = asked.session
    if asked.resume and not (wanted := await asyncio.wrap_future(store.latest()) or ""):
        raise StoreError("There is no session to go on with yet; leave out -c.")
    if not wanted:
        endpoint = config.endpoint
        new = Session(endpoint=endpoint.name, model=config.model or endpoint.model, system=config.system)
        new.parameters = config.new_parameters
        return new, endpoint
    session = await asyncio.wrap_future(store.session(wanted))
    if session.unreadable:
        say(unreadable_notice(session.unreadable))
    endpoint = _endpoint_of(session, config)
    if (endpoint.name, endpoint.address) != (session.endpoint, session.address or endpoint.address):
        session.model = endpoint.model  # a model of another server
    session.model = config.model or session.model
    session.system = config.system if asked.system else session.system
    session.parameters = config.parameters.over(session.parameters)
    return session, endpoint


def _endpoint_of(session: "Session", config: Config) -> Endpoint:
    """Returns where the session continues: at its own endpoint, or at one that a flag names. Raises ConfigError."""
    from streamtui.config.session_endpoint import endpoint_for, host_of

    if not session.endpoint or config.source_of("endpoint").origin is Origin.FLAG:
        return config.endpoint
    endpoint = endpoint_for(session.endpoint, session.address, config.endpoints.values())
    if endpoint is None:
        name, host = clean_line(session.endpoint), clean_line(host_of(session.address))
        other = config.endpoints.get(session.endpoint)
        held = f"{name} at {host}" if host else name
        now = f"{name} is at {host_of(other.address)} now" if other is not None else "that is not configured"
        usual = config.endpoint.name
        raise ConfigError(f"This session was held with {held}, but {now}. To send it elsewhere, add a flag: -e {usual}")
    return config.with_session_key(endpoint)


def _output(asked: argparse.Namespace, status: "StatusLine") -> "Output":
    from streamtui.ask import output
    from streamtui.ask.terminal_markdown import Rendered

    shown: Output
    out = status.over(sys.stdout)
    if asked.json:
        shown = output.Json(out)
    elif asked.events:
        shown = output.Events(out)
    elif asked.timing:
        shown = output.Timed(out)
    elif asked.raw or not sys.stdout.isatty():
        shown = output.Plain(out)
    else:
        shown = Rendered(out, colour=not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb")
    return output.WithReasoning(shown, status.over(sys.stderr)) if asked.show_reasoning else shown


def _shortcoming(reply: "Message") -> str:
    """Return why `reply` is not a complete answer, in a sentence; "" if it is one."""
    from streamtui.core.message import FinishReason

    endings = {
        FinishReason.LENGTH: "The answer is incomplete: it reached the token limit (see --max-tokens).",
        FinishReason.CONTENT_FILTER: "The answer is incomplete: the server's content filter withheld the rest.",
        FinishReason.TOOL_CALLS: "The model asked for tools, which are not enabled.",
    }
    ending = reply.error or (endings.get(reply.finish_reason, "") if reply.finish_reason else "")
    if ending or reply.text.strip():
        return ending
    return "The reply is empty: it has only reasoning." if reply.reasoning else "The reply is empty."
