"""Theme files: the bundled ones, and the user's own beside the settings."""

import tomllib
from dataclasses import fields
from pathlib import Path

from textual.theme import Theme

from streamtui import paths
from streamtui.core.suggestions import nearest

DEFAULT = "midnight"
theme_files = paths.theme_files
_KEYS = {field.name for field in fields(Theme)} - {"name"}


class ThemeError(Exception):
    """A theme file can't be used; the text names the file and the problem."""


def load(file: Path) -> Theme:
    """Return the theme of a TOML file whose keys are those of a Textual theme.

    Raise ThemeError if the file can't be read, is not TOML, or has unknown keys or invalid colors.
    """
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ThemeError(f"Can't read theme {file}: {error}.") from error
    values.pop("name", None)  # a theme goes by the name of its file
    if unknown := sorted(values.keys() - _KEYS):
        raise ThemeError(f"Theme {file}: unknown key {unknown[0]!r}. Known keys: {', '.join(sorted(_KEYS))}.")
    if not isinstance(values.get("primary"), str):
        raise ThemeError(f"Theme {file}: missing color \"primary\", as in primary = '#7aa2f7'.")
    return _checked(Theme(name=file.stem, **values), file)


def _checked(theme: Theme, file: Path) -> Theme:
    try:
        theme.to_color_system().generate()
    except (ValueError, TypeError, AttributeError) as error:
        raise ThemeError(f"Theme {file}: invalid color: {error}.") from error
    return theme


def load_all() -> tuple[list[Theme], list[str]]:
    """Return all valid themes, and an error message for each invalid file."""
    themes, errors = [], []
    for file in theme_files().values():
        try:
            themes.append(load(file))
        except ThemeError as error:
            errors.append(str(error))
    return themes, errors


def unknown_theme(name: str) -> str:
    """Return an error message if there is no theme called `name`; else ""."""
    from textual.theme import BUILTIN_THEMES

    known = sorted({*theme_files(), *BUILTIN_THEMES})
    near = nearest(name, known)
    advice = f"Did you mean {near}?" if near else f"Themes: {', '.join(known)}."
    return "" if name in known else f"unknown theme {name!r}. {advice}"
