"""How far an import is, on stderr."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.progress import Progress


class Screen(Protocol):
    """Where the user sees how it goes."""

    def show(self, done: float | None, sessions: int) -> None:
        """Shows how far it is, from 0 to 1 (None where nobody knows), and how many `sessions` have been read."""

    def tell(self, sentence: str) -> None:
        """Says what is wrong."""


@contextmanager
def progress_on_stderr() -> Iterator[Screen]:
    """A bar that is gone at the end, where stderr is a terminal; else sentences only."""
    if not sys.stderr.isatty():
        yield _Sentences()
        return
    # Imported for those who see it.
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = BarColumn(), TaskProgressColumn(), TimeRemainingColumn(), TextColumn("{task.description}")
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield _Bar(progress)


class _Sentences:
    def show(self, done: float | None, sessions: int) -> None:
        """Shows nothing: a log is no place for a bar."""

    def tell(self, sentence: str) -> None:
        print(f"streamtui: {sentence}", file=sys.stderr)


class _Bar:
    def __init__(self, progress: "Progress") -> None:
        self._progress = progress
        self._task = progress.add_task("", total=None)

    def show(self, done: float | None, sessions: int) -> None:
        words = f"{sessions:,} session{'' if sessions == 1 else 's'}"
        self._progress.update(self._task, total=done and 1.0, completed=done or 0.0, description=words)

    def tell(self, sentence: str) -> None:
        self._progress.console.print(f"streamtui: {sentence}", markup=False, highlight=False)
