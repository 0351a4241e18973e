"""The `streamtui sessions import` command."""

import argparse
import json
import sys
from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from streamtui.cli import EXIT_FAILED
from streamtui.cli.import_progress import ImportProgress, show_progress
from streamtui.cli.session_changes import save
from streamtui.core.sanitize import clean_line
from streamtui.core.transfer_error import TransferError
from streamtui.importers.detection import open_source, stream_source
from streamtui.importers.import_report import Kind, Source
from streamtui.importers.importer import Outcome, Result, UnsavedError, import_sessions
from streamtui.storage import Store, StoreError

STDIN = "-"
MAX_REPORTED = 20
"""Number of unreadable entries of a file to report one by one."""


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the import command."""
    imports = commands.add_parser(
        "import",
        help="import sessions from files",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Import sessions from streamtui's JSON, ChatGPT's data export (ZIP, directory or JSON) and the\n"
        "databases of Elia, oterm and LLM. Existing messages are never changed, so importing twice is safe.",
        epilog="examples:\n"
        "  streamtui sessions import chatgpt-export.zip\n"
        "  streamtui sessions import --dry-run ~/.local/share/elia/elia.sqlite",
    )
    imports.add_argument("paths", nargs="+", metavar="PATH", help="file or directory; - for JSON from standard input")
    kinds = [str(kind) for kind in Kind]
    imports.add_argument("--from", dest="kind", choices=kinds, help="format of the input (default: detected)")
    imports.add_argument("--dry-run", action="store_true", help="report what would be imported, without saving")
    imports.add_argument("--json", action="store_true", help="print the counts as JSON")
    imports.set_defaults(run=_import)


def _import(args: argparse.Namespace, store: Store) -> int:
    reports = [_FileReport(path) for path in args.paths]
    try:
        for report in reports:
            with show_progress() as progress:
                report.import_file(args, store, progress)
    except StoreError:
        _print(reports, args)  # report what was saved before
        raise
    except KeyboardInterrupt:  # keep what was imported so far
        save(store)
        _print(reports, args)
        raise
    save(store)
    _print(reports, args)
    return EXIT_FAILED if any(report.failed for report in reports) else 0


def _print(reports: "list[_FileReport]", args: argparse.Namespace) -> None:
    if args.json:
        print(json.dumps([report.as_object() for report in reports], ensure_ascii=False, indent=2))
    else:
        for sentence in filter(None, (report.sentence(args.dry_run) for report in reports)):
            print(sentence)


class _FileReport:
    """Import one file and count the results."""

    def __init__(self, path: str) -> None:
        self.failed = False
        self._path = path
        self._counts: Counter[str] = Counter()
        self._messages = self._lost = 0

    def import_file(self, args: argparse.Namespace, store: Store, progress: ImportProgress) -> None:
        """Import the whole file. Raises StoreError."""
        try:
            with self._open(args.kind and Kind(args.kind)) as source:
                for result in import_sessions(source, store, dry_run=args.dry_run):
                    self._count(result, progress)
                    progress.update(source.progress, self._counts.total())
        except TransferError as error:
            self.failed = True
            progress.report(str(error))
        except UnsavedError as error:
            self.failed = True
            for result in error.results:
                self._counts[result.outcome] -= 1
                self._messages -= result.messages
                self._lost -= result.lost
            raise
        if (unreported := self._counts[Outcome.BROKEN] - MAX_REPORTED) > 0:
            progress.report(f"… and {unreported:,} more unreadable entries.")

    def _open(self, kind: Kind | None) -> AbstractContextManager[Source]:
        if self._path == STDIN:
            return nullcontext(stream_source(open(sys.stdin.fileno(), "rb", closefd=False), kind))
        return open_source(Path(self._path).expanduser(), kind)

    def _count(self, result: Result, progress: ImportProgress) -> None:
        self._counts[result.outcome] += 1
        self._messages += result.messages
        self._lost += result.lost
        if result.outcome is Outcome.BROKEN:
            self.failed = True
            if self._counts[Outcome.BROKEN] <= MAX_REPORTED:
                progress.report(result.problem)

    def as_object(self) -> dict[str, str | int]:
        """Return the counts for `--json`."""
        counts = {outcome.name.lower(): self._counts[outcome] for outcome in Outcome}
        return {"path": self._path, **counts, "messages": self._messages, "lost": self._lost}

    def sentence(self, dry_run: bool) -> str:
        """Return a summary; "" if nothing could be read, which has been reported."""
        if self.failed and not self._counts.total() - self._counts[Outcome.BROKEN]:
            return ""
        counts = ", ".join(f"{self._counts[outcome]:,} {outcome}" for outcome in Outcome if self._counts[outcome])
        lost = f"; {self._lost:,} messages or attachments could not be read" if self._lost else ""
        note = " (dry run, nothing saved)" if dry_run else ""
        messages = f"{self._messages:,} new message{'' if self._messages == 1 else 's'}"
        return f"{clean_line(self._path)}: {counts or 'no sessions'}, {messages}{lost}{note}"
