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
from streamtui.cli.completion_names import KINDS
from streamtui.core.message import Message, Role
from streamtui.core.models import ModelInfo
from streamtui.core.session import Session
from streamtui.storage import Store
from tests.support import ROOT
from tests.support.terminal import Terminal


@pytest.fixture(autouse=True)
def sessions() -> None:
    """Two sessions, and one in the trash."""
    with Store(paths.database()) as store:
        for number, title in enumerate(("Bread: how?", "Soup $(touch x) `y`", "Gone")):
            id_ = f"{number}{'abcdef0123456789'[:15]}"
            session = Session(id=id_, title=title, created=1.0, endpoint="old", model=f"m:{number}")
            session.add(Message(Role.USER, "x", created=1.0 + number))
            store.save_whole(session)
        store.trash(session.id)
        store.use_model("ollama", "llama3:8b")
        store.set_favorite("ollama", "llama3:70b", True)
        store.save_catalog("ollama", [ModelInfo("qwen3:4b", window=8)])
    paths.config_file().parent.mkdir(parents=True, exist_ok=True)
    paths.config_file().write_text(CONFIG)


CONFIG = """
[endpoints.box]
base_url = "https://me:password@box.example/v1"
model = "big"
favourites = ["small (q4)"]
models."other".window = 5

[presets."My code"]
endpoint = "box"
model = "coder-1"
system = "Only code.\\nNo: words."
"""


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
    script += (
        'COMP_WORDBREAKS="=:"; COMP_WORDS=(streamtui "$@"); COMP_CWORD=$#; _streamtui; printf "%s\n" "${COMPREPLY[@]}"'
    )
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
        (["--system", ""], [""]),
        (["-e", "o"], ["ollama", "openai", "openrouter"]),
        (["ask", "--endpoint", "=", "bo"], ["box"]),
        (["config", "set-key", "gro"], ["groq"]),
        (["--preset", "M"], ["My\\ code"]),
        (["--preset", "My\\ c"], ["My\\ code"]),
        (["-e", "box", "-m", ""], ["big", "other", "small\\ \\(q4\\)", "coder-1"]),
        (["--preset", "My code", "-m", "c"], ["coder-1"]),
        (["-e", "nope", "-m", ""], [""]),
        (["--endpoint", "=", "ollama", "--model", "=", "ll"], ["llama3:70b", "llama3:8b"]),
        (["-e", "ollama", "ask", "-m", "llama3", ":"], ["70b", "8b"]),
        (["-e", "ollama", "-m", "llama3", ":", "8"], ["8b"]),
        (["-e", "ollama", "-m", "qw"], ["qwen3:4b"]),
        (["tokens", "count", "-m", "gpt"], ["gpt-6-luna"]),
        (["sessions", "list", "--endpoint", ""], ["old"]),
        (["sessions", "list", "--model", ""], ["m:0", "m:1"]),
        (["sessions", "export", "--theme", ""], ["ember", "midnight", "paper"]),
        (["sessions", "export", "--format", "j"], ["json", "jsonl"]),
        (["--api", ""], ["chat", "completions", "responses"]),
    ],
)
def test_bash(words: list[str], expected: list[str], environ: dict[str, str]) -> None:
    assert sorted(completed(environ, *words)) == sorted(expected)


@BASH
def test_bash_completes_files(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "conversations of mine.json").touch()
    prefix = f"{tmp_path}/conv"
    assert completed(environ, "sessions", "import", prefix) == [f"{tmp_path}/conversations of mine.json"]


PROMPTS = {
    "bash": (["bash", "--norc", "-i"], 'eval "$(streamtui completion bash)"'),
    "zsh": (["zsh", "-f", "-i"], 'autoload -U compinit && compinit -u -D && eval "$(streamtui completion zsh)"'),
}


@pytest.mark.parametrize("shell", PROMPTS)
def test_the_tab_key_completes(shell: str, environ: dict[str, str]) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    command, begin = PROMPTS[shell]
    terminal = Terminal(command, environ)
    terminal.keep = True

    def complete(typed: str, rest: str, result: str) -> bytes:
        mark = terminal.bytes
        terminal.write(f"{typed}\t".encode())
        terminal.until(rest, after=mark)
        terminal.write(b"| tr -s ' '; echo do''ne\n")
        terminal.until("done", after=mark)
        terminal.until(result, after=mark)
        return bytes(terminal.output[mark:])

    try:
        terminal.write(f"{begin}; echo rea''dy\n".encode())
        terminal.until("ready")
        complete("streamtui sessions show 1", "abcdef0", "# Soup")
        complete("streamtui config show -e ollama -m llama3:8", "b", "model llama3:8b --model")
        complete("streamtui config show --endpoint=bo", "x", "endpoint box --endpoint")
        # Where names can't be read, nothing of it is seen at the prompt.
        paths.database().write_bytes(b"this is no database" * 100)
        paths.config_file().write_text("this is [no TOML")
        seen = complete("streamtui config show -e groq -m x", "x", "model x --model")
        assert seen.count(b"streamtui: ") == 1  # what the command itself says of the file
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
        ("streamtui -e bo", ["box\thttps://box.example/v1"]),
        ("streamtui -e ollama ask -m llama", ["llama3:8b\tollama", "llama3:70b\tollama"]),
        ("streamtui ask --endpoint=box --model=o", ["--model=other\tbox"]),
        ("streamtui --preset ", ["My code\tOnly code. No: words."]),
        ("streamtui sessions export --theme p", ["paper"]),
        ("streamtui -e nope -m ", []),
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
    assert "completion --names" in script
    if shutil.which(shell):
        done = subprocess.run([shell, "-n"], input=script, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("kind", [*KINDS, "nonsense"])
def test_names_are_told_where_there_is_nothing_yet(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(paths.data_dir())
    paths.config_file().unlink()
    assert main(["completion", "--names", kind]) == (2 if kind == "nonsense" else 0)
    out, error = capfd.readouterr()
    assert bool(error) == (kind == "nonsense")
    assert bool(out) == (kind in ("endpoints", "models", "themes"))
    assert not paths.database().exists()


def test_names_cost_no_heavy_import() -> None:
    code = (
        "import sys; from streamtui.cli import main; kinds = sys.argv[1:]\n"
        "for kind in kinds: main(['completion', '--names', kind])\n"
        "print(sorted({'textual', 'openai', 'httpx2', 'tiktoken', 'rich', 'argparse', 'sqlite3'} & set(sys.modules)))"
    )
    for kinds, loaded in ((["endpoints", "presets", "themes"], "['argparse']"), (KINDS, "['argparse', 'sqlite3']")):
        done = subprocess.run([sys.executable, "-c", code, *kinds], capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == loaded


def test_every_command_is_a_place() -> None:
    found = {place.path for place in places()}
    assert {(), *((name,) for name in COMMANDS), ("sessions", "export")} <= found


def test_a_shell_that_is_none() -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["completion", "tcsh"])
