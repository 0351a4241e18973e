"""The `streamtui sessions export` command."""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from streamtui.cli import EXIT_USAGE, fail
from streamtui.cli.session_lists import ALL, add_filter, filter_from, write_out
from streamtui.core.sanitize import clean_line
from streamtui.core.session import Session
from streamtui.exporters.export_files import json_parts, save, write_export, write_folder
from streamtui.exporters.formats import Format, export_session, format_of
from streamtui.exporters.theme_colors import DEFAULT, theme_colors
from streamtui.storage import Store

_JSON_LINES = "jsonl"
_SHORT_FORMATS = {"md": "markdown", "txt": "text"}
_STDOUT = "-"


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the export command."""
    export = commands.add_parser(
        "export",
        help="export sessions to files",
        description="Export sessions to standard output, a file or a directory. JSON is complete and can be imported "
        "again; other formats contain the current branch.",
    )
    export.add_argument("ids", nargs="*", metavar="ID", help="id or id prefix")
    export.add_argument(
        "--all", action="store_true", help="export all sessions that match the filters, including archived ones"
    )
    add_filter(export)
    output = export.add_argument_group("output")
    output.add_argument(
        "--format",
        type=lambda name: _SHORT_FORMATS.get(name, name),
        choices=[*map(str, Format), _JSON_LINES],
        help="output format (default: from the file name, else markdown)",
    )
    output.add_argument(
        "-o", "--output", metavar="PATH", default=_STDOUT, help="file or directory; - for standard output (default)"
    )
    output.add_argument("--tree", action="store_true", help="include all branches (JSON always does)")
    output.add_argument("--theme", metavar="NAME", default=DEFAULT, help="color theme for HTML (default: %(default)s)")
    output.add_argument("--force", action="store_true", help="overwrite existing files")
    export.set_defaults(run=_export)


def _export(args: argparse.Namespace, store: Store) -> int:
    if bool(args.ids) == args.all:
        return fail("Specify either session ids or --all.", EXIT_USAGE)
    ids = args.ids or [s.id for s in store.sessions(ALL, where=filter_from(args, include_archived=True)).result()]
    sessions = (store.session(id_).result() for id_ in ids)
    several = args.all or len(ids) > 1
    if args.output == _STDOUT:
        return _to_stdout(args, sessions, several)
    target = Path(args.output).expanduser()
    _to_disk(args, sessions, target, several)
    print(f"Exported {len(ids):,} session{'' if len(ids) == 1 else 's'} to {clean_line(str(target))}")
    return 0


def _to_stdout(args: argparse.Namespace, sessions: Iterator[Session], several: bool) -> int:
    kind, lines = _format(args, "")
    if lines or (several and kind is Format.JSON):
        for part in json_parts(sessions, lines=lines):
            write_out(part)
    elif several:
        return fail("To export several sessions, add -o DIRECTORY or --format json.", EXIT_USAGE)
    else:
        write_out(export_session(next(sessions), kind, tree=args.tree, colors=theme_colors(args.theme)))
    return 0


def _to_disk(args: argparse.Namespace, sessions: Iterator[Session], target: Path, several: bool) -> None:
    is_folder = target.is_dir() or args.output.endswith(os.sep)
    kind, lines = _format(args, "" if is_folder else target.name)
    if not is_folder and (lines or (several and kind is Format.JSON)):
        save(json_parts(sessions, lines=lines), target, force=args.force)
        return
    colors = theme_colors(args.theme)
    if is_folder or several:
        for _ in write_folder(sessions, target, kind, tree=args.tree, colors=colors, force=args.force):
            pass
    else:
        write_export(next(sessions), target, kind, tree=args.tree, colors=colors, force=args.force)


def _format(args: argparse.Namespace, name: str) -> tuple[Format, bool]:
    """Return the format from `--format`, else from the file name; and whether it is JSON Lines."""
    lines = args.format == _JSON_LINES or (not args.format and name.lower().endswith(f".{_JSON_LINES}"))
    if lines:
        return Format.JSON, True
    return Format(args.format) if args.format else format_of(name) or Format.MARKDOWN, False
