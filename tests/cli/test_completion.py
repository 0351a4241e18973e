"""Shell completion, in real shells."""

import os
import shutil
import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from streamtui import paths
from streamtui.cli import COMMANDS, main
from streamtui.core.message import Message, Role
from streamtui.core.models import ModelInfo
from streamtui.core.session import Session
from streamtui.storage import Store
from tests.support import ROOT
from tests.support.terminal import Terminal


@pytest.fixture(autouse=True)
def sessions() -> None:
    """Save two sessions, and one in the trash."""
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
    """Return an environment with a `streamtui` on the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "streamtui"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m streamtui "$@"\n')
    script.chmod(0o700)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "TERM": "xterm"}


def completed(environ: dict[str, str], line: str) -> list[str]:
    """Return what bash offers at the end of `line`."""
    script = f"""
        {script_for("bash")}
        COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'; COMP_LINE=$1; COMP_POINT=${{#1}}; COMP_TYPE=9
        _python_argcomplete streamtui
        printf "%s\\n" "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        ["bash", "-c", script, "bash", f"streamtui {line}"], env=environ, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return [offer.removesuffix(" ") for offer in done.stdout.splitlines()]


def script_for(shell: str) -> str:
    """Return what `streamtui completion` prints."""
    with redirect_stdout(StringIO()) as out:
        assert main(["completion", shell]) == 0
    return out.getvalue()


BASH = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")


@BASH
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ses", ["sessions"]),
        ("", sorted(COMMANDS)),
        ("sessions re", ["rename", "restore"]),
        ("sessions list --li", ["--limit"]),
        ("sessions show --format ", ["html", "json", "markdown", "text"]),
        ("sessions show --format=h", ["html"]),
        ("sessions sh", ["show"]),
        ("--ses", ["--session"]),
        ("--session ", ["0abcdef0  Bread: how?", "1abcdef0  Soup $(touch x) `y`"]),
        ("--session 1", ["1abcdef0"]),
        ("--session=1", ["1abcdef0"]),
        ("--session 9", [""]),
        ("sessions delete 0abcdef0 1", ["1abcdef0"]),
        ("sessions restore ", ["2abcdef0"]),
        ("completion ", ["bash", "fish", "zsh"]),
        ("--system ", [""]),
        ("-e o", ["ollama", "openai", "openrouter"]),
        ("ask --endpoint=bo", ["box"]),
        ("config set-key gro", ["groq"]),
        ("--preset M", ["My\\ code"]),
        ("--preset My\\ c", ["My\\ code"]),
        ("-e box -m ", ["big", "other", "small\\ \\(q4\\)", "coder-1"]),
        ("--preset 'My code' -m c", ["coder-1"]),
        ("-e nope -m ", [""]),
        ("--endpoint=ollama --model=ll", ["llama3:70b", "llama3:8b"]),
        ("ask -e ollama -m llama3:", ["70b", "8b"]),
        ("-e ollama -m llama3:8", ["8b"]),
        ("-e ollama -m qw", ["qwen3:4b"]),
        ("tokens count -m gpt", ["gpt-6-luna"]),
        ("sessions list --endpoint ", ["old"]),
        ("sessions list --model ", ["m:0", "m:1"]),
        ("sessions export --theme ", ["ember", "midnight", "paper"]),
        ("sessions export --format j", ["json", "jsonl"]),
        ("--api ", ["chat", "completions", "responses"]),
    ],
)
def test_bash(line: str, expected: list[str], environ: dict[str, str]) -> None:
    assert sorted(completed(environ, line)) == sorted(expected)


@BASH
def test_bash_completes_files(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "conversations of mine.json").touch()
    found = completed(environ, f"sessions import {tmp_path}/conv")
    assert found == [f"{tmp_path}/conversations\\ of\\ mine.json"]


PROMPTS = {
    "bash": (["bash", "--norc", "-i"], 'eval "$(streamtui completion bash)"'),
    "zsh": (["zsh", "-f", "-i"], 'autoload -U compinit && compinit -u -D && eval "$(streamtui completion zsh)"'),
}


@pytest.mark.parametrize("shell", PROMPTS)
def test_tab_key_completes(shell: str, environ: dict[str, str]) -> None:
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
        # Unreadable data prints nothing at the prompt.
        paths.database().write_bytes(b"this is no database" * 100)
        paths.config_file().write_text("this is [no TOML")
        seen = complete("streamtui config show -e groq -m x", "x", "model x --model")
        assert seen.count(b"streamtui: ") == 1  # the command's own error
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
        ("streamtui ask -e ollama -m llama", ["llama3:8b\tollama", "llama3:70b\tollama"]),
        ("streamtui ask --endpoint=box --model=o", ["--model=other\tbox"]),
        ("streamtui --preset ", ["My code\tOnly code. No: words."]),
        ("streamtui sessions export --theme p", ["paper"]),
        ("streamtui -e nope -m ", []),
    ],
)
def test_fish(line: str, expected: list[str], environ: dict[str, str]) -> None:
    script = f"{script_for('fish')}\ncomplete -C '{line}'"
    done = subprocess.run(["fish", "-N", "-c", script], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == expected


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script_is_valid_in_its_shell(shell: str) -> None:
    script = script_for(shell)
    assert "_ARGCOMPLETE" in script
    if shutil.which(shell):
        done = subprocess.run([shell, "-n"], input=script, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


@BASH
def test_completes_before_anything_is_saved(environ: dict[str, str]) -> None:
    shutil.rmtree(paths.data_dir())
    paths.config_file().unlink()
    assert "openai" in completed(environ, "-e ")
    assert "gpt-6-luna" in completed(environ, "-m ")
    for line in ("--session ", "sessions restore ", "--preset ", "sessions list --model "):
        assert completed(environ, line) == [""]
    assert not paths.database().exists()


@BASH
@pytest.mark.parametrize("line", ["ses", "-e o", "--session "])
def test_completion_imports_nothing_heavy(line: str, environ: dict[str, str], tmp_path: Path) -> None:
    code = (
        "import os, sys; from streamtui.cli import completion\n"
        "heavy = {'textual', 'openai', 'httpx2', 'tiktoken', 'rich'}\n"
        "call = completion._Finder.__call__\n"
        "def leave(status): print(status, sorted(heavy & set(sys.modules)))\n"
        "completion._Finder.__call__ = lambda *a, **k: call(*a, exit_method=leave, **k)\n"
        "completion.complete()"
    )
    line = f"streamtui {line}"
    variables = {
        "_ARGCOMPLETE": "1",
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "_ARGCOMPLETE_STDOUT_FILENAME": str(tmp_path / "offers"),
    }
    done = subprocess.run([sys.executable, "-c", code], env=environ | variables, capture_output=True, text=True)
    assert done.stdout == "0 []\n", done.stderr
    assert (tmp_path / "offers").read_text()


def test_unknown_shell_is_refused() -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["completion", "tcsh"])
