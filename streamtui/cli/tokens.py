"""`streamtui tokens`: counts the tokens of a text, and gets the encodings that count them exactly."""

import argparse
import sys
from collections.abc import Callable, Sequence
from errno import ENAMETOOLONG, ENOENT, ENOTDIR
from io import StringIO
from pathlib import Path
from typing import TextIO

from streamtui.cli import EXIT_FAILED, EXIT_INTERRUPTED
from streamtui.cli.argument_parser import Parser
from streamtui.core.sanitize import clean_line
from streamtui.tokens import Count, encoding_files, encodings
from streamtui.tokens.encoding_files import SOURCES, Source, SourceError
from streamtui.tokens.encodings import counter_for

LIMIT = 120.0
"""Seconds a download may take, unless told otherwise."""
PIECE = 1_000_000
"""Characters of a text that are counted at a time."""


def parser() -> argparse.ArgumentParser:
    """Returns the parser of all arguments."""
    parser = Parser(
        prog="streamtui tokens",
        description="Counts tokens. Exact counts need the encodings of OpenAI's models, which are fetched once; "
        "without them, and for models of others, counts are estimates and carry a ~.",
    )
    does = parser.add_subparsers(metavar="COMMAND", required=True)
    listing = does.add_parser("list", help="say which encodings are at hand")
    listing.set_defaults(run=_list)
    fetch = does.add_parser("fetch", help="download encodings (o200k_base: 3.6 MB, cl100k_base: 1.7 MB)")
    fetch.add_argument("names", metavar="ENCODING", nargs="*", help="default: those that are not at hand")
    fetch.add_argument("--timeout", type=_seconds, default=LIMIT, metavar="SECONDS", help=f"default: {LIMIT:g}")
    fetch.set_defaults(run=_fetch)
    importing = does.add_parser("import", help="take encodings from files, for a machine without a network")
    importing.add_argument("files", metavar="FILE", nargs="+", type=Path, help="as o200k_base.tiktoken")
    importing.set_defaults(run=_import)
    count = does.add_parser("count", help="count the tokens of a text")
    what = count.add_mutually_exclusive_group()
    what.add_argument("file", metavar="FILE", nargs="?", default="-", help="default, or -: standard input")
    what.add_argument("--text", metavar="TEXT", help="the text itself, in place of a file")
    count.add_argument("-m", "--model", metavar="NAME", default="", help="the model that would read it")
    count.set_defaults(run=_count)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Runs the command. Returns 0, 1 if something failed, 2 for arguments that can't be used, 130 for ctrl+c."""
    asked = parser().parse_args(arguments or ["--help"])
    run: Callable[[argparse.Namespace], None] = asked.run
    try:
        run(asked)
    except (SourceError, OSError) as error:
        print(f"streamtui: {_sentence(error)}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return 0


def _sentence(error: SourceError | OSError) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return clean_line(f"{error.filename} can't be used: {error.strerror}.")
    return clean_line(str(error))


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{text} is no time in seconds")
    return seconds


def _list(_: argparse.Namespace) -> None:
    for source in SOURCES.values():
        print(f"{source.name:<13}{_state_of(source)}")
    print(f"\nkept in {clean_line(str(encoding_files.folder()))}")


def _state_of(source: Source) -> str:
    try:
        return "at hand" if encoding_files.stored(source) is not None else "not at hand"
    except SourceError as error:
        return clean_line(str(error))


def _fetch(asked: argparse.Namespace) -> None:
    from streamtui.tokens.download import download

    for source in [_named(name) for name in asked.names] or [s for s in SOURCES.values() if not _is_at_hand(s)]:
        print(f"Downloading {source.name} …", flush=True)
        data = download(source, asked.timeout)
        if not source.is_whole(data):
            raise SourceError(f"What came from {source.url} is not {source.name} as published; nothing was kept.")
        print(f"{source.name} is kept as {clean_line(str(encoding_files.store(source, data)))}")


def _named(name: str) -> Source:
    if name not in SOURCES:
        raise SourceError(f"{name} is no encoding that streamtui knows; it knows {' and '.join(SOURCES)}.")
    return SOURCES[name]


def _is_at_hand(source: Source) -> bool:
    try:
        return encoding_files.stored(source) is not None
    except SourceError:
        return False  # damaged: fetched again


def _import(asked: argparse.Namespace) -> None:
    for file in asked.files:
        data = file.read_bytes()
        source = encoding_files.recognised(data)
        if source is None:
            raise SourceError(f"{file} is none of the encodings as published: {', '.join(SOURCES)}.")
        kept = encoding_files.store(source, data)
        print(clean_line(f"{file} is {source.name}, and is kept as {kept}"))


def _count(asked: argparse.Namespace) -> None:
    loaded = encodings.load_for(asked.model)
    with _opened(asked) as text:
        count = _count_of(text, asked.model)
    print(f"{'' if count.exact else '~'}{count.tokens}")
    if not loaded:
        print("streamtui: estimated by size; `streamtui tokens fetch` gets what counts.", file=sys.stderr)
    elif not asked.model:
        print("streamtui: as o200k_base counts; -m names the model.", file=sys.stderr)


def _opened(asked: argparse.Namespace) -> TextIO:
    if asked.text is not None:
        return StringIO(asked.text)
    file = sys.stdin.fileno() if asked.file == "-" else asked.file
    try:
        return open(file, encoding="utf-8", errors="replace", closefd=asked.file != "-")
    except OSError as error:
        if error.errno not in (ENOENT, ENOTDIR, ENAMETOOLONG):
            raise
        name = asked.file if len(asked.file) <= 60 else f"{asked.file[:60]}…"
        raise SourceError(
            f"There is no file called {name!r}. FILE is the name of one, or - for standard input; "
            "a text itself is counted by --text."
        ) from None


def _count_of(text: TextIO, model: str) -> Count:
    counter = counter_for(model)
    while piece := text.read(PIECE):
        counter.add(piece)
    return counter.count
