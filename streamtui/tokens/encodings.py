"""Load encodings and choose one for a model. Nothing here uses the network."""

from base64 import b64decode
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from streamtui.tokens import encoding_files
from streamtui.tokens.counter import TokenCounter

if TYPE_CHECKING:
    import tiktoken

_USUAL = "o200k_base"
"""The encoding of OpenAI's models since gpt-4o; a good approximation for others."""
_SAME = {"o200k_harmony": "o200k_base"}
_loaded: dict[str, "tiktoken.Encoding"] = {}


class EncodingChoice(NamedTuple):
    """The encoding for a model, and whether it is the model's own."""

    name: str
    own: bool


@cache
def encoding_for(model: str) -> EncodingChoice:
    """Return the encoding for `model`. The first call imports tiktoken (30 ms)."""
    from tiktoken.model import encoding_name_for_model

    try:
        name = encoding_name_for_model(model.removeprefix("openai/"))
    except KeyError:
        return EncodingChoice(_USUAL, False)
    name = _SAME.get(name, name)
    return EncodingChoice(name, True) if name in encoding_files.SOURCES else EncodingChoice(_USUAL, False)


def load(name: str) -> bool:
    """Load the encoding `name`; return False if its file is missing. Raise SourceError if it is damaged.

    Call from a thread: o200k_base takes 0.3 s of CPU (0.1 of them without letting other threads run) and 50 MB.
    """
    if name in _loaded:
        return True
    source = encoding_files.SOURCES[name]
    data = encoding_files.stored(source)
    if data is None:
        return False
    import tiktoken

    lines = (line.split() for line in data.splitlines() if line)
    ranks = {b64decode(token): int(rank) for token, rank in lines}
    # Not tiktoken.get_encoding, which downloads a missing file without a timeout, holding a lock.
    _loaded[name] = tiktoken.Encoding(name, pat_str=source.pattern, mergeable_ranks=ranks, special_tokens={})
    ranks.clear()  # the encoding has a copy, and keeps these for features we don't use
    return True


def load_for(model: str) -> bool:
    """Load the encoding for `model`; see `load`."""
    return load(encoding_for(model).name)


def counter_for(model: str) -> TokenCounter:
    """Return a counter for texts of `model`, which estimates while no encoding is loaded."""
    if not _loaded:
        return TokenCounter()
    fit = encoding_for(model)
    return TokenCounter(_loaded.get(fit.name), exact=fit.own)
