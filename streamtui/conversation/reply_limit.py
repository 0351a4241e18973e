"""Reply limit: a model or a server that never stops is stopped."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from streamtui.config import MB
from streamtui.core.message import Delta
from streamtui.providers.base import ErrorKind, ProviderError


async def limited(pieces: AsyncGenerator[Delta], limit: int) -> AsyncGenerator[Delta]:
    """Yield `pieces` up to `limit` bytes of text and reasoning in UTF-8.

    Raise ProviderError after the part that fits where there is more; `pieces` is closed then.
    """
    left = limit
    async with aclosing(pieces):
        async for piece in pieces:
            reasoning, text = _encoded(piece.reasoning), _encoded(piece.text)
            if len(reasoning) + len(text) > left:
                kept = _decoded(reasoning[:left])
                yield replace(piece, reasoning=kept, text=_decoded(text[: max(0, left - len(reasoning))]))
                raise _too_long(limit)
            left -= len(reasoning) + len(text)
            yield piece


def _too_long(limit: int) -> ProviderError:
    sentence = f"Stopped at {limit / MB:.3g} MB, the limit for a reply (max_reply_mb in config.toml)."
    return ProviderError(sentence, ErrorKind.REFUSED)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # a server may cut a piece in the middle of a character


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "ignore")
