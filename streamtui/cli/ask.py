"""`streamtui ask`: one prompt, its answer on stdout."""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from streamtui import paths
from streamtui.cli import EXIT_USAGE, SAVE_TIMEOUT, fail, print_error
from streamtui.cli.argument_parser import Parser
from streamtui.cli.options import add_debug_option, add_server_options, add_session_options, config_from
from streamtui.cli.run_async import run_async
from streamtui.config import Config, ConfigError, Endpoint, Origin
from streamtui.core.sanitize import clean_line

if TYPE_CHECKING:
    # Imported where they are used: --help does not need them.
    from streamtui.ask.output import Output
    from streamtui.ask.prompt_input import PromptInput
    from streamtui.ask.status_line import StatusLine
    from streamtui.core.message import Message
    from streamtui.core.session import Session
    from streamtui.storage import Store

_EPILOG = """\
The reply goes to stdout, everything else to stderr. The session is saved, also when the reply is partial.

examples:
  streamtui ask "why is the sky blue?"
  git diff | streamtui ask "review this" -e openai
  streamtui ask "what is in this picture?" --image photo.png
  streamtui ask --continue "and at night?"

exit status:
  0 success, 1 failed request or an empty or incomplete reply, 2 invalid arguments, 130 interrupted
"""


def parser() -> argparse.ArgumentParser:
    """Return the argument parser of the command."""
    parser = Parser(
        prog="streamtui ask",
        usage="streamtui ask [OPTIONS] [PROMPT …]",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Send one prompt to a model and print the reply as it streams.",
        epilog=_EPILOG,
    )
    add_question_options(parser)
    output = parser.add_argument_group("output")
    form = output.add_mutually_exclusive_group()
    form.add_argument(
        "--raw", action="store_true", help="print plain text on a terminal too, without rendering Markdown"
    )
    form.add_argument(
        "--json", action="store_true", help="print one JSON object with text, usage, timing and finish reason"
    )
    form.add_argument("--events", action="store_true", help="print each server event as one line of JSON")
    form.add_argument("--timing", action="store_true", help="print each chunk with its time, then statistics")
    output.add_argument("--no-stream", action="store_true", help="request the whole reply at once")
    output.add_argument("--show-reasoning", action="store_true", help="print reasoning to stderr")
    add_server_options(parser)
    add_session_options(parser)
    add_debug_option(parser)
    parser.add_argument("--no-save", action="store_true", help="do not save the session")
    return parser


def add_question_options(parser: argparse.ArgumentParser) -> None:
    """Add the prompt and attachment options that `question_of` reads."""
    group = parser.add_argument_group("prompt")
    group.add_argument("prompt", nargs="*", help="text to send; standard input is appended")
    group.add_argument(
        "-f", "--file", metavar="FILE", type=Path, action="append", default=[], help="attach a file (repeatable)"
    )
    group.add_argument(
        "--image", metavar="FILE", type=Path, action="append", default=[], help="attach an image (repeatable)"
    )


def main(arguments: Sequence[str]) -> int:
    """Send the prompt. Return 0, 1 without a complete reply, 2 for invalid arguments, 130 if interrupted."""
    args = parser().parse_args(arguments)
    from streamtui import error_log
    from streamtui.ask.prompt_input import PromptInputError

    try:
        config = config_from(args)
        question = question_of(args)
    except (ConfigError, PromptInputError) as error:
        return fail(str(error), EXIT_USAGE)
    for problem in config.warnings:
        print_error(problem)
    error_log.start(debug=args.debug)
    error_log.LOG.addHandler(error_log.Notices(print_error))
    return run_async(_ask(config, args, question))


def question_of(args: argparse.Namespace) -> "PromptInput":
    """Return the prompt and its attachments from options and standard input. Raises PromptInputError."""
    from streamtui.ask.prompt_input import MAX_FILE_BYTES, build_prompt

    piped = b"" if sys.stdin.isatty() else sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
    return build_prompt(args.prompt, piped, args.file, args.image)


async def _ask(config: Config, args: argparse.Namespace, question: "PromptInput") -> int:
    from streamtui.ask.runner import PromptRunner
    from streamtui.ask.status_line import StatusLine
    from streamtui.providers import connect
    from streamtui.storage import Store, StoreError

    store = Store(paths.database(), saves=not args.no_save)
    provider = None
    try:
        session, endpoint = await _session(config, args, store)
        if endpoint.needs_key:  # checked before anything is saved that the next -c would continue
            return fail(f"No API key for {endpoint.name}. Set {endpoint.key_variable}, or try streamtui ask --demo.")
        provider = connect(endpoint)
        status = StatusLine(sys.stderr)
        asker = PromptRunner(
            config, session, provider, store, stream=not args.no_stream, notify=print_error, status=status
        )
        reply = await asker.run(question, _output(args, status))
    except ConfigError as error:
        return fail(str(error), EXIT_USAGE)
    except StoreError as error:
        return fail(str(error))
    finally:
        if provider is not None:
            await provider.aclose()
        if not await asyncio.to_thread(store.close, SAVE_TIMEOUT):
            print_error(store.save_error)
    problem = _incomplete_reason(reply)
    return fail(problem) if problem else 0


async def _session(config: Config, args: argparse.Namespace, store: "Store") -> "tuple[Session, Endpoint]":
    """Return the session to continue, or a new one, and its endpoint. Raises StoreError and ConfigError."""
    from streamtui.core.session import Session
    from streamtui.storage import StoreError, unreadable_notice

    session_id = args.session
    if args.resume and not (session_id := await asyncio.wrap_future(store.latest()) or ""):
        raise StoreError("There is no saved session to continue. Leave out --continue.")
    if not session_id:
        endpoint = config.endpoint
        new = Session(endpoint=endpoint.name, model=config.model or endpoint.model, system=config.system)
        new.parameters = config.new_parameters
        return new, endpoint
    session = await asyncio.wrap_future(store.session(session_id))
    if session.unreadable:
        print_error(unreadable_notice(session.unreadable))
    endpoint = _endpoint_of(session, config)
    if (endpoint.name, endpoint.address) != (session.endpoint, session.address or endpoint.address):
        session.model = endpoint.model  # the model belongs to another server
    session.model = config.model or session.model
    session.system = config.system if args.system else session.system
    session.parameters = config.parameters.over(session.parameters)
    return session, endpoint


def _endpoint_of(session: "Session", config: Config) -> Endpoint:
    """Return the endpoint from a flag, else that of the session. Raises ConfigError if the latter has changed."""
    from streamtui.config.session_endpoint import endpoint_for, host_of

    if not session.endpoint or config.source_of("endpoint").origin is Origin.FLAG:
        return config.endpoint
    endpoint = endpoint_for(session.endpoint, session.address, config.endpoints.values())
    if endpoint is None:
        name, host = clean_line(session.endpoint), clean_line(host_of(session.address))
        other = config.endpoints.get(session.endpoint)
        used = f"{name} at {host}" if host else name
        now = f"but {name} is now at {host_of(other.address)}" if other is not None else "which is not configured"
        raise ConfigError(f"This session used {used}, {now}. To send it elsewhere, add -e {config.endpoint.name}")
    return config.with_session_key(endpoint)


def _output(args: argparse.Namespace, status: "StatusLine") -> "Output":
    from streamtui.ask import output
    from streamtui.ask.terminal_markdown import MarkdownOutput

    shown: Output
    out = status.over(sys.stdout)
    if args.json:
        shown = output.JsonOutput(out)
    elif args.events:
        shown = output.RawEventOutput(out)
    elif args.timing:
        shown = output.TimedOutput(out)
    elif args.raw or not sys.stdout.isatty():
        shown = output.TextOutput(out)
    else:
        shown = MarkdownOutput(out, color=not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb")
    return output.ReasoningOutput(shown, status.over(sys.stderr)) if args.show_reasoning else shown


def _incomplete_reason(reply: "Message") -> str:
    """Return why `reply` is not complete, in a sentence; "" if it is."""
    from streamtui.core.message import FinishReason

    endings = {
        FinishReason.LENGTH: "The reply is incomplete: it reached the token limit (see --max-tokens).",
        FinishReason.CONTENT_FILTER: "The reply is incomplete: the server's content filter withheld the rest.",
        FinishReason.TOOL_CALLS: "The model requested tools, which are not enabled.",
    }
    ending = reply.error or (endings.get(reply.finish_reason, "") if reply.finish_reason else "")
    if ending or reply.text.strip():
        return ending
    return "The reply is empty except for reasoning." if reply.reasoning else "The reply is empty."
