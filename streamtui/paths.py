"""Paths of the files of streamtui, by the conventions of the platform."""

from pathlib import Path

from platformdirs import PlatformDirs

_DIRS = PlatformDirs("streamtui", appauthor=False)


def data_dir() -> Path:
    """Return the folder of saved sessions (on Linux ``~/.local/share/streamtui``), which may not exist yet."""
    return Path(_DIRS.user_data_dir)


def config_dir() -> Path:
    """Return the folder of settings and themes (on Linux ``~/.config/streamtui``), which may not exist yet."""
    return Path(_DIRS.user_config_dir)


def client_tokens() -> Path:
    """Return the folder of the relay's client tokens, one file per client."""
    return data_dir() / "relay-tokens"


def database() -> Path:
    """Return the path of the SQLite database of sessions."""
    return data_dir() / "sessions.db"


def config_file() -> Path:
    """Return the path of the user's settings, which the program never changes."""
    return config_dir() / "config.toml"


def themes_dir() -> Path:
    """Return the folder of the user's themes."""
    return config_dir() / "themes"


def keyring_list() -> Path:
    """Return the path of the list of endpoints with a key in the system keyring. It has no keys."""
    return data_dir() / "in-keyring.txt"


def log_file() -> Path:
    """Return the path of the error log (on Linux ``~/.local/state/streamtui/log/streamtui.log``)."""
    return Path(_DIRS.user_log_dir) / "streamtui.log"


def encodings_dir() -> Path:
    """Return the folder of token encodings (on Linux ``~/.cache/streamtui/encodings``), which may not exist yet."""
    return Path(_DIRS.user_cache_dir) / "encodings"


def theme_files() -> dict[str, Path]:
    """Return the theme files by name. Themes of the user override those of the package."""
    package = Path(__file__).parent
    # The themes are in the package when installed from a wheel, and next to it in a checkout.
    found: dict[str, Path] = {}
    for folder in (themes_dir(), package / "themes", package.parent / "themes"):
        for file in sorted(folder.glob("*.toml")):
            found.setdefault(file.stem, file)
    return found
