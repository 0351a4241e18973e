"""Where streamtui keeps its files, by the platform's own rules."""

from pathlib import Path

from platformdirs import PlatformDirs

_DIRS = PlatformDirs("streamtui", appauthor=False)


def data_dir() -> Path:
    """The folder of the saved sessions (on Linux ``~/.local/share/streamtui``). Not created here."""
    return Path(_DIRS.user_data_dir)


def config_dir() -> Path:
    """The folder of the user's own settings and themes (on Linux ``~/.config/streamtui``). Not created here."""
    return Path(_DIRS.user_config_dir)


def database() -> Path:
    """The SQLite file with every saved session."""
    return data_dir() / "sessions.db"
