"""Textual's driver, corrected for lost terminals and suspended apps."""

import asyncio
import os
import select
import signal
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, TextIO, cast

from textual.drivers.linux_driver import LinuxDriver

from streamtui.ui import terminal

if TYPE_CHECKING:
    from textual.app import App

    from streamtui.ui.app import StreamTUI

CHECK_EVERY = 0.5
"""Seconds between checks whether the terminal still exists."""


class TerminalDriver(LinuxDriver):
    """Fix Textual's driver (8.2.8) for terminals that are gone or used by another program.

    - A write that fails ends the thread that writes, and the event loop waits for room in its queue; an end of input
      is read again and again; and the signal to go on that comes with a hangup starts a second set of threads.
    - While the app is suspended it goes on painting into that queue, whose 31st item blocks the event loop for good.
    - SIGTSTP and SIGCONT are handled within the signal handler, which may have interrupted a write to the queue.
    """

    def __init__(
        self, app: "App[object]", *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        assert self._file is not None
        self._file = _Output(self._file)  # type: ignore[assignment]  # it is written to, and nothing else
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._while_suspended = ExitStack()

    @property
    def is_gone(self) -> bool:
        """Whether the terminal was closed."""
        poll = select.poll()
        poll.register(self.fileno, 0)
        return bool(poll.poll(0))  # only what can't be masked: hung up, failed, closed

    @property
    def has_terminal(self) -> bool:
        """True while the terminal is the app's, False while the app is suspended."""
        return self._writer_thread is not None and self._writer_thread.is_alive()

    @property
    def _is_in_foreground(self) -> bool:
        """False while a shell has the terminal; a terminal that is not the controlling one has no background."""
        try:
            return os.tcgetpgrp(self.fileno) == os.getpgrp()
        except OSError:
            return True

    def write(self, data: str) -> None:
        """Write `data`; while the app is suspended, drop it."""
        if self.has_terminal:
            super().write(data)

    # Start and end

    def start_application_mode(self) -> None:
        """Take over the terminal and watch whether it still exists."""
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self.write(terminal.ENABLE_MODIFIED_KEYS)
        self._check()

    def stop_application_mode(self) -> None:
        """Give the terminal back."""
        if self._timer is not None:
            self._timer.cancel()
        if self.has_terminal:
            self.write(terminal.DISABLE_MODIFIED_KEYS)
            super().stop_application_mode()

    def disable_input(self) -> None:
        """Stop reading keys. While the app is suspended none are read, and what is typed is not the app's."""
        if self.has_terminal:
            super().disable_input()

    def _check(self) -> None:
        if self.is_gone:
            cast("StreamTUI", self._app).terminate()
        else:
            self._timer = self._loop.call_later(CHECK_EVERY, self._check)

    # Suspending: for a program that the app runs, or for the shell

    def suspend_application_mode(self) -> None:
        """Hand the terminal to another program; nothing is painted until the app resumes."""
        if self.has_terminal:
            self._while_suspended.enter_context(self._app.batch_update())
            super().suspend_application_mode()

    def resume_application_mode(self) -> None:
        """Take the terminal back and paint everything, unless the app is about to end."""
        if self._app.return_code is None:
            super().resume_application_mode()
            self._while_suspended.close()
            self._app.refresh(layout=True)

    def _sigtstp_application(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop)

    def _stop(self) -> None:
        """Stop the process; the shell continues it."""
        if self._auto_restart:
            self.suspend_application_mode()
            self._must_signal_resume = True
        os.kill(os.getpid(), signal.SIGSTOP)

    def _sigcont_application(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._continue)

    def _continue(self) -> None:
        """Resume after a stop, but not after a hangup, which sends the same signal, and not in the background."""
        if self._timer is not None:
            self._timer.cancel()
        if self.is_gone:
            cast("StreamTUI", self._app).terminate()
        elif not self._auto_restart:
            return  # an editor has the terminal
        elif self._is_in_foreground:
            self.suspend_application_mode()  # SIGSTOP left no time for it
            self.resume_application_mode()
        else:
            # Look again: bash sends no signal when it brings a running job to the foreground.
            self._timer = self._loop.call_later(CHECK_EVERY, self._continue)


class _Output:
    """The terminal's output. Failed writes are ignored: the terminal is gone, and the driver ends the app."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> None:
        """Write `text`, ignoring errors."""
        with suppress(OSError):
            self._file.write(text)

    def flush(self) -> None:
        """Flush, ignoring errors."""
        with suppress(OSError):
            self._file.flush()

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._file.fileno()
