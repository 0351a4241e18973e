"""`streamtui web` in a process of its own."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

TIMEOUT = 30.0
"""Seconds until a test gives up waiting."""


@dataclass
class Running:
    """A running server."""

    process: asyncio.subprocess.Process
    address: str
    """The link with the ticket."""

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return self.address.partition("/?")[0]

    def page_processes(self) -> list[int]:
        """Return the ids of the processes of open pages."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii")
        return [int(pid) for pid in children.split()]

    async def wait_for_processes(self, count: int) -> None:
        """Wait until `count` pages have a process."""
        async with asyncio.timeout(TIMEOUT):
            while len(self.page_processes()) != count:
                await asyncio.sleep(0.02)


@asynccontextmanager
async def serving_pages(home: Path, *arguments: str) -> AsyncIterator[Running]:
    """Run `streamtui web` with its files under `home`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    environment |= {"HOME": str(home), "XDG_DATA_HOME": str(home / "data"), "XDG_CONFIG_HOME": str(home / "config")}
    command = [sys.executable, "-m", "streamtui", "web", "--port", "0", "--no-browser", *arguments]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=environment)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(TIMEOUT):
            line = await process.stdout.readline()
        yield Running(process, line.decode().split()[-1])
    finally:
        if process.returncode is None:
            process.terminate()
            async with asyncio.timeout(TIMEOUT):
                await process.wait()
