"""Requests outside the conversation: summaries and titles."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing

from streamtui.conversation.request_context import weight
from streamtui.core.message import Attachment, Delta, Message, Role, Usage
from streamtui.core.sanitize import clean, clean_line
from streamtui.core.session import TITLE_LENGTH
from streamtui.providers.base import ErrorKind, ProviderError

_SUMMARIZE = """\
Summarize the conversation below for a model that will continue it without seeing it. Include requests and results, \
facts, names, numbers, decisions, code that is still needed, and open questions. Omit what is no longer relevant. \
Write only the summary, in the language of the conversation."""
_TITLE = """\
Write a title of three to seven words for the conversation below, in its language. Write only the title."""
_EXCERPT = 2_000
"""Characters of each message in a title prompt."""
_WRAPPING = "\"'“”„‚‘’«»*_#`. "


async def collect(deltas: AsyncGenerator[Delta], model: str) -> tuple[str, Usage | None]:
    """Return the sanitized reply of `model` and its usage. Raise ProviderError, also if the reply is empty."""
    parts, usage = list[str](), None
    async with aclosing(deltas):
        async for delta in deltas:
            if delta.text_was_reasoning:
                parts.clear()
            parts.append(delta.text)
            usage = delta.usage or usage
    text = clean("".join(parts)).strip()
    if not text:
        raise ProviderError(f"{clean_line(model)} sent an empty reply. Retry, or switch models.", ErrorKind.BROKEN)
    return text, usage


def chunked(messages: Sequence[Message], max_tokens: int | None) -> Iterator[list[Message]]:
    """Yield `messages` in chunks of about `max_tokens`, each with at least one message; None: in one chunk."""
    chunk: list[Message] = []
    size = 0
    for message in messages:
        size += weight(message)
        if chunk and max_tokens is not None and size > max_tokens:
            yield chunk
            chunk, size = [], weight(message)
        chunk.append(message)
    if chunk:
        yield chunk


def summary_prompt(messages: Sequence[Message], before: str = "") -> str:
    """Return the prompt for a summary of `messages`, which follow those already summarized in `before`."""
    earlier = [f"Summary of the earlier conversation:\n\n{before}"] if before else []
    return "\n\n".join([_SUMMARIZE, "---", *earlier, *map(_as_text, messages)])


def title_prompt(messages: Sequence[Message]) -> str:
    """Return the prompt for a title of a conversation that begins with `messages`."""
    return "\n\n".join([_TITLE, "---", *(_as_text(message)[:_EXCERPT] for message in messages)])


def title_in(text: str) -> str:
    """Return the title in a reply, without quotes and Markdown; empty if there is no usable one."""
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
