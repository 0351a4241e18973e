"""Suspend the app for an editor or for the shell that started it."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from textual.app import App, ReturnType


class SuspendingApp(App[ReturnType]):
    """Suspends itself for another program, or altogether; `TerminalDriver` keeps it from painting meanwhile."""

    @contextmanager
    def suspend(self) -> Iterator[None]:
        """Suspend the app within the context, and resume it however that ends.

        Textual's own (8.2.8) does not resume after an exception. Raises SuspendNotSupported.
        """
        raised: BaseException | None = None
        with super().suspend():
            try:
                yield
            except BaseException as error:  # noqa: BLE001  # raised again below
                raised = error
        if raised is not None:
            raise raised

    def action_suspend_process(self) -> None:
        """Stop the app and return to the shell, which continues it."""
        driver = self._driver
        if driver is None or not driver.can_suspend or not _has_job_control():
            self.notify("Can't suspend: no shell to return to.", severity="warning", markup=False, timeout=4)
            return
        driver.suspend_application_mode()
        # The whole job: the shell waits for what it started itself, such as `uv run streamtui`.
        os.killpg(os.getpgrp(), signal.SIGTSTP)


def _has_job_control() -> bool:
    """Return False where the program, or its script, was started without a shell that could continue it."""
    return os.getpgrp() != os.getsid(0)
