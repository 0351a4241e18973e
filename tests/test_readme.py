"""The README stays true: its keys are the program's, its pictures and files are there."""

import re
from pathlib import Path

from streamtui import keys
from streamtui.cli.chat import parser

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_keys_are_todays() -> None:
    assert keys.in_readme(README) == README, "run python -m streamtui.keys"


def test_pictures_are_there() -> None:
    pictures = re.findall(r"\]\((screenshots/[^)]+)\)", README)
    assert pictures
    assert all((ROOT / picture).stat().st_size > 1000 for picture in pictures)


def test_every_option_it_names_exists() -> None:
    known = {name for action in parser()._actions for name in action.option_strings}
    for command in re.findall(r"^streamtui (.*)$", README, re.MULTILINE):
        assert {word for word in command.split("#")[0].split() if word.startswith("-")} <= known


def test_nothing_names_a_machine() -> None:
    import subprocess

    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    texts = [ROOT / name for name in files if not name.endswith((".png", ".json", ".sse"))]
    assert [file for file in texts if re.search(r"/(root|home/\w+|work)/", file.read_text("utf-8"))] == []
