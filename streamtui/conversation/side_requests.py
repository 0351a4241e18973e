"""Asides: what a model is asked beside the conversation: to sum it up, to give it a title."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing

from streamtui.conversation.request_context import weight
from streamtui.core.message import Attachment, Delta, Message, Role, Usage
from streamtui.core.sanitize import clean, clean_line
from streamtui.core.session import TITLE_LENGTH
from streamtui.providers.base import ErrorKind, ProviderError

_SUMMARISE = """\
Sum up the conversation below for a model that will go on with it and can't read it: what was asked for and settled, \
facts, names, numbers, decisions, code that is still needed, what is open. Leave out what does not matter any more. \
Write the summary and nothing else, in the language of the conversation."""
_TITLE = """\
Give the conversation below a title of three to seven words, in its language. Write the title and nothing else."""
_EXCERPT = 2_000
"""Characters of a message that are enough to find a title."""
_WRAPPING = "\"'“”„‚‘’«»*_#`. "


async def answer(pieces: AsyncGenerator[Delta], model: str) -> tuple[str, Usage | None]:
    """Returns what `model` says, cleaned, and what it took. Raises ProviderError, also where it says nothing."""
    parts, usage = list[str](), None
    async with aclosing(pieces):
        async for piece in pieces:
            if piece.text_was_reasoning:
                parts.clear()
            parts.append(piece.text)
            usage = piece.usage or usage
    text = clean("".join(parts)).strip()
    if not text:
        raise ProviderError(f"{clean_line(model)} said nothing: try again, or use another model.", ErrorKind.BROKEN)
    return text, usage


def portions(messages: Sequence[Message], room: int | None) -> Iterator[list[Message]]:
    """Yields `messages` in parts of about `room` tokens at most, a message at least; None: all at once."""
    part: list[Message] = []
    size = 0
    for message in messages:
        size += weight(message)
        if part and room is not None and size > room:
            yield part
            part, size = [], weight(message)
        part.append(message)
    if part:
        yield part


def summary_prompt(messages: Sequence[Message], before: str = "") -> str:
    """Returns what asks for a summary of `messages`, and of what they follow, which is summed up already."""
    earlier = [f"What was said before, summed up:\n\n{before}"] if before else []
    return "\n\n".join([_SUMMARISE, "---", *earlier, *map(_as_text, messages)])


def title_prompt(messages: Sequence[Message]) -> str:
    """Returns what asks for a title of a conversation that begins with `messages`."""
    return "\n\n".join([_TITLE, "---", *(_as_text(message)[:_EXCERPT] for message in messages)])


def title_in(text: str) -> str:
    """Returns the title that a model gave, without what models put around it; empty for none that can be used."""
    line = next((line for line in map(clean_line, text.splitlines()) if line.strip(_WRAPPING)), "")
    line = line.strip(_WRAPPING)
    if line.lower().startswith("title:"):
        line = line[len("title:") :].strip(_WRAPPING)
    return line if len(line) <= TITLE_LENGTH else ""


def _as_text(message: Message) -> str:
    who = "User" if message.role is Role.USER else "Assistant"
    return "\n".join([f"{who}:", *map(_file_as_text, message.attachments), message.text])


def _file_as_text(file: Attachment) -> str:
    text = file.data.decode("utf-8", "replace") if file.media_type.startswith("text/") else ""
    return f"[file {file.name}]\n{text}".rstrip()
