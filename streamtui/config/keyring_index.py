"""The list of endpoints whose API keys streamtui has stored in the system keyring."""

from streamtui import paths

# A file rather than a row in the database, because every command reads it before opening the database. Asking the
# keyring itself could take seconds and open a dialog.


def names_in_keyring() -> frozenset[str]:
    """Return the names of the endpoints. Raise OSError if the list exists but can't be read."""
    try:
        text = paths.keyring_list().read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return frozenset()
    return frozenset(text.splitlines())


def update_keyring_index(name: str, stored: bool) -> None:
    """Record whether the keyring holds the key of endpoint `name`. Raise OSError."""
    before = names_in_keyring()
    names = before | {name} if stored else before - {name}
    if names == before:
        return
    file = paths.keyring_list()
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.write_text("".join(f"{name}\n" for name in sorted(names)), encoding="utf-8")
