"""Which endpoints have a key in the system's keyring, as far as streamtui itself has put it there."""

from streamtui import paths

# A list beside the sessions and not a line in the store: every command asks for it before it opens a store, and
# asking the keyring itself could take seconds and open a dialogue.


def names_in_keyring() -> frozenset[str]:
    """Returns the names of the endpoints. Raises OSError where the list is there and can't be read."""
    try:
        text = paths.keyring_list().read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return frozenset()
    return frozenset(text.splitlines())


def update_keyring_index(name: str, there: bool) -> None:
    """Notes that the key of endpoint `name` is in the keyring, or no longer. Raises OSError."""
    before = names_in_keyring()
    names = before | {name} if there else before - {name}
    if names == before:
        return
    file = paths.keyring_list()
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.write_text("".join(f"{name}\n" for name in sorted(names)), encoding="utf-8")
