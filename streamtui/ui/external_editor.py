"""The user's editor: it has the terminal, and its signals, until it exits."""

import asyncio
import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

if TYPE_CHECKING:
    from textual.app import App

GRACE = 2.0
"""Seconds that an editor has to exit when the app ends before it."""


class EditorError(Exception):
    """The text could not be edited. Its words are a sentence for the user."""


async def edit(app: "App[object]", text: str, name: str) -> str:
    """Suspend `app`, open `text` in the user's editor as a file called `name`, and return the file's text.

    A reply in progress goes on meanwhile. Raises EditorError.
    """
    command = _command()
    with tempfile.TemporaryDirectory(prefix="streamtui-") as folder:
        file = Path(folder) / name
        file.write_text(text, encoding="utf-8")
        try:
            with app.suspend():
                code = await _run([*command, str(file)])
        except SuspendNotSupported:
            raise EditorError("An editor needs a terminal: it can't be opened here.") from None
        except OSError as error:
            raise EditorError(f"Can't start the editor {command[0]}: {error.strerror}. Set $EDITOR.") from error
        if code:
            raise EditorError(f"The editor {command[0]} exited with code {code}; its changes were ignored.")
        try:
            return file.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise EditorError(f"Can't read what the editor saved: {error.strerror}.") from error


def _command() -> list[str]:
    """Return $VISUAL, $EDITOR or vi as a command with its arguments."""
    for variable in ("VISUAL", "EDITOR"):
        try:
            if command := shlex.split(os.environ.get(variable, "")):
                return command
        except ValueError as error:
            raise EditorError(f"Can't start the editor: ${variable}: {error}.") from error
    return ["vi"]


async def _run(command: Sequence[str]) -> int:
    """Run an editor and return its exit code. Raises OSError."""
    with _interrupts_ignored():
        process = subprocess.Popen(command)  # noqa: ASYNC220  # a coroutine could be canceled while it starts
        try:
            return await asyncio.to_thread(process.wait)
        except asyncio.CancelledError:
            # The app ends. Not passed on, so that what the user has saved in the editor is kept as the draft.
            process.terminate()
            try:
                process.wait(GRACE)
            except subprocess.TimeoutExpired:
                process.kill()
            return 0


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Leave ctrl+c and ctrl+\\ to the editor. A handler and not SIG_IGN, which the editor would inherit."""
    handlers = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGQUIT)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
