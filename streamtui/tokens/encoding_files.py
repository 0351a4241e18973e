"""The encoding files that OpenAI publishes, cached and identified by their hashes."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from streamtui import paths


class SourceError(Exception):
    """An encoding file can't be read, downloaded or stored; the text is for the user."""


@dataclass(frozen=True, slots=True)
class Source:
    """An encoding and its file. Neither ever changes: a new encoding gets a new name."""

    name: str
    """The encoding's name."""
    url: str
    sha256: str
    pattern: str
    """The regex that splits text into words before tokenization."""

    @property
    def file_name(self) -> str:
        """The file's name in tiktoken's cache."""
        from hashlib import sha1  # takes 4 ms, which would delay the first paint

        return sha1(self.url.encode(), usedforsecurity=False).hexdigest()

    def is_whole(self, data: bytes) -> bool:
        """Return whether `data` is the file as published."""
        from hashlib import sha256

        return sha256(data).hexdigest() == self.sha256


_PUBLISHED = "https://openaipublic.blob.core.windows.net/encodings"

# As in tiktoken_ext.openai_public, which can't be asked for them without downloading (a test compares them). Older
# encodings are left out: no model of today has them. o200k_harmony differs in special tokens only.
SOURCES = {
    source.name: source
    for source in (
        Source(
            "o200k_base",
            f"{_PUBLISHED}/o200k_base.tiktoken",
            "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
            "|".join(
                (
                    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
                    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
                    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
                    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
                    r"\p{N}{1,3}",
                    r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
                    r"\s*[\r\n]+",
                    r"\s+(?!\S)",
                    r"\s+",
                )
            ),
        ),
        Source(
            "cl100k_base",
            f"{_PUBLISHED}/cl100k_base.tiktoken",
            "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
            r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$"
            r"|\s*[\r\n]|\s+(?!\S)|\s",
        ),
    )
}
"""The encodings of current models, by name."""


def folder() -> Path:
    """Return the folder of the files: tiktoken's own if the environment sets one, else ours. May not exist."""
    named = os.environ.get("TIKTOKEN_CACHE_DIR") or os.environ.get("DATA_GYM_CACHE_DIR")
    return Path(named) if named else paths.encodings_dir()


def find_source(data: bytes) -> Source | None:
    """Return the encoding whose file is `data`; None if there is none."""
    return next((source for source in SOURCES.values() if source.is_whole(data)), None)


def stored(source: Source) -> bytes | None:
    """Return the file from the cache; None if missing. Raise SourceError if it is damaged."""
    file = folder() / source.file_name
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SourceError(f"{file} can't be read: {error.strerror}.") from None
    if not source.is_whole(data):
        raise SourceError(f"{file} is not the published {source.name} file. Download it again.")
    return data


def store(source: Source, data: bytes) -> Path:
    """Store the file in the cache atomically and return its path. Raise SourceError."""
    file = folder() / source.file_name
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, prefix=file.name, suffix=".part", delete=False) as part:
            try:
                part.write(data)
                part.close()
                os.replace(part.name, file)
            except OSError:
                os.unlink(part.name)
                raise
    except OSError as error:
        raise SourceError(f"{file} can't be written: {error.strerror}.") from None
    return file
