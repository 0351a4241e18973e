"""A small disk of its own, for tests that fill it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, megabytes: int = 8, block: int = 4096) -> Iterator[Path]:
    """Mounts a file in `folder` as a disk; skips the test where that is not allowed."""
    if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
        pytest.skip("needs root and mkfs.ext4, to mount a small disk")
    image, disk = folder / "disk.img", folder / "disk"
    disk.mkdir()
    with image.open("wb") as file:
        file.truncate(megabytes * 1_000_000)
    subprocess.run(["mkfs.ext4", "-q", "-b", str(block), "-m", "0", image], check=True)
    mounted = subprocess.run(["mount", "-o", "loop", image, disk], capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a file can't be mounted as a disk here: {mounted.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)
