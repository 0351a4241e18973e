"""Size limit for replies, against models and servers that never stop."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from streamtui.config import MB
from streamtui.core.message import Delta
from streamtui.providers.base import ErrorKind, ProviderError


async def limited(deltas: AsyncGenerator[Delta], limit: int) -> AsyncGenerator[Delta]:
    """Yield `deltas` up to `limit` bytes of text and reasoning in UTF-8.

    If there is more, close `deltas` and raise ProviderError after yielding the part that fits.
    """
    left = limit
    async with aclosing(deltas):
        async for delta in deltas:
            reasoning, text = _encoded(delta.reasoning), _encoded(delta.text)
            if len(reasoning) + len(text) > left:
                kept = _decoded(reasoning[:left])
                yield replace(delta, reasoning=kept, text=_decoded(text[: max(0, left - len(reasoning))]))
                raise _too_long(limit)
            left -= len(reasoning) + len(text)
            yield delta


def _too_long(limit: int) -> ProviderError:
    sentence = f"Stopped at {limit / MB:.3g} MB, the limit for a reply (max_reply_mb in config.toml)."
    return ProviderError(sentence, ErrorKind.REFUSED)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # a server may split a character between deltas


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "ignore")
