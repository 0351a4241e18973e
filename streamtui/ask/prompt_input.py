"""The prompt of `streamtui ask`, assembled from arguments, files and stdin."""

import mimetypes
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from streamtui.core.message import Attachment
from streamtui.core.sanitize import clean, clean_line

MAX_FILE_BYTES = 50 * 1024 * 1024
"""Maximum size of a file; no server accepts more."""
_IMAGES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"BM": "image/bmp",
}


class PromptInputError(Exception):
    """Report an invalid prompt or file: what is wrong, and what to do."""


@dataclass(frozen=True, slots=True)
class PromptInput:
    """A prompt and its attachments."""

    text: str
    attachments: tuple[Attachment, ...] = ()


def build_prompt(words: Iterable[str], piped: bytes, files: Iterable[Path], images: Iterable[Path]) -> PromptInput:
    """Return the prompt: the words, then piped text, with files and a piped image as attachments.

    Raise PromptInputError if the prompt is empty, or a file can't be read or sent.
    """
    attachments = [*(_file(path) for path in files), *(_image(path) for path in images)]
    _check_size("stdin", piped)
    if media_type := _image_type(piped):
        attachments.insert(0, Attachment("stdin", media_type, piped))
        piped = b""
    texts = [clean(" ".join(words)).strip(), clean(_text("stdin", piped)).strip("\n")]
    text = "\n\n".join(filter(None, texts))
    if not text and not attachments:
        raise PromptInputError("The prompt is empty. Pass it as an argument or on stdin.")
    return PromptInput(text, tuple(attachments))


def _file(path: Path) -> Attachment:
    data = _read(path)
    media_type = _image_type(data)
    if media_type:
        return Attachment(clean_line(path.name), media_type, data)
    _text(str(path), data)
    guessed = mimetypes.guess_type(path.name)[0] or "text/plain"
    # Source files may be guessed as application/…, but a model can read any UTF-8 text.
    return Attachment(clean_line(path.name), guessed if guessed.startswith("text/") else "text/plain", data)


def _image(path: Path) -> Attachment:
    data = _read(path)
    media_type = _image_type(data)
    if not media_type:
        raise PromptInputError(f"{clean_line(str(path))} is not a PNG, JPEG, GIF, WebP or BMP image.")
    return Attachment(clean_line(path.name), media_type, data)


def _image_type(data: bytes) -> str:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((media_type for magic, media_type in _IMAGES.items() if data.startswith(magic)), "")


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise PromptInputError(f"{clean_line(str(path))} can't be read: {error.strerror}.") from error
    _check_size(str(path), data)
    return data


def _check_size(name: str, data: bytes) -> None:
    if len(data) > MAX_FILE_BYTES:
        raise PromptInputError(f"{clean_line(name)} is larger than {MAX_FILE_BYTES // 2**20} MB.")


def _text(name: str, data: bytes) -> str:
    """Return the text of a file. Raise PromptInputError if it is binary."""
    try:
        if b"\0" not in data:
            return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    raise PromptInputError(f"{clean_line(name)} is neither text nor an image.")
