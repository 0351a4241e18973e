"""Key names in settings files, converted to Textual's."""

import string
import unicodedata

from streamtui.commands import COMMANDS

_MODIFIERS = ("alt", "ctrl", "hyper", "meta", "shift", "super")
_NAMED = frozenset(
    "enter escape tab space backspace delete insert home end pageup pagedown up down left right".split()
) | {f"f{number}" for number in range(1, 25)}
_OTHER_NAMES = {
    "esc": "escape", "return": "enter", "pgup": "pageup", "pgdn": "pagedown", "pgdown": "pagedown",
    "page_up": "pageup", "page_down": "pagedown", "del": "delete", "ins": "insert", "control": "ctrl",
}  # fmt: skip
_SHORT = {
    "solidus": "slash", "reverse_solidus": "backslash", "commercial_at": "at", "hyphen_minus": "minus",
    "plus_sign": "plus", "low_line": "underscore",
}  # fmt: skip
_DISGUISED = {"ctrl+m": "enter", "ctrl+i": "tab", "ctrl+h": "backspace", "ctrl+left_square_bracket": "esc"}
_SHIFTED = {f"f{number + 12}": f"shift+f{number}" for number in range(1, 13)}
"""xterm sends shift with F1 to F12 as F13 to F24."""
_WRITING = frozenset({"space", "backspace", "delete", "left", "right", "up", "down", "home", "end", "enter"})
"""Keys that are needed for writing."""


def _name_of(character: str) -> str:
    name = unicodedata.name(character).lower().replace("-", "_").replace(" ", "_")
    return _SHORT.get(name, name)


_PUNCTUATION = {character: _name_of(character) for character in string.punctuation}
_KNOWN = _NAMED | set(_PUNCTUATION.values())


def keys_for(action: str, value: object) -> str:
    """Return the keys that `value` (a string, with commas, or a list) assigns to `action`, in Textual's names.

    Raise ValueError, with a text that begins with "should", for unknown keys, keys that terminals can't tell from
    others, and letters where the user writes.
    """
    parts = value.split(",") if isinstance(value, str) and value != "," else value
    if isinstance(parts, str):
        parts = [parts]
    if not isinstance(parts, list) or not parts or not all(isinstance(part, str) and part.strip() for part in parts):
        raise ValueError('should be a key, or several, as in "f9, ctrl+g"')
    return ",".join(_checked(action, key_named(part)) for part in parts)


def key_named(written: str) -> str:
    """Return the key `written` as in ``Ctrl+Shift+Up``, ``pgup`` or ``/``. Raise ValueError."""
    *modifiers, name = _parts(written.strip())
    modifiers = [_OTHER_NAMES.get(modifier.lower(), modifier.lower()) for modifier in modifiers]
    name = _OTHER_NAMES.get(name.lower(), name)
    if len(name) > 1:
        name = name.lower()
    name = _PUNCTUATION.get(name, name)
    if len(name) == 1 and name.isalnum() and name.isascii():
        if modifiers == ["shift"]:
            return name.upper()  # so it arrives
        name = name.lower() if modifiers else name
    elif name not in _KNOWN:
        raise ValueError(f"should be a key, as in f9 or ctrl+g; {name or 'nothing'} is none")
    if name in _SHIFTED and not modifiers:
        return _SHIFTED[name]
    if unknown := [modifier for modifier in modifiers if modifier not in _MODIFIERS]:
        raise ValueError(f"should be a key with {', '.join(_MODIFIERS)} before it; {unknown[0]} is none of them")
    return "+".join([*sorted(set(modifiers)), name])


def _parts(written: str) -> list[str]:
    if written == "+" or written.endswith("++"):
        return [*filter(None, written[:-1].rstrip("+").split("+")), "plus"]
    return [part.strip() for part in written.split("+")]


def _checked(action: str, key: str) -> str:
    if other := _DISGUISED.get(key):
        raise ValueError(f"should be another key: {key} can't be told from {other} in a terminal")
    plain = "+" not in key and (len(key) == 1 or key in _PUNCTUATION.values() or key in _WRITING)
    command = next((command for command in COMMANDS if command.id == action), None)
    in_conversation = command is not None and command.where == "conversation"
    defaults = command.keys.split(",") if command is not None else []
    if plain and not in_conversation and key not in defaults:
        raise ValueError(f"should be a key with ctrl or alt, or F1 to F12: {key} is needed for writing")
    return key


def clashes(keymap: dict[str, str]) -> list[tuple[str, str, str]]:
    """Return (id, key, other id) for every key with two commands in one place once `keymap` is applied."""
    found = []
    owners: dict[tuple[str, str], str] = {}
    for command in sorted(COMMANDS, key=lambda command: command.id in keymap):
        for key in keymap.get(command.id, command.keys).split(","):
            other = owners.setdefault((command.where, key), command.id)
            if other != command.id:
                found.append((command.id, key, other))
    return found
