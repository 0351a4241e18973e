"""A terminal to run programs in: a pty of 120x40 that answers what programs ask, counts bytes and times echoes."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
COLUMNS, ROWS = 120, 40
_ANSWERS = [(b"\x1b[?2026$p", b"\x1b[?2026;2$y"), (b"\x1b[?2048$p", b"\x1b[?2048;0$y"), (b"\x1b[c", b"\x1b[?62;22c")]


class Terminal:
    """A program in a pty. Its output is read and counted; what it is asked for is answered."""

    def __init__(self, command: list[str], env: dict[str, str] | None = None) -> None:
        self._main, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        environ = {
            **os.environ,
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "PYTHONPATH": str(ROOT),
            **(env or {}),
        }
        self.process = subprocess.Popen(
            command, stdin=side, stdout=side, stderr=side, env=environ, start_new_session=True, close_fds=True
        )
        os.close(side)
        self.bytes = 0
        self.tail = b""

    def write(self, data: bytes) -> None:
        """Types `data`."""
        os.write(self._main, data)

    def resize(self, columns: int, rows: int) -> None:
        """Makes the terminal another size."""
        fcntl.ioctl(self._main, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, timeout: float = 0.05) -> bytes:
        """Returns what the program wrote, waiting for it `timeout` seconds at most; b"" for nothing."""
        if not select.select([self._main], [], [], timeout)[0]:
            return b""
        try:
            data = os.read(self._main, 1 << 16)
        except OSError:
            return b""
        self.bytes += len(data)
        for asked, answer in _ANSWERS:
            if asked in data:
                self.write(answer)
        self.tail = (self.tail + data)[-4096:]
        return data

    def until(self, done: Callable[[bytes], bool], timeout: float) -> bool:
        """Reads until `done` is true of a piece of output; False when that did not happen in `timeout` seconds."""
        end = time.monotonic() + timeout
        while time.monotonic() < end and self.process.poll() is None:
            if done(self.read()):
                return True
        return False

    def wait(self, timeout: float) -> int:
        """Reads until the program has ended and returns its exit code. Raises TimeoutError."""
        end = time.monotonic() + timeout
        while self.process.poll() is None:
            if time.monotonic() > end:
                self.process.kill()
                raise TimeoutError(f"the program did not end; its last output: {self.tail[-500:]!r}")
            self.read()
        os.close(self._main)
        return self.process.returncode


def python(script: str, *arguments: str) -> list[str]:
    """Returns the command that runs `script` (its text) in this interpreter."""
    return [sys.executable, "-c", script, *arguments]
