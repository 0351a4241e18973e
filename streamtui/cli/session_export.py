"""`streamtui sessions export`: sessions as files for people and for other programs."""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from streamtui.cli import EXIT_USAGE
from streamtui.cli.session_lists import ALL, add_filter, filter_from, say
from streamtui.core.sanitize import clean_line
from streamtui.core.session import Session
from streamtui.exporters.export_files import json_parts, save, write_export, write_folder
from streamtui.exporters.formats import Format, export_session, format_of
from streamtui.exporters.theme_colors import DEFAULT, theme_colours
from streamtui.storage import Store

_LINES = "jsonl"
_SHORT = {"md": "markdown", "txt": "text"}
_STDOUT = "-"


def add_verbs(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds export."""
    export = verbs.add_parser(
        "export",
        help="write sessions to files",
        description="Writes sessions to stdout, a file or a folder. JSON holds everything and can be imported again; "
        "the others hold the path shown last.",
    )
    export.add_argument("ids", nargs="*", metavar="ID")
    export.add_argument("--all", action="store_true", help="all sessions, archived ones too; or those that fit:")
    add_filter(export)
    how = export.add_argument_group("how")
    how.add_argument(
        "--format",
        type=lambda name: _SHORT.get(name, name),
        choices=[*map(str, Format), _LINES],
        help="markdown, unless the name of the file says another",
    )
    how.add_argument("-o", "--output", metavar="PATH", default=_STDOUT, help="a file, or a folder; - is stdout")
    how.add_argument("--tree", action="store_true", help="all branches (JSON always has them)")
    how.add_argument("--theme", metavar="NAME", default=DEFAULT, help="the colours of HTML (%(default)s)")
    how.add_argument("--force", action="store_true", help="write over files that are there")
    export.set_defaults(run=_export)


def _export(asked: argparse.Namespace, store: Store) -> int:
    if bool(asked.ids) == asked.all:
        print("streamtui: Name the sessions to export, or say --all.", file=sys.stderr)
        return EXIT_USAGE
    ids = asked.ids or [s.id for s in store.sessions(ALL, where=filter_from(asked, archive_too=True)).result()]
    sessions = (store.session(id_).result() for id_ in ids)
    several = asked.all or len(ids) > 1
    if asked.output == _STDOUT:
        return _to_stdout(asked, sessions, several)
    target = Path(asked.output).expanduser()
    _to_disk(asked, sessions, target, several)
    print(f"Exported {len(ids):,} session{'' if len(ids) == 1 else 's'} to {clean_line(str(target))}")
    return 0


def _to_stdout(asked: argparse.Namespace, sessions: Iterator[Session], several: bool) -> int:
    kind, lines = _format(asked, "")
    if lines or (several and kind is Format.JSON):
        for part in json_parts(sessions, lines=lines):
            say(part)
    elif several:
        print("streamtui: Several sessions need a folder (-o FOLDER), or --format json.", file=sys.stderr)
        return EXIT_USAGE
    else:
        say(export_session(next(sessions), kind, tree=asked.tree, colours=theme_colours(asked.theme)))
    return 0


def _to_disk(asked: argparse.Namespace, sessions: Iterator[Session], target: Path, several: bool) -> None:
    is_folder = target.is_dir() or asked.output.endswith(os.sep)
    kind, lines = _format(asked, "" if is_folder else target.name)
    if not is_folder and (lines or (several and kind is Format.JSON)):
        save(json_parts(sessions, lines=lines), target, force=asked.force)
        return
    colours = theme_colours(asked.theme)
    if is_folder or several:
        for _ in write_folder(sessions, target, kind, tree=asked.tree, colours=colours, force=asked.force):
            pass
    else:
        write_export(next(sessions), target, kind, tree=asked.tree, colours=colours, force=asked.force)


def _format(asked: argparse.Namespace, name: str) -> tuple[Format, bool]:
    """The format asked for, else that of the file's name; and whether it is one JSON object on each line."""
    lines = asked.format == _LINES or (not asked.format and name.lower().endswith(f".{_LINES}"))
    if lines:
        return Format.JSON, True
    return Format(asked.format) if asked.format else format_of(name) or Format.MARKDOWN, False
