"""A progress bar on stderr for imports."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from streamtui.cli import print_error

if TYPE_CHECKING:
    from rich.progress import Progress


class ImportProgress(Protocol):
    """The progress display of an import."""

    def update(self, done: float | None, sessions: int) -> None:
        """Show the fraction done (None if unknown) and the number of sessions read."""

    def report(self, sentence: str) -> None:
        """Print an error."""


@contextmanager
def show_progress() -> Iterator[ImportProgress]:
    """Show a progress bar until the block ends; print errors only if stderr is not a terminal."""
    if not sys.stderr.isatty():
        yield _ErrorsOnly()
        return
    # Imported here: only a terminal needs it.
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = BarColumn(), TaskProgressColumn(), TimeRemainingColumn(), TextColumn("{task.description}")
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield _Bar(progress)


class _ErrorsOnly:
    def update(self, done: float | None, sessions: int) -> None:
        """Print nothing, as stderr may be a log."""

    def report(self, sentence: str) -> None:
        print_error(sentence)


class _Bar:
    def __init__(self, progress: "Progress") -> None:
        self._progress = progress
        self._task = progress.add_task("", total=None)

    def update(self, done: float | None, sessions: int) -> None:
        description = f"{sessions:,} session{'' if sessions == 1 else 's'}"
        self._progress.update(self._task, total=done and 1.0, completed=done or 0.0, description=description)

    def report(self, sentence: str) -> None:
        self._progress.console.print(f"streamtui: {sentence}", markup=False, highlight=False)
