"""Reads config.toml: what can be used of it, and a sentence for all that can't."""

import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from streamtui.config.settings import Preset
from streamtui.config.value_sources import Origin, Source
from streamtui.core.parameters import Parameters
from streamtui.core.sanitize import clean_line

_SYNTAX = r" \(at (?:line (\d+), column \d+|end of document)\)$"


@dataclass(slots=True)
class FileSettings:
    """What config.toml says, checked. All is empty where there is no file."""

    file: Path
    values: dict[str, Any] = field(default_factory=dict)
    """The settings above all tables, by name; as `TOP` returns them."""
    parameters: Parameters = field(default_factory=Parameters)
    endpoints: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Fields of `Endpoint` by the name of the endpoint: only what the file says."""
    presets: dict[str, Preset] = field(default_factory=dict)
    keymap: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    """A sentence for everything that was left out, and for what is unsafe."""
    lines: dict[tuple[str | int, ...], int] = field(default_factory=dict)
    """The line on which each key stands."""
    is_private: bool = True
    """Whether no other user of the machine can read the file."""

    def source(self, *keys: str) -> Source:
        """Returns where the value that `keys` lead to comes from."""
        return Source(Origin.FILE, f"{self.file.name}, line {self.lines[keys]}")


def read_settings(file: Path) -> FileSettings:
    """Returns what `file` says; nothing where it is not there. Raises nothing: see `FileSettings.warnings`."""
    settings = FileSettings(file)
    try:
        with file.open(encoding="utf-8-sig") as opened:
            settings.is_private = _is_private(os.fstat(opened.fileno()).st_mode)
            text = opened.read()
        data = _parsed(text)
    except FileNotFoundError:
        return settings
    except (OSError, ValueError, RecursionError) as error:
        settings.warnings.append(_unreadable(file, error))
        return settings
    # Imported here: a start without the file has no use for it.
    from streamtui.config.settings_parser import SettingsParser
    from streamtui.config.toml_positions import lines_of

    settings.lines = lines_of(text)
    SettingsParser(settings).read(data)
    return settings


def _parsed(text: str) -> dict[str, Any]:
    import tomllib

    return tomllib.loads(text)


def _is_private(mode: int) -> bool:
    return os.name != "posix" or not stat.S_IMODE(mode) & 0o077  # Windows has no such bits


def _unreadable(file: Path, error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"{file} is left out: it should be a text in UTF-8."
    if isinstance(error, RecursionError):
        return f"{file} is left out: it is nested too deeply."
    if isinstance(error, OSError):
        return f"{file} is left out: it can't be read ({error.strerror})."
    at = re.search(_SYNTAX, str(error))
    line = f", line {at[1]}" if at and at[1] else ", at its end" if at else ""
    what = clean_line(re.sub(_SYNTAX, "", str(error)))
    return f"{file}{line}: this is not TOML ({what}); the whole file is left out until it is corrected."
