"""A tiny encoding in the place of a real one, whose file of ranks is made here."""

import hashlib
from base64 import b64encode
from dataclasses import replace

import pytest

from streamtui.tokens import encoding_files, encodings
from streamtui.tokens.encoding_files import Source

_MERGED = (
    "th",
    "he",
    "the",
    " t",
    " th",
    " the",
    "in",
    "ing",
    "er",
    "on",
    " a",
    "\n\n",
    "  ",
    "    ",
    "'s",
    "12",
    "一二",
)


def ranks() -> bytes:
    """Return a file of ranks: every byte, and a few longer tokens."""
    tokens = [bytes([byte]) for byte in range(256)]
    for text in _MERGED:
        data = text.encode()
        tokens += [data[:n] for n in range(2, len(data) + 1) if data[:n] not in tokens]
    return b"".join(b64encode(token) + b" %d\n" % rank for rank, token in enumerate(tokens))


def use_tiny(monkeypatch: pytest.MonkeyPatch, name: str = "o200k_base", url: str = "") -> Source:
    """Put the tiny encoding in the place of the encoding `name`, not at hand yet and with nothing loaded."""
    source = encoding_files.SOURCES[name]
    tiny = replace(source, url=url or source.url, sha256=hashlib.sha256(ranks()).hexdigest())
    monkeypatch.setitem(encoding_files.SOURCES, name, tiny)
    monkeypatch.setattr(encodings, "_loaded", {})
    return tiny
