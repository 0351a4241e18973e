"""Token count of a conversation: the last count by the server, and an estimate for messages since then."""

from collections.abc import Sequence

from streamtui.core.message import Attachment, Message
from streamtui.tokens.count import Count, size_of, tokens_in
from streamtui.tokens.encodings import counter_for

MESSAGE_OVERHEAD = 4
"""Tokens that a chat template adds per message."""
IMAGE_TOKENS = 1_000
"""Approximate tokens of an image of any size; OpenAI models count 85 to 1,500 for most images."""
MAX_ENCODED = 100_000
"""Bytes up to which tokens are counted, which takes 7 ms; larger texts are estimated."""


def context_count(path: Sequence[Message], system: str = "", model: str = "") -> Count:
    """Return the number of tokens of `path` and `system` for `model`."""
    since: list[Message] = []
    for message in reversed(path):
        if message.usage is not None:
            estimated = message.usage.estimated
            # Our own count of a reply covers only its text.
            before = message.usage.total_tokens + MESSAGE_OVERHEAD * estimated
            return Count(before + _tokens_of(since, "", model), not since and not estimated)
        if message.text or message.attachments:
            since.append(message)
    return Count(_tokens_of(since, system, model), not since and not system)


def _tokens_of(messages: Sequence[Message], system: str, model: str) -> int:
    images = sum(_is_image(file) for message in messages for file in message.attachments)
    files = [file.data for message in messages for file in message.attachments if not _is_image(file)]
    texts = [system, *(message.text for message in messages)]
    size = sum(map(size_of, texts)) + sum(map(len, files))
    around = MESSAGE_OVERHEAD * len(messages) + IMAGE_TOKENS * images
    if size > MAX_ENCODED:
        return tokens_in(size) + around
    counter = counter_for(model)
    for text in [*texts, *(data.decode("utf-8", "replace") for data in files)]:
        counter.add(text)
    return counter.count.tokens + around


def _is_image(file: Attachment) -> bool:
    return file.media_type.startswith("image/")
