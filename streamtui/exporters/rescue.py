"""Rescue: what could not be saved when the program ends goes into a file somewhere else."""

import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from streamtui.core.session import Session
from streamtui.core.transfer_error import TransferError
from streamtui.exporters.export_files import json_parts, save


def rescue(sessions: Sequence[Session], folders: Iterable[Path]) -> Path | None:
    """Writes `sessions` to a new file, as JSON that can be imported, in the first of `folders` that takes it.

    The last resort is the folder for temporary files. Returns the file; None where nothing takes it.
    """
    name = f"streamtui-rescued-{time.strftime('%Y-%m-%d-%H-%M-%S')}.json"
    for folder in (*folders, Path(tempfile.gettempdir())):
        try:
            save(json_parts(sessions), folder / name)
        except TransferError:
            continue  # who asks is told where it went, or that it went nowhere
        return folder / name
    return None
