"""TerminalDriver: Textual's driver, made to end with its terminal, however that ends."""

import asyncio
import select
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from textual.app import App

LOOK_EVERY = 0.5
"""Seconds between looks whether the terminal is there."""


class TerminalDriver(LinuxDriver):
    """With Textual's own (8.2.8) a terminal that was killed leaves the app behind, busy and deaf for ever.

    A write that fails ends the thread that writes, and the event loop waits for room in its queue; an end of input is
    read again and again; and the signal to go on that comes with a hangup starts a second set of threads.
    """

    def __init__(
        self, app: "App[object]", *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        assert self._file is not None
        self._file = _Output(self._file)  # type: ignore[assignment]  # it is written to, and nothing else
        self._looks: asyncio.TimerHandle | None = None

    @property
    def is_gone(self) -> bool:
        """Whether nothing is at the other end of the terminal any more."""
        poll = select.poll()
        poll.register(self.fileno, 0)
        return bool(poll.poll(0))  # only what can't be masked: hung up, failed, closed

    def start_application_mode(self) -> None:
        """Takes over the terminal and keeps an eye on it."""
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._look()

    def stop_application_mode(self) -> None:
        """Gives the terminal back."""
        if self._looks is not None:
            self._looks.cancel()
        super().stop_application_mode()

    def _look(self) -> None:
        if self.is_gone:
            self._app.exit()
        else:
            self._looks = asyncio.get_running_loop().call_later(LOOK_EVERY, self._look)

    def _sigcont_application(self, *_: object) -> None:
        """Goes on after a stop; not after a hangup, which sends the same signal."""
        if not self.is_gone:
            if self._auto_restart and not self._must_signal_resume:
                self.suspend_application_mode()
            super()._sigcont_application()


class _Output:
    """The terminal's output. What fails to be written has no reader any more, and the driver ends the app."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> None:
        """Writes `text`, if it can."""
        with suppress(OSError):
            self._file.write(text)

    def flush(self) -> None:
        """Sends what was written, if it can."""
        with suppress(OSError):
            self._file.flush()

    def fileno(self) -> int:
        """The number of the file."""
        return self._file.fileno()
