"""The README stays true: its keys are the program's, its pictures and files are there."""

import argparse
import re
from importlib import import_module

from streamtui import commands
from streamtui.cli import COMMANDS
from tests.support import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_keys_are_todays() -> None:
    assert commands.in_readme(README) == README, "run python -m streamtui.commands"


def test_pictures_are_there() -> None:
    pictures = re.findall(r"\]\((screenshots/[^)]+)\)", README)
    assert pictures
    assert all((ROOT / picture).stat().st_size > 1000 for picture in pictures)


def options_of(parser: argparse.ArgumentParser) -> set[str]:
    """Every option of a command and of its own commands."""
    known = set()
    for action in parser._actions:
        known |= set(action.option_strings)
        if isinstance(action, argparse._SubParsersAction):
            known |= {name for own in action.choices.values() for name in options_of(own)}
    return known


def test_every_option_it_names_exists() -> None:
    lines = re.findall(r"^(?:.*\| )?streamtui (.*)$", README, re.MULTILINE)
    assert lines
    for words in [line.split("#")[0].split() for line in lines]:
        name = words[0] if words and words[0] in COMMANDS else "chat"
        known = options_of(import_module(f"streamtui.cli.{name}").parser())
        assert {word for word in words if word.startswith("-") and len(word) > 1} <= known, words


def test_nothing_names_a_machine() -> None:
    import subprocess

    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    texts = [ROOT / name for name in files if not name.endswith((".png", ".json", ".sse"))]
    assert [file for file in texts if re.search(r"/(root|home/\w+|work)/", file.read_text("utf-8"))] == []
