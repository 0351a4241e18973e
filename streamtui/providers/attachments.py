"""Attachments: encode the files of a prompt as text and images."""

from base64 import b64encode

from streamtui.core.message import Attachment, Message, Role
from streamtui.core.sanitize import clean_line
from streamtui.providers.base import ErrorKind, ProviderError

_TEXT_TYPES = ("json", "xml", "yaml", "toml", "javascript", "x-sh", "sql", "csv")


def text_of(message: Message) -> str:
    """Return the text of `message` with its text files before it.

    Raise ProviderError for a file that is neither an image nor text.
    """
    files = message.attachments if message.role is Role.USER else ()
    texts = [_as_text(file) for file in files if not _is_image(file)]
    return "\n\n".join(filter(None, [*texts, message.text])) if texts else message.text


def images_of(message: Message) -> list[str]:
    """Return the images attached to `message` as ``data:`` URLs."""
    if message.role is not Role.USER:
        return []
    return [
        f"data:{file.media_type};base64,{b64encode(file.data).decode('ascii')}"
        for file in message.attachments
        if _is_image(file)
    ]


def _is_image(attachment: Attachment) -> bool:
    return attachment.media_type.startswith("image/")


def _as_text(attachment: Attachment) -> str:
    major, _, minor = attachment.media_type.partition(";")[0].strip().lower().partition("/")
    if major != "text" and not minor.endswith(_TEXT_TYPES):
        name = clean_line(attachment.name)
        raise ProviderError(f"Can't send {name}. Only images and text files can be attached.", ErrorKind.REFUSED)
    return f"File {attachment.name}:\n\n{attachment.data.decode('utf-8', 'replace')}"
