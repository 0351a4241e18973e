"""`streamtui completion`: in real shells, what follows what is written."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from streamtui import paths
from streamtui.cli import COMMANDS, completion_scripts, main
from streamtui.cli.completion import places
from streamtui.message import Message, Role
from streamtui.session import Session
from streamtui.store import Store
from tests.terminal import ROOT, Terminal


@pytest.fixture(autouse=True)
def sessions() -> None:
    """Two sessions, and one in the trash."""
    with Store(paths.database()) as store:
        for number, title in enumerate(("Bread: how?", "Soup $(touch x) `y`", "Gone")):
            session = Session(id=f"{number}{'abcdef0123456789'[:15]}", title=title, created=1.0)
            session.add(Message(Role.USER, "x", created=1.0 + number))
            store.save_whole(session)
        store.trash(session.id)


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment with a `streamtui` in it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "streamtui"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m streamtui "$@"\n')
    script.chmod(0o700)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "TERM": "xterm"}


def completed(environ: dict[str, str], *words: str) -> list[str]:
    """What bash offers behind `words`, the last of which may be unfinished."""
    script = completion_scripts.bash(list(places()))
    script += 'COMP_WORDS=(streamtui "$@"); COMP_CWORD=$#; _streamtui; printf "%s\n" "${COMPREPLY[@]}"'
    done = subprocess.run(
        ["bash", "-c", script, "bash", *words], env=environ, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


BASH = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")


@BASH
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["ses"], ["sessions"]),
        ([""], sorted(COMMANDS)),
        (["sessions", "re"], ["rename", "restore"]),
        (["sessions", "list", "--li"], ["--limit"]),
        (["sessions", "show", "--format", ""], ["html", "json", "markdown", "text"]),
        (["sessions", "show", "--format", "=", "h"], ["html"]),
        (["-e", "x", "sessions", "sh"], ["show"]),
        (["--ses"], ["--session"]),
        (["--session", ""], ["0abcdef0  Bread: how?", "1abcdef0  Soup $(touch x) `y`"]),
        (["--session", "1"], ["1abcdef0"]),
        (["--session", "=", "1"], ["1abcdef0"]),
        (["--session", "9"], [""]),
        (["sessions", "delete", "0abcdef0", "1"], ["1abcdef0"]),
        (["sessions", "restore", ""], ["2abcdef0"]),
        (["completion", ""], ["bash", "fish", "zsh"]),
        (["--model", ""], [""]),
    ],
)
def test_bash(words: list[str], expected: list[str], environ: dict[str, str]) -> None:
    assert sorted(completed(environ, *words)) == expected


@BASH
def test_bash_completes_files(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "conversations of mine.json").touch()
    prefix = f"{tmp_path}/conv"
    assert completed(environ, "sessions", "import", prefix) == [f"{tmp_path}/conversations of mine.json"]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_key_completes_an_id(shell: str, environ: dict[str, str]) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    command = {"bash": ["bash", "--norc", "-i"], "zsh": ["zsh", "-f", "-i"]}[shell]
    begin = {
        "bash": 'eval "$(streamtui completion bash)"',
        "zsh": 'autoload -U compinit && compinit -u -D && eval "$(streamtui completion zsh)"',
    }[shell]
    terminal = Terminal(command, environ)
    terminal.keep = True
    try:
        terminal.write(f"{begin}; echo rea''dy\n".encode())
        terminal.until("ready")
        mark = terminal.bytes
        terminal.write(b"streamtui sessions show 1\t")
        terminal.until("abcdef0", after=mark)
        terminal.write(b"\n")
        terminal.until("# Soup", after=mark)
    finally:
        terminal.close()


@pytest.mark.skipif(shutil.which("fish") is None, reason="needs fish")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("streamtui sessions show 1", ["1abcdef0\tSoup $(touch x) `y`"]),
        ("streamtui sessions restore ", ["2abcdef0\tGone"]),
        ("streamtui sessions sh", ["show\tprint a session"]),
        ("streamtui completion z", ["zsh"]),
    ],
)
def test_fish(line: str, expected: list[str], environ: dict[str, str]) -> None:
    script = f"{completion_scripts.fish(list(places()))}\ncomplete -C '{line}'"
    done = subprocess.run(["fish", "-N", "-c", script], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == expected


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_scripts_are_what_the_shells_read(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "sessions list --plain-ids" in script
    if shutil.which(shell):
        done = subprocess.run([shell, "-n"], input=script, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_every_command_is_a_place() -> None:
    found = {place.path for place in places()}
    assert {(), *((name,) for name in COMMANDS), ("sessions", "export")} <= found


def test_a_shell_that_is_none() -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["completion", "tcsh"])
