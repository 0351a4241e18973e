"""The `list`, `search` and `show` commands of `streamtui sessions`."""

import argparse
import json
import shutil
import sys
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from rich.cells import cell_len, set_cell_size

from streamtui.cli import EXIT_FAILED, print_error
from streamtui.cli.options import positive
from streamtui.core.sanitize import clean
from streamtui.core.session import SessionFilter, SessionSummary
from streamtui.exporters.formats import Format, export_session
from streamtui.exporters.labels import UNTITLED, format_time
from streamtui.storage import SearchHit, Store, unreadable_notice

LIMIT = 20
"""Default number of sessions and hits to print."""
ALL = -1
ID_LENGTH = 8
"""Number of characters of an id to print."""


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the list, search and show commands."""
    listing = commands.add_parser("list", help="list sessions, newest first")
    listing.add_argument("words", nargs="*", metavar="WORD", help="words that the title must contain")
    add_filter(listing)
    _add_limit(listing, "sessions")
    listing.set_defaults(run=_list)
    search = commands.add_parser(
        "search", help="search all messages", description="List messages that contain all words, newest first."
    )
    search.add_argument("words", nargs="+", metavar="WORD", help="words to search for")
    add_filter(search)
    _add_limit(search, "messages")
    search.set_defaults(run=_search)
    show = commands.add_parser("show", help="print a session")
    show.add_argument("id", metavar="ID", help="id or id prefix")
    show.add_argument(
        "--format", choices=list(Format), default=Format.MARKDOWN, help="output format (default: %(default)s)"
    )
    show.add_argument("--tree", action="store_true", help="include all branches")
    show.set_defaults(run=_show)


def add_filter(parser: argparse.ArgumentParser) -> None:
    """Add the filter options that `filter_from` reads."""
    group = parser.add_argument_group("filters")
    group.add_argument("--endpoint", metavar="NAME", default="", help="sessions that used this endpoint")
    group.add_argument("--model", metavar="NAME", default="", help="sessions that used this model")
    group.add_argument("--pinned", action="store_true", default=None, help="pinned sessions")
    group.add_argument("--archived", action="store_true", help="archived sessions")
    group.add_argument("--trash", action="store_true", help="deleted sessions that can be restored")


def filter_from(args: argparse.Namespace, words: str = "", *, include_archived: bool = False) -> SessionFilter:
    """Return the filter that the options describe, with `words` that the title must contain."""
    archived = True if args.archived else None if include_archived or args.trash else False
    return SessionFilter(words, args.endpoint, args.model, args.pinned, archived, args.trash)


def _add_limit(parser: argparse.ArgumentParser, what: str) -> None:
    limit = parser.add_mutually_exclusive_group()
    limit.add_argument(
        "--limit", type=positive, default=LIMIT, metavar="N", help=f"maximum number of {what} (default: %(default)s)"
    )
    limit.add_argument("--all", dest="limit", action="store_const", const=ALL, help="no limit")
    parser.add_argument("--json", action="store_true", help="print JSON with full ids and Unix timestamps")


def _list(args: argparse.Namespace, store: Store) -> int:
    where = filter_from(args, " ".join(args.words))
    found = store.sessions(args.limit, where=where).result()
    if args.json:
        write_json([asdict(summary) for summary in found])
    else:
        write_lines(map(_line, found))
        more = store.count(where).result() - len(found)
        if sys.stderr.isatty() and (more or not found):
            nothing = "No saved sessions." if where == SessionFilter() else "No matching sessions."
            print(f"{more:,} more. To list them, add --all." if more else nothing, file=sys.stderr)
    return 0


def _line(summary: SessionSummary) -> str:
    marks = ("* " if summary.pinned else "") + (summary.title or UNTITLED)
    model = set_cell_size(summary.model, 20)
    return f"{summary.id[:ID_LENGTH]}  {format_time(summary.updated):16}  {summary.messages:>5}  {model}  {marks}"


def _search(args: argparse.Namespace, store: Store) -> int:
    limit = sys.maxsize if args.limit == ALL else args.limit
    hits = store.search(" ".join(args.words), limit, where=filter_from(args, include_archived=True)).result()
    if args.json:
        write_json([_hit(hit) for hit in hits])
    else:
        write_lines(
            f"{hit.session_id[:ID_LENGTH]}  {format_time(hit.created):16}  {hit.title or UNTITLED}: {hit.snippet}"
            for hit in hits
        )
    return 0 if hits else EXIT_FAILED


def _hit(hit: SearchHit) -> dict[str, Any]:
    fields = {name: value for name, value in asdict(hit).items() if name not in ("place", "session")}
    return {"session_id": hit.session_id, "title": hit.title, **fields}


def _show(args: argparse.Namespace, store: Store) -> int:
    session = store.session(args.id).result()
    if session.unreadable:
        print_error(unreadable_notice(session.unreadable))
    write_out(export_session(session, Format(args.format), tree=args.tree))
    return 0


def write_out(text: str) -> None:
    """Write to stdout. For a terminal the text is cleaned, as other programs may have written to the database."""
    sys.stdout.write(clean(text) if sys.stdout.isatty() else text)


def write_json(value: Any) -> None:
    """Write a JSON value to stdout."""
    write_out(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def write_lines(lines: Iterable[str]) -> None:
    """Write lines to stdout, truncated to the width of the terminal."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    for line in lines:
        write_out((set_cell_size(line, width).rstrip() if width and cell_len(line) > width else line) + "\n")
