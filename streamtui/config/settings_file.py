"""Reading of config.toml from disk."""

import os
import re
import stat
from pathlib import Path

from streamtui.config.settings import FileSettings
from streamtui.core.sanitize import clean_line

_SYNTAX = r" \(at (?:line (\d+), column \d+|end of document)\)$"


def read_settings(file: Path) -> FileSettings:
    """Return the settings in `file`, which may not exist. Errors become `FileSettings.warnings`."""
    settings = FileSettings(file)
    try:
        with file.open(encoding="utf-8-sig") as opened:
            settings.is_private = _is_private(os.fstat(opened.fileno()).st_mode)
            text = opened.read()
        import tomllib

        data = tomllib.loads(text)
    except FileNotFoundError:
        return settings
    except (OSError, ValueError, RecursionError) as error:
        settings.warnings.append(_unreadable(file, error))
        return settings
    # Imported here because they are only needed if there is a file.
    from streamtui.config.settings_parser import SettingsParser
    from streamtui.config.toml_positions import lines_of

    settings.lines = lines_of(text)
    SettingsParser(settings).read(data)
    return settings


def _is_private(mode: int) -> bool:
    return os.name != "posix" or not stat.S_IMODE(mode) & 0o077  # Windows has no such bits


def _unreadable(file: Path, error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"{file} was ignored because it is not UTF-8 text."
    if isinstance(error, RecursionError):
        return f"{file} was ignored because it is nested too deeply."
    if isinstance(error, OSError):
        return f"{file} was ignored because it can't be read: {error.strerror}."
    at = re.search(_SYNTAX, str(error))
    line = f", line {at[1]}" if at and at[1] else ", end of file" if at else ""
    message = clean_line(re.sub(_SYNTAX, "", str(error)))
    return f"{file}{line}: TOML syntax error: {message}. The whole file is ignored until this is fixed."
