"""PromptInput: what is asked, put together from words, files and what is piped in."""

import mimetypes
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from streamtui.core.message import Attachment
from streamtui.core.sanitize import clean, clean_line

LARGEST = 50 * 1024 * 1024
"""Bytes of a file; no server takes more."""
_IMAGES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"BM": "image/bmp",
}


class PromptInputError(Exception):
    """Something that can't be asked; the text says what, and what to do."""


@dataclass(frozen=True, slots=True)
class PromptInput:
    """A prompt and the files that go with it."""

    text: str
    attachments: tuple[Attachment, ...] = ()


def build_prompt(words: Iterable[str], piped: bytes, files: Iterable[Path], images: Iterable[Path]) -> PromptInput:
    """Returns the question: the words first, piped text below them, the files and a piped image attached.

    Raises PromptInputError where there is nothing to ask, or a file can't be read or sent.
    """
    attachments = [*(_file(path) for path in files), *(_image(path) for path in images)]
    _check_size("stdin", piped)
    if media_type := _image_type(piped):
        attachments.insert(0, Attachment("stdin", media_type, piped))
        piped = b""
    texts = [clean(" ".join(words)).strip(), clean(_text("stdin", piped)).strip("\n")]
    text = "\n\n".join(filter(None, texts))
    if not text and not attachments:
        raise PromptInputError("there is nothing to ask; give a prompt, or pipe one in.")
    return PromptInput(text, tuple(attachments))


def _file(path: Path) -> Attachment:
    data = _read(path)
    media_type = _image_type(data)
    if media_type:
        return Attachment(clean_line(path.name), media_type, data)
    _text(str(path), data)
    guessed = mimetypes.guess_type(path.name)[0] or "text/plain"
    # A script or a source file may be known as application/…; what is UTF-8 can be read by a model.
    return Attachment(clean_line(path.name), guessed if guessed.startswith("text/") else "text/plain", data)


def _image(path: Path) -> Attachment:
    data = _read(path)
    media_type = _image_type(data)
    if not media_type:
        raise PromptInputError(f"{clean_line(str(path))} is no PNG, JPEG, GIF, WebP or BMP image.")
    return Attachment(clean_line(path.name), media_type, data)


def _image_type(data: bytes) -> str:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((media_type for magic, media_type in _IMAGES.items() if data.startswith(magic)), "")


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise PromptInputError(f"{clean_line(str(path))} can't be read: {error.strerror}.") from error
    _check_size(str(path), data)
    return data


def _check_size(name: str, data: bytes) -> None:
    if len(data) > LARGEST:
        raise PromptInputError(f"{clean_line(name)} is larger than {LARGEST // 2**20} MB.")


def _text(name: str, data: bytes) -> str:
    """Returns the text of a file. Raises PromptInputError where it has none."""
    try:
        if b"\0" not in data:
            return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    raise PromptInputError(f"{clean_line(name)} is neither text nor an image.")
