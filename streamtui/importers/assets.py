"""The attachments in a ChatGPT export, found by id and read on demand."""

import re
from collections.abc import Callable, Mapping
from mimetypes import guess_type

from streamtui.core import coerce
from streamtui.core.message import Attachment

MAX_ASSET_SIZE = 64 << 20
"""In bytes; larger files are skipped."""

_ID = re.compile(r"file[-_][A-Za-z0-9]+")
_MAGIC = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif", b"%PDF": "application/pdf"}

Reader = Callable[[], bytes]
"""Reads a whole file. Raises OSError or ValueError."""


class Assets:
    """Attachments by the ids at the start of their names: ``file-AbC123-photo.png`` for ``file-service://file-AbC123``."""

    def __init__(self, files: Mapping[str, Reader] = {}) -> None:
        """`files` maps names without directories to readers."""
        self._files: dict[str, tuple[str, Reader]] = {}
        for name, read in files.items():
            if found := _ID.match(name):
                self._files.setdefault(found[0], (name, read))

    def find(self, pointer: str, name: str = "") -> Attachment | None:
        """Return the file for `pointer` (an id or a URL with one) as an attachment called `name`; None if missing."""
        found = _ID.match(pointer.rpartition("/")[2])
        if found is None or found[0] not in self._files:
            return None
        own_name, read = self._files[found[0]]
        try:
            data = read()
        except (OSError, ValueError):
            return None
        shown = name or own_name.removeprefix(found[0]).lstrip("-_") or own_name
        return Attachment(coerce.line(shown), media_type(shown, data), data)


def media_type(name: str, data: bytes) -> str:
    """Return the media type by magic number, else by file extension."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    known = next((kind for magic, kind in _MAGIC.items() if data.startswith(magic)), None)
    return known or guess_type(name)[0] or "application/octet-stream"
