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


def client_tokens() -> Path:
    """The folder of those who may use the relay, a small file each."""
    return data_dir() / "relay-tokens"


def database() -> Path:
    """The SQLite file with every saved session."""
    return data_dir() / "sessions.db"


def config_file() -> Path:
    """The user's settings, which the program never writes by itself."""
    return config_dir() / "config.toml"


def themes_dir() -> Path:
    """The folder of the user's own themes."""
    return config_dir() / "themes"


def keyring_list() -> Path:
    """The list of endpoints whose keys lie in the system's keyring. No key is in it."""
    return data_dir() / "in-keyring.txt"


def log_file() -> Path:
    """The log of unexpected errors (on Linux ``~/.local/state/streamtui/log/streamtui.log``). Not created here."""
    return Path(_DIRS.user_log_dir) / "streamtui.log"


def encodings_dir() -> Path:
    """The folder of the encodings that count tokens (on Linux ``~/.cache/streamtui/encodings``). Not created here."""
    return Path(_DIRS.user_cache_dir) / "encodings"


def theme_files() -> dict[str, Path]:
    """The theme files by name; of the same name the user's own wins."""
    package = Path(__file__).parent
    # In the wheel themes lie in the package; in a checkout and an editable install beside it.
    found: dict[str, Path] = {}
    for folder in (themes_dir(), package / "themes", package.parent / "themes"):
        for file in sorted(folder.glob("*.toml")):
            found.setdefault(file.stem, file)
    return found
