"""Terminal features beyond Textual's: more keys, and copying in tmux."""

import os
import shutil
from asyncio.subprocess import DEVNULL, PIPE
from enum import Enum

from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS

from streamtui import processes

ENABLE_MODIFIED_KEYS = "\x1b[>4;1m"
"""xterm's modifyOtherKeys: in tmux 3.3a shift+enter arrives only after this, whatever extended-keys says."""
DISABLE_MODIFIED_KEYS = "\x1b[>4;0m"
TMUX_LIMIT = 3.0
"""Seconds to wait for tmux when copying."""


_SHIFTED = {f"f{number + 12}": f"shift+f{number}" for number in range(1, 13)}


class _Keys(Enum):
    ALT_ENTER = "alt+enter"


def recognize_alt_enter() -> None:
    """Let ESC CR, alt+enter in terminals without the kitty protocol, arrive as alt+enter rather than enter."""
    ANSI_SEQUENCES_KEYS["\x1b\r"] = (_Keys.ALT_ENTER,)  # type: ignore[index]


def normalize_key(event: events.Key) -> None:
    """Rename keys that terminals report in more than one way.

    modifyOtherKeys names them by character: ``shift+\\r`` is shift+enter. What xterm, and tmux, send for shift+F2 is
    what some keyboards sent for F14, and Textual calls it so. Outside the kitty protocol ctrl+space is ctrl+@.
    """
    if event.key.endswith("+\r"):
        event.key = event.key[:-1] + "enter"
    elif event.key == "ctrl+@":
        event.key = "ctrl+space"
    elif event.key in _SHIFTED:
        event.key = _SHIFTED[event.key]


async def copy_in_tmux(text: str) -> bool:
    """Copy `text` through tmux, which passes it to the terminal. Return False if that failed.

    In stock tmux an application's own OSC 52 is blocked, and so is passthrough; ``load-buffer -w`` works.
    """
    if "TMUX" not in os.environ or shutil.which("tmux") is None:
        return False
    command = ("tmux", "load-buffer", "-w", "-")
    process = await processes.start(command, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL)
    try:
        await processes.communicate(process, TMUX_LIMIT, text.encode())
    except TimeoutError:
        return False
    return process.returncode == 0
