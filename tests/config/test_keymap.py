"""Keys as people write them become those that Textual knows."""

import string

import pytest
from textual.keys import Keys, _character_to_key

from streamtui.commands import ALIASES, COMMANDS, remapped
from streamtui.config.keymap import clashes, key_named, keys_for


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("F5", "f5"),
        ("Ctrl+R", "ctrl+r"),
        ("ctrl + r", "ctrl+r"),
        ("shift+ctrl+up", "ctrl+shift+up"),
        ("Esc", "escape"),
        ("pgup", "pageup"),
        ("/", "slash"),
        ("?", "question_mark"),
        ("+", "plus"),
        ("ctrl++", "ctrl+plus"),
        ("ctrl+/", "ctrl+slash"),
        ("alt+A", "alt+a"),
        ("shift+a", "A"),
        ("G", "G"),
        ("f14", "shift+f2"),
        ("control+Return", "ctrl+enter"),
    ],
)
def test_keys_are_named_as_textual_does(written: str, key: str) -> None:
    assert key_named(written) == key


def test_punctuation_is_named_as_textual_does() -> None:
    for character in string.punctuation:
        assert key_named(character) == _character_to_key(character)


def test_named_keys_are_those_of_textual() -> None:
    known = {key.value for key in Keys}
    for name in ("enter", "escape", "tab", "space", "backspace", "delete", "insert", "home", "end", "pageup", "f12"):
        assert key_named(name) in known


@pytest.mark.parametrize("written", ["", "f25", "foo", "ctrl+", "strg+c", "ctrl+foo", "ß", "ctrl+shift", "a b", "\x1b"])
def test_what_is_no_key_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"^should be a key"):
        key_named(written)


def test_the_usual_keys_can_be_written_as_they_are_shown() -> None:
    for entry in COMMANDS:
        assert keys_for(entry.id, entry.keys) == entry.keys
        assert keys_for(entry.id, entry.shown_keys.split(", ")) == entry.keys


def test_in_the_pane_letters_are_keys() -> None:
    assert keys_for("conversation.fold", "z") == "z"
    with pytest.raises(ValueError, match="needed for writing"):
        keys_for("prompt.newline", "z")


def test_one_key_does_one_thing_in_a_place() -> None:
    usual = {entry.id: entry.keys for entry in COMMANDS}
    assert clashes({}) == []
    assert clashes({"turn.retry": "ctrl+f"}) == [("turn.retry", "ctrl+f", "find.open")]
    assert clashes({"turn.retry": usual["find.open"], "find.open": usual["turn.retry"]}) == []
    assert clashes({"conversation.fold": "ctrl+f"}) == [], "it is another place"


def test_the_table_with_other_keys() -> None:
    shown = {command.id: command.shown_keys for command in remapped({"turn.retry": "ctrl+r,f6"})}
    assert shown["turn.retry"] == "ctrl+r, F6"
    assert shown["find.open"] == "ctrl+f"


def test_ids_of_earlier_versions_lead_to_todays() -> None:
    ids = {command.id for command in COMMANDS}
    assert set(ALIASES.values()) <= ids
    assert not ALIASES.keys() & ids
    assert ALIASES["chat.retry"] == "turn.retry"


def test_ids_are_unique_and_titles_short() -> None:
    assert len({command.id for command in COMMANDS}) == len(COMMANDS)
    assert all(len(command.title.split()) <= 4 and command.description.endswith(".") for command in COMMANDS)
