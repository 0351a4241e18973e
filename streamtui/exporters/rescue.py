"""Write sessions that could not be saved to a file."""

import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from streamtui.core.session import Session
from streamtui.core.transfer_error import TransferError
from streamtui.exporters.export_files import json_parts, save


def rescue(sessions: Sequence[Session], folders: Iterable[Path]) -> Path | None:
    """Write `sessions` as importable JSON to a new file in the first of `folders` that is writable.

    The last resort is the directory for temporary files. Return the file; None if it can't be written anywhere.
    """
    name = f"streamtui-rescued-{time.strftime('%Y-%m-%d-%H-%M-%S')}.json"
    for folder in (*folders, Path(tempfile.gettempdir())):
        try:
            save(json_parts(sessions), folder / name)
        except TransferError:
            continue  # the caller reports where the file is
        return folder / name
    return None
