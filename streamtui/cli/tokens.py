"""The `streamtui tokens` command: count tokens and manage tokenizer encodings."""

import argparse
import sys
from collections.abc import Callable, Sequence
from errno import ENAMETOOLONG, ENOENT, ENOTDIR
from io import StringIO
from pathlib import Path
from typing import TextIO

from streamtui.cli import EXIT_INTERRUPTED, fail, print_error
from streamtui.cli.argument_parser import Parser
from streamtui.core.sanitize import clean_line
from streamtui.tokens import Count, encoding_files, encodings
from streamtui.tokens.encoding_files import SOURCES, Source, SourceError
from streamtui.tokens.encodings import counter_for

DOWNLOAD_TIMEOUT = 120.0
"""In seconds."""
CHUNK = 1_000_000
"""Number of characters counted at a time."""


def parser() -> argparse.ArgumentParser:
    """Return the argument parser of the command."""
    parser = Parser(
        prog="streamtui tokens",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Count tokens and manage tokenizer encodings. Exact counts for OpenAI models need their\n"
        "encodings, which are downloaded once. All other counts are estimates, marked with ~.",
        epilog="examples:\n"
        "  streamtui tokens fetch\n"
        "  streamtui tokens count notes.md -m gpt-5\n"
        '  streamtui tokens count --text "How long is this?"',
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    listing = commands.add_parser("list", help="list encodings and whether they are downloaded")
    listing.set_defaults(run=_list)
    fetch = commands.add_parser("fetch", help="download encodings (o200k_base: 3.6 MB, cl100k_base: 1.7 MB)")
    fetch.add_argument(
        "names", metavar="ENCODING", nargs="*", help="encodings to download (default: all that are missing)"
    )
    fetch.add_argument(
        "--timeout", type=_seconds, default=DOWNLOAD_TIMEOUT, metavar="SECONDS", help="time limit (default: 120)"
    )
    fetch.set_defaults(run=_fetch)
    importing = commands.add_parser("import", help="import encodings from files, for machines without network access")
    importing.add_argument(
        "files", metavar="FILE", nargs="+", type=Path, help="encoding file, for example o200k_base.tiktoken"
    )
    importing.set_defaults(run=_import)
    count = commands.add_parser("count", help="count the tokens of a text")
    source = count.add_mutually_exclusive_group()
    source.add_argument(
        "file", metavar="FILE", nargs="?", default="-", help="text file, - for standard input (default)"
    )
    source.add_argument("--text", metavar="TEXT", help="text to count")
    count.add_argument("-m", "--model", metavar="NAME", default="", help="model whose encoding to use")
    count.set_defaults(run=_count)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Run the command. Return 0, 1 for a failure, 2 for invalid arguments, 130 after Ctrl+C."""
    args = parser().parse_args(arguments or ["--help"])
    run: Callable[[argparse.Namespace], None] = args.run
    try:
        run(args)
    except (SourceError, OSError) as error:
        return fail(_message(error))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return 0


def _message(error: SourceError | OSError) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"Can't open {error.filename}: {error.strerror}."
    return str(error)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return seconds


def _list(_: argparse.Namespace) -> None:
    for source in SOURCES.values():
        print(f"{source.name:<13}{_state_of(source)}")
    print(f"\nStored in {clean_line(str(encoding_files.folder()))}")


def _state_of(source: Source) -> str:
    try:
        return "downloaded" if encoding_files.stored(source) is not None else "not downloaded"
    except SourceError as error:
        return clean_line(str(error))


def _fetch(args: argparse.Namespace) -> None:
    from streamtui.tokens.download import download

    for source in [_named(name) for name in args.names] or [s for s in SOURCES.values() if not _is_downloaded(s)]:
        print(f"Downloading {source.name} …", flush=True)
        data = download(source, args.timeout)
        if not source.is_whole(data):
            raise SourceError(f"{source.url} did not send the published {source.name}. Nothing was saved.")
        print(f"Saved {source.name} to {clean_line(str(encoding_files.store(source, data)))}")


def _named(name: str) -> Source:
    if name not in SOURCES:
        raise SourceError(f"Unknown encoding {name!r}. Choose from: {', '.join(SOURCES)}.")
    return SOURCES[name]


def _is_downloaded(source: Source) -> bool:
    try:
        return encoding_files.stored(source) is not None
    except SourceError:
        return False  # damaged: download again


def _import(args: argparse.Namespace) -> None:
    for file in args.files:
        data = file.read_bytes()
        source = encoding_files.find_source(data)
        if source is None:
            raise SourceError(f"{file} is not a published encoding ({', '.join(SOURCES)}).")
        print(clean_line(f"Imported {source.name} from {file} to {encoding_files.store(source, data)}"))


def _count(args: argparse.Namespace) -> None:
    loaded = encodings.load_for(args.model)
    with _opened(args) as text:
        count = _count_of(text, args.model)
    print(f"{'' if count.exact else '~'}{count.tokens}")
    if not loaded:
        print_error("Estimated from the text size. For exact counts, run streamtui tokens fetch.")
    elif not args.model:
        print_error("Counted with o200k_base. To select a model, use -m.")


def _opened(args: argparse.Namespace) -> TextIO:
    if args.text is not None:
        return StringIO(args.text)
    file = sys.stdin.fileno() if args.file == "-" else args.file
    try:
        return open(file, encoding="utf-8", errors="replace", closefd=args.file != "-")
    except OSError as error:
        if error.errno not in (ENOENT, ENOTDIR, ENAMETOOLONG):
            raise
        name = args.file if len(args.file) <= 60 else f"{args.file[:60]}…"
        raise SourceError(f"File not found: {name!r}. To count a text, use --text.") from None


def _count_of(text: TextIO, model: str) -> Count:
    counter = counter_for(model)
    while chunk := text.read(CHUNK):
        counter.add(chunk)
    return counter.count
