"""Copying inside tmux."""

import asyncio
import os
from pathlib import Path

import pytest

from streamtui.ui import terminal
from tests.support.terminal import runs
from tests.ui.conftest import until


@pytest.fixture
def stuck_tmux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tmux that never ends; the file in which it writes the ids of its processes."""
    started = tmp_path / "started"
    program = tmp_path / "bin" / "tmux"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nsleep 1000 &\necho $$ $! >> {started}\nwait\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
    return started


def processes_in(file: Path) -> list[int]:
    """The process ids in `file`."""
    return [int(word) for word in file.read_text().split()] if file.exists() else []


async def test_a_tmux_that_hangs_is_given_up_and_killed(stuck_tmux: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "TMUX_LIMIT", 1.0)
    async with asyncio.timeout(20):
        assert not await terminal.copy_in_tmux("text")
    await until(lambda: not any(runs(pid) for pid in processes_in(stuck_tmux)))


async def test_the_next_copy_kills_a_tmux_that_hangs(stuck_tmux: Path) -> None:
    copying = asyncio.create_task(terminal.copy_in_tmux("text"))
    await until(lambda: processes_in(stuck_tmux))
    copying.cancel()
    async with asyncio.timeout(20):
        with pytest.raises(asyncio.CancelledError):
            await copying
    await until(lambda: not any(runs(pid) for pid in processes_in(stuck_tmux)))
