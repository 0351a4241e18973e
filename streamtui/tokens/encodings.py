"""Encodings that are loaded, and which of them counts for a model. Nothing here asks the network."""

from base64 import b64decode
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from streamtui.tokens import encoding_files
from streamtui.tokens.counter import TokenCounter

if TYPE_CHECKING:
    import tiktoken

_USUAL = "o200k_base"
"""That of OpenAI's models since gpt-4o, and near enough to those of others."""
_SAME = {"o200k_harmony": "o200k_base"}
_loaded: dict[str, "tiktoken.Encoding"] = {}


class EncodingChoice(NamedTuple):
    """An encoding for a model, and whether it is its own."""

    name: str
    own: bool


@cache
def encoding_for(model: str) -> EncodingChoice:
    """Return the encoding that counts for `model`. The first call imports tiktoken (30 ms)."""
    from tiktoken.model import encoding_name_for_model

    try:
        name = encoding_name_for_model(model.removeprefix("openai/"))
    except KeyError:
        return EncodingChoice(_USUAL, False)
    name = _SAME.get(name, name)
    return EncodingChoice(name, True) if name in encoding_files.SOURCES else EncodingChoice(_USUAL, False)


def load(name: str) -> bool:
    """Load the encoding `name`; False where its file is not at hand. Raises SourceError for one that is damaged.

    For a thread: o200k_base takes 0.3 s of CPU (0.1 of them without letting other threads run) and 50 MB.
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
    # Not by tiktoken.get_encoding: where the file is missing, that downloads it without a time limit and holds a lock.
    _loaded[name] = tiktoken.Encoding(name, pat_str=source.pattern, mergeable_ranks=ranks, special_tokens={})
    ranks.clear()  # the encoding has made its own of them, and keeps these for what we never ask
    return True


def load_for(model: str) -> bool:
    """Load the encoding that counts for `model`; see `load`."""
    return load(encoding_for(model).name)


def counter_for(model: str) -> TokenCounter:
    """Return a counter for texts of `model`; one that estimates as long as no encoding is loaded."""
    if not _loaded:
        return TokenCounter()
    fit = encoding_for(model)
    return TokenCounter(_loaded.get(fit.name), exact=fit.own)
