"""Reads theme files: ours, and the user's own beside the settings."""

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
    """A theme file that can't be used; the text names the file and what is wrong."""


def load(file: Path) -> Theme:
    """Returns the theme of a TOML file whose keys are those of a Textual theme.

    Raises ThemeError for a file that can't be read, is no TOML, or has keys or colours that don't exist.
    """
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ThemeError(f"The theme {file} can't be read: {error}.") from error
    values.pop("name", None)  # a theme goes by the name of its file
    if unknown := sorted(values.keys() - _KEYS):
        raise ThemeError(f"The theme {file} has {unknown[0]!r}; known are {', '.join(sorted(_KEYS))}.")
    if not isinstance(values.get("primary"), str):
        raise ThemeError(f"The theme {file} needs a colour called primary, as in primary = '#7aa2f7'.")
    return _checked(Theme(name=file.stem, **values), file)


def _checked(theme: Theme, file: Path) -> Theme:
    try:
        theme.to_color_system().generate()
    except (ValueError, TypeError, AttributeError) as error:
        raise ThemeError(f"The theme {file} has a colour that can't be read: {error}.") from error
    return theme


def load_all() -> tuple[list[Theme], list[str]]:
    """Returns every theme that can be used, and a sentence for every file that can't."""
    themes, troubles = [], []
    for file in theme_files().values():
        try:
            themes.append(load(file))
        except ThemeError as error:
            troubles.append(str(error))
    return themes, troubles


def unknown_theme(name: str) -> str:
    """Returns a sentence that says so if there is no theme called `name`; else nothing."""
    from textual.theme import BUILTIN_THEMES

    known = sorted({*theme_files(), *BUILTIN_THEMES})
    near = nearest(name, known)
    advice = f"did you mean {near}?" if near else f"there are {', '.join(known)}."
    return "" if name in known else f"there is no theme called {name!r}; {advice}"
