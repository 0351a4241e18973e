"""The program in a pty while it is suspended: for an editor, and for the shell that started it."""

import asyncio
import os
import shlex
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from shutil import which

import pytest

from streamtui.core.message import FinishReason
from tests.integration.test_terminal import on_the_disk, program, saved, wait_for
from tests.support.raw_server import serving
from tests.support.terminal import EMULATOR, Terminal, ends, python
from tests.ui.conftest import Model, until

ROUNDS = 12
"""Saved pieces of a reply: each takes at least a frame of three writes, and Textual's queue holds 30."""

EDITOR = """
import os, pathlib, sys, time
here = pathlib.Path(__file__).parent
(here / "pid").write_text(str(os.getpid()))
with open(sys.argv[1], "a") as file:
    file.write(" from the editor\\x1b")
print("editor open", flush=True)
while not (here / "close").exists():
    time.sleep(0.02)
"""


@pytest.fixture
async def model() -> AsyncIterator[Model]:
    """A server that says what the test tells it to."""
    model = Model()
    async with serving(model.serve) as model.raw:
        yield model


def editor(folder: Path, script: str = EDITOR) -> dict[str, str]:
    """Writes an editor that stays open until a file called ``close`` exists, and returns the variables for it."""
    file = folder / "editor.py"
    file.write_text(script)
    return {"VISUAL": "", "EDITOR": shlex.join([sys.executable, str(file)])}


async def wait_after(terminal: Terminal, text: str, after: int) -> None:
    """Waits until `text` has been written behind the first `after` bytes."""
    await asyncio.to_thread(terminal.until, text, after)


async def begin(terminal: Terminal, model: Model, home: Path, text: str) -> None:
    """Asks for a reply, and waits until it has begun with `text`."""
    await wait_for(terminal, "new conversation")
    terminal.write(b"tell me\r")
    await until(lambda: model.bodies)
    model.say(text)
    await on_the_disk(home, text)


async def stopped(terminal: Terminal) -> None:
    """Waits until the shell says that the program has stopped, and has its prompt."""
    for _ in range(400):
        if b"topped" in terminal.output or b"suspended" in terminal.output:
            return
        await asyncio.sleep(0.05)
    raise TimeoutError(bytes(terminal.output[-500:]))


async def go_on(model: Model, home: Path, text: str) -> str:
    """Lets the reply grow, one saved piece after another, and returns all of it."""
    for number in range(ROUNDS):
        model.say(f" word{number}")
        text += f" word{number}"
        await on_the_disk(home, text)
    return text


CODE = "```py\nprint()\n```\n\n"


PROMPT = {b"\x07": ""}
CODE_BLOCK = {b"\x1b[19~": "Type a letter", b"a": "e  Open in", b"e": ""}


@pytest.mark.parametrize("keys", [PROMPT, CODE_BLOCK], ids=["prompt", "code block"])
async def test_a_reply_goes_on_while_an_editor_is_open(model: Model, tmp_path: Path, keys: dict[bytes, str]) -> None:
    with program(model.raw.url, tmp_path, "--model", "m-1", env=editor(tmp_path)) as terminal:
        await begin(terminal, model, tmp_path, CODE)
        await wait_for(terminal, "print")
        for key, shown in keys.items():
            terminal.write(key)
            await wait_for(terminal, shown)
        await wait_for(terminal, "editor open\r\n")
        text = await go_on(model, tmp_path, CODE)
        assert terminal.output.endswith(b"editor open\r\n"), "the app has painted over the editor"
        (tmp_path / "close").touch()
        await wait_for(terminal, "word11")
        await wait_for(terminal, "from the editor␛")
        terminal.write(b" and typed")
        await wait_for(terminal, "typed")
        model.finish()
        await wait_for(terminal, "1,234")
        terminal.write(b"\x11")
        assert await asyncio.to_thread(terminal.wait, 30) == 0
    reply = saved(tmp_path).path()[-1]
    assert (reply.text, reply.finish_reason) == (text, FinishReason.STOP)


async def test_a_signal_ends_the_program_while_an_editor_is_open(model: Model, tmp_path: Path) -> None:
    with program(model.raw.url, tmp_path, "--model", "m-1", env=editor(tmp_path)) as terminal:
        await begin(terminal, model, tmp_path, "Half of")
        terminal.write(b"my draft\x07")
        await wait_for(terminal, "editor open\r\n")
        text = await go_on(model, tmp_path, "Half of")
        os.kill(terminal.process.pid, signal.SIGTERM)
        assert await asyncio.to_thread(terminal.wait, 30) == 0
        after = bytes(terminal.output).rpartition(b"editor open\r\n")[2]
        assert await asyncio.to_thread(ends, int((tmp_path / "pid").read_text()))
    assert b"\x1b" not in after  # the terminal is the shell's: it was handed over for the editor
    reply = saved(tmp_path).path()[-1]
    assert (reply.text, reply.finish_reason) == (text, FinishReason.FAILED)
    with program(model.raw.url, tmp_path, "--model", "m-1", "-c") as terminal:
        await wait_for(terminal, "my draft from the editor␛")


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("/no/such/editor", "/no/such/editor: No"),
        ("'", "quotation"),
        (f"{sys.executable} -c exit(3)", "with code 3"),
    ],
)
async def test_an_editor_that_fails_gives_the_terminal_back(
    model: Model, tmp_path: Path, command: str, told: str
) -> None:
    with program(model.raw.url, tmp_path, "--model", "m-1", env={"VISUAL": "", "EDITOR": command}) as terminal:
        await wait_for(terminal, "m-1")
        terminal.write(b"hello\x07")
        await wait_for(terminal, told)
        terminal.write(b" there\r")
        await until(lambda: model.bodies)
    assert model.bodies[0]["messages"][-1]["content"] == "hello there"


async def test_ctrl_c_in_an_editor_is_the_editors(model: Model, tmp_path: Path) -> None:
    env = editor(
        tmp_path, EDITOR.replace("import os", "import os, signal\nsignal.signal(signal.SIGINT, print)\nimport os")
    )
    with program(model.raw.url, tmp_path, "--model", "m-1", emulator=EMULATOR, env=env) as terminal:
        await wait_for(terminal, "m-1")
        terminal.write(b"\x07")
        await wait_for(terminal, "editor open")
        terminal.write(b"\x03")
        await wait_for(terminal, "2 <frame")
        (tmp_path / "close").touch()
        await wait_for(terminal, "from the editor")
        terminal.write(b"\x11")
        assert await asyncio.to_thread(terminal.wait, 30) == 0


# For a shell


@asynccontextmanager
async def shell(name: str, url: str, home: Path) -> AsyncIterator[Terminal]:
    """Runs streamtui in an interactive shell with job control."""
    env = {
        "HOME": str(home),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "ENV": "",
        "PS1": "ready ",
    }
    terminal = Terminal(python(EMULATOR, *shlex.split(name)), env, size=(80, 24))
    terminal.keep = True
    await wait_for(terminal, "ready ")
    terminal.write(
        shlex.join([sys.executable, "-m", "streamtui", "--base-url", url, "--model", "m-1"]).encode() + b"\n"
    )
    try:
        yield terminal
    finally:
        terminal.close()


SHELLS = [
    pytest.param(command, marks=pytest.mark.skipif(not which(command.split()[0]), reason="not installed"))
    for command in ("sh -i", "bash --norc -i", "zsh -f -i")
]


@pytest.mark.parametrize("name", SHELLS)
async def test_ctrl_z_returns_to_the_shell_and_fg_resumes(model: Model, tmp_path: Path, name: str) -> None:
    async with shell(name, model.raw.url, tmp_path) as terminal:
        await begin(terminal, model, tmp_path, "Half of")
        terminal.write(b"draft\x1a")
        await stopped(terminal)
        terminal.write(b"echo back$((1 + 1))\n")
        await wait_for(terminal, "back2")
        seen = terminal.bytes
        terminal.write(b"fg\n")
        await wait_after(terminal, "draft", seen)
        await wait_after(terminal, "Half of", seen)
        text = await go_on(model, tmp_path, "Half of")
        await wait_after(terminal, "word11", seen)
        terminal.write(b"typed")
        await wait_after(terminal, "typed", seen)
        model.finish()
        await wait_after(terminal, "1,234", seen)
        terminal.write(b"\x11")
        await wait_after(terminal, "--session", seen)
        terminal.write(b"echo done$((1 + 1))\n")
        await wait_for(terminal, "done2")
    assert saved(tmp_path).path()[-1].text == text


@pytest.mark.parametrize("name", SHELLS)
async def test_a_reply_goes_on_in_the_background(model: Model, tmp_path: Path, name: str) -> None:
    async with shell(name, model.raw.url, tmp_path) as terminal:
        await begin(terminal, model, tmp_path, "Half of")
        terminal.write(b"\x1a")
        await stopped(terminal)
        seen = terminal.bytes
        terminal.write(b"bg\n")
        await go_on(model, tmp_path, "Half of")
        assert b"\x1b[?1049h" not in terminal.output[seen:]
        terminal.write(b"fg\n")
        await wait_after(terminal, "word11", seen)
        terminal.write(b"typed")
        await wait_after(terminal, "typed", seen)


async def test_a_signal_ends_the_program_while_it_is_stopped(model: Model, tmp_path: Path) -> None:
    async with shell("sh -i", model.raw.url, tmp_path) as terminal:
        await begin(terminal, model, tmp_path, "Half of")
        terminal.write(b"\x1a")
        await stopped(terminal)
        terminal.write(b"kill %1; kill -CONT %1\n")
        await until(lambda: saved(tmp_path).path()[-1].finish_reason is FinishReason.FAILED)
        await wait_for(terminal, "To continue")
    assert saved(tmp_path).path()[-1].text == "Half of"


async def test_ctrl_z_without_a_shell_says_so(model: Model, tmp_path: Path) -> None:
    with program(model.raw.url, tmp_path, "--model", "m-1") as terminal:
        await wait_for(terminal, "m-1")
        terminal.write(b"\x1a")
        await wait_for(terminal, "no shell to")
        terminal.write(b"typed")
        await wait_for(terminal, "typed")
