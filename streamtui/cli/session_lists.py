"""`streamtui sessions list|search|show`: the saved sessions to look at."""

import argparse
import json
import shutil
import sys
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from rich.cells import cell_len, set_cell_size

from streamtui.cli import EXIT_FAILED
from streamtui.cli.options import positive
from streamtui.core.sanitize import clean
from streamtui.core.session import SessionFilter, SessionSummary
from streamtui.exporters.formats import Format, export_session
from streamtui.exporters.labels import UNTITLED, moment
from streamtui.storage import SearchHit, Store, unreadable_notice

LIMIT = 20
"""Sessions and hits shown unless more are asked for."""
ALL = -1
ID_LENGTH = 8
"""Characters of an id that are shown: enough for any number of sessions one can have."""


def add_verbs(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds list, search and show."""
    listing = verbs.add_parser("list", help="list sessions, newest first", description="Lists sessions, newest first.")
    listing.add_argument("words", nargs="*", metavar="WORD", help="only those with all these words in the title")
    add_filter(listing)
    _add_limit(listing, "sessions")
    listing.set_defaults(run=_list)
    search = verbs.add_parser(
        "search", help="find words in all messages", description="Finds messages that hold all the words, newest first."
    )
    search.add_argument("words", nargs="+", metavar="WORD")
    add_filter(search)
    _add_limit(search, "messages")
    search.set_defaults(run=_search)
    show = verbs.add_parser("show", help="print a session", description="Prints a session, by default as Markdown.")
    show.add_argument("id", metavar="ID")
    show.add_argument("--format", choices=list(Format), default=Format.MARKDOWN, help="how (%(default)s)")
    show.add_argument("--tree", action="store_true", help="all branches, not only the path shown last")
    show.set_defaults(run=_show)


def add_filter(parser: argparse.ArgumentParser) -> None:
    """Adds the options that `filter_from` reads."""
    which = parser.add_argument_group("which sessions")
    which.add_argument("--endpoint", metavar="NAME", default="", help="only those with this endpoint")
    which.add_argument("--model", metavar="NAME", default="", help="only those with this model")
    which.add_argument("--pinned", action="store_true", default=None, help="only pinned ones")
    which.add_argument("--archived", action="store_true", help="the archived ones instead")
    which.add_argument("--trash", action="store_true", help="the deleted ones instead, as long as they can be restored")


def filter_from(asked: argparse.Namespace, words: str = "", *, archive_too: bool = False) -> SessionFilter:
    """Returns which sessions are asked for, with `words` in their titles; `archive_too`: archived ones among them."""
    archived = True if asked.archived else None if archive_too or asked.trash else False
    return SessionFilter(words, asked.endpoint, asked.model, asked.pinned, archived, asked.trash)


def _add_limit(parser: argparse.ArgumentParser, what: str) -> None:
    limit = parser.add_mutually_exclusive_group()
    limit.add_argument("--limit", type=positive, default=LIMIT, metavar="N", help=f"so many {what} (%(default)s)")
    limit.add_argument("--all", dest="limit", action="store_const", const=ALL, help="all of them")
    parser.add_argument("--json", action="store_true", help="as JSON, with whole ids and times in seconds since 1970")


def _list(asked: argparse.Namespace, store: Store) -> int:
    where = filter_from(asked, " ".join(asked.words))
    found = store.sessions(asked.limit, where=where).result()
    if asked.json:
        say_json([asdict(summary) for summary in found])
    else:
        say_lines(map(_line, found))
        more = store.count(where).result() - len(found)
        if sys.stderr.isatty() and (more or not found):
            nothing = "No session is saved yet." if where == SessionFilter() else "No such session is saved."
            print(f"{more:,} more: streamtui sessions list --all" if more else nothing, file=sys.stderr)
    return 0


def _line(summary: SessionSummary) -> str:
    marks = ("* " if summary.pinned else "") + (summary.title or UNTITLED)
    model = set_cell_size(summary.model, 20)
    return f"{summary.id[:ID_LENGTH]}  {moment(summary.updated):16}  {summary.messages:>5}  {model}  {marks}"


def _search(asked: argparse.Namespace, store: Store) -> int:
    limit = sys.maxsize if asked.limit == ALL else asked.limit
    hits = store.search(" ".join(asked.words), limit, where=filter_from(asked, archive_too=True)).result()
    if asked.json:
        say_json([_hit(hit) for hit in hits])
    else:
        say_lines(
            f"{hit.session_id[:ID_LENGTH]}  {moment(hit.created):16}  {hit.title or UNTITLED}: {hit.snippet}"
            for hit in hits
        )
    return 0 if hits else EXIT_FAILED


def _hit(hit: SearchHit) -> dict[str, Any]:
    said = {name: value for name, value in asdict(hit).items() if name not in ("place", "session")}
    return {"session_id": hit.session_id, "title": hit.title, **said}


def _show(asked: argparse.Namespace, store: Store) -> int:
    session = store.session(asked.id).result()
    if session.unreadable:
        print(f"streamtui: {unreadable_notice(session.unreadable)}", file=sys.stderr)
    say(export_session(session, Format(asked.format), tree=asked.tree))
    return 0


def say(text: str) -> None:
    """Writes to stdout; what a terminal gets is cleaned, whatever another program put into the database."""
    sys.stdout.write(clean(text) if sys.stdout.isatty() else text)


def say_json(value: Any) -> None:
    """Writes a JSON value to stdout."""
    say(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def say_lines(lines: Iterable[str]) -> None:
    """Writes lines to stdout, cut to the width of a terminal."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    for line in lines:
        say((set_cell_size(line, width).rstrip() if width and cell_len(line) > width else line) + "\n")
