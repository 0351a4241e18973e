"""`streamtui sessions import`: sessions from files of this and of other programs."""

import argparse
import json
import sys
from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from streamtui.cli import EXIT_FAILED
from streamtui.cli.import_progress import Screen, progress_on_stderr
from streamtui.cli.saving import save
from streamtui.core.sanitize import clean_line
from streamtui.core.transfer_error import TransferError
from streamtui.importers.detection import open_source, stream_source
from streamtui.importers.import_report import Kind, Source
from streamtui.importers.importer import Outcome, Result, UnsavedError, bring_in
from streamtui.storage import Store, StoreError

STDIN = "-"
MOST_TOLD = 20
"""Broken entries of a file that are told one by one."""


def add_verbs(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds import."""
    imports = verbs.add_parser(
        "import",
        help="bring sessions in from files",
        description="Brings in sessions from streamtui's JSON, ChatGPT's data export (ZIP, folder or JSON), and the "
        "databases of Elia, oterm and LLM. What is there already stays as it is: importing again does no harm.",
    )
    imports.add_argument("paths", nargs="+", metavar="PATH", help="a file or folder; - reads JSON from stdin")
    kinds = [str(kind) for kind in Kind]
    imports.add_argument("--from", dest="kind", choices=kinds, help="what it is, where that can't be seen")
    imports.add_argument("--dry-run", action="store_true", help="only say what would be brought in")
    imports.add_argument("--json", action="store_true", help="print the counts as JSON")
    imports.set_defaults(run=_import)


def _import(asked: argparse.Namespace, store: Store) -> int:
    tallies = [_Tally(path) for path in asked.paths]
    try:
        for tally in tallies:
            with progress_on_stderr() as screen:
                tally.take_all(asked, store, screen)
    except StoreError:
        _print(tallies, asked)  # what was saved before
        raise
    except KeyboardInterrupt:  # what was read stays
        save(store)
        _print(tallies, asked)
        raise
    save(store)
    _print(tallies, asked)
    return EXIT_FAILED if any(tally.failed for tally in tallies) else 0


def _print(tallies: "list[_Tally]", asked: argparse.Namespace) -> None:
    if asked.json:
        print(json.dumps([tally.as_object() for tally in tallies], ensure_ascii=False, indent=2))
    else:
        for sentence in filter(None, (tally.sentence(asked.dry_run) for tally in tallies)):
            print(sentence)


class _Tally:
    """What became of the entries of one file."""

    def __init__(self, path: str) -> None:
        self.failed = False
        self._path = path
        self._counts: Counter[str] = Counter()
        self._messages = self._lost = 0

    def take_all(self, asked: argparse.Namespace, store: Store, screen: Screen) -> None:
        """Brings in the whole file."""
        try:
            with self._open(asked.kind and Kind(asked.kind)) as source:
                for result in bring_in(source, store, dry_run=asked.dry_run):
                    self._take(result, screen)
                    screen.show(source.progress, self._counts.total())
        except TransferError as error:
            self.failed = True
            screen.tell(str(error))
        except UnsavedError as error:
            self.failed = True
            for result in error.results:
                self._counts[result.outcome] -= 1
                self._messages -= result.messages
                self._lost -= result.lost
            raise
        if (untold := self._counts[Outcome.BROKEN] - MOST_TOLD) > 0:
            screen.tell(f"… and {untold:,} more that can't be read.")

    def _open(self, kind: Kind | None) -> AbstractContextManager[Source]:
        if self._path == STDIN:
            return nullcontext(stream_source(open(sys.stdin.fileno(), "rb", closefd=False), kind))
        return open_source(Path(self._path).expanduser(), kind)

    def _take(self, result: Result, screen: Screen) -> None:
        self._counts[result.outcome] += 1
        self._messages += result.messages
        self._lost += result.lost
        if result.outcome is Outcome.BROKEN:
            self.failed = True
            if self._counts[Outcome.BROKEN] <= MOST_TOLD:
                screen.tell(result.trouble)

    def as_object(self) -> dict[str, str | int]:
        """Returns the counts by name."""
        counts = {outcome.name.lower(): self._counts[outcome] for outcome in Outcome}
        return {"path": self._path, **counts, "messages": self._messages, "lost": self._lost}

    def sentence(self, dry_run: bool) -> str:
        """Returns the counts in words; "" where nothing could be read, which has been told."""
        if self.failed and not self._counts.total() - self._counts[Outcome.BROKEN]:
            return ""
        counts = ", ".join(f"{self._counts[outcome]:,} {outcome}" for outcome in Outcome if self._counts[outcome])
        lost = f"; {self._lost:,} messages or files in them could not be read" if self._lost else ""
        would = " (nothing was saved: a dry run)" if dry_run else ""
        return f"{clean_line(self._path)}: {counts or 'no sessions'}, {self._messages:,} new messages{lost}{would}"
