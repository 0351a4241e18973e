"""A terminal to run programs in: a pty of 120x40 that answers what programs ask, counts bytes and times echoes."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

from tests.support import ROOT

COLUMNS, ROWS = 120, 40
_ANSWERS = [(b"\x1b[?2026$p", b"\x1b[?2026;2$y"), (b"\x1b[?2048$p", b"\x1b[?2048;0$y"), (b"\x1b[c", b"\x1b[?62;22c")]


# A terminal of its own for the program given, to be killed: the program's controlling one, as usual, or not.
EMULATOR = "import pty, sys; pty.spawn(sys.argv[1:])"
LOOSE_EMULATOR = """
import os, pty, select, subprocess, sys, tty
main, side = pty.openpty()
subprocess.Popen(sys.argv[1:], stdin=side, stdout=side, stderr=side, start_new_session=True)
os.close(side)
tty.setraw(0)
while True:
    for source in select.select([0, main], [], [])[0]:
        os.write(main if source == 0 else 1, os.read(source, 65536))
"""


class Terminal:
    """A program in a pty. Its output is read and counted; what it is asked for is answered."""

    def __init__(
        self, command: list[str], env: dict[str, str] | None = None, size: tuple[int, int] = (COLUMNS, ROWS)
    ) -> None:
        self._main, side = pty.openpty()
        self._set_size(*size)
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
        self.output = bytearray()
        """All that was written, where `keep` is set; else the end of it."""
        self.keep = False
        self.times: list[tuple[int, float]] = []
        """How much had been written when, on the monotonic clock, where `keep` is set."""
        self.mark = 0
        """A place in the count of bytes, for who wants to note one."""
        self._over = False
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._drain, daemon=True)
        self._reader.start()

    def write(self, data: bytes) -> None:
        """Types `data`."""
        os.write(self._main, data)

    def resize(self, columns: int, rows: int) -> None:
        """Makes the terminal another size and tells the program, which does not have it as its controlling terminal."""
        self._set_size(columns, rows)
        os.kill(self.process.pid, signal.SIGWINCH)

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._main, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _drain(self) -> None:
        """Reads all the time: a program whose terminal is full waits."""
        while True:
            try:
                data = os.read(self._main, 1 << 16)
            except OSError:
                data = b""
            with self._news:
                self._over = not data
                self.bytes += len(data)
                self.output += data
                if self.keep:
                    self.times.append((self.bytes, time.monotonic()))
                else:
                    del self.output[:-4096]
                self._news.notify_all()
            if not data:
                return
            for asked, answer in _ANSWERS:
                if asked in data:
                    self.write(answer)

    def until(self, text: str, after: int = 0, timeout: float = 30) -> None:
        """Waits until `text` has been written `after` so many bytes of output. Raises TimeoutError."""
        with self._news:
            self._news.wait_for(lambda: self._over or self.output.find(text.encode(), after) >= 0, timeout)
            if self.output.find(text.encode(), after) < 0:
                raise TimeoutError(f"{text!r} was not written; the last output: {bytes(self.output[-500:])!r}")

    def wait(self, timeout: float) -> int:
        """Waits until the program has ended and all it wrote is read, and returns its exit code."""
        code = self.process.wait(timeout)
        self._reader.join(timeout)
        return code

    def close(self) -> None:
        """Ends the program, if it runs, and closes the terminal."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        os.close(self._main)


def python(script: str, *arguments: str) -> list[str]:
    """Returns the command that runs `script` (its text) in this interpreter."""
    return [sys.executable, "-c", script, *arguments]


def child(process: subprocess.Popen[bytes]) -> int:
    """Returns the id of the process that `process` has started."""
    children = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True, check=True
    )
    return int(children.stdout.split()[0])


def ends(pid: int, timeout: float = 30) -> bool:
    """Waits until the process `pid`, which need not be a child, has ended; False if it has not by then."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.01)
    return False


def runs(pid: int) -> bool:
    """Whether the process `pid` runs; a zombie, which waits for its parent to ask how it ended, does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
