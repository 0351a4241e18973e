"""The program in a real pty: what reaches the terminal, what keys arrive, what a kill leaves behind."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from streamtui.core.message import FinishReason
from streamtui.core.session import Session
from streamtui.storage import Store
from streamtui.ui.widgets.prompt import BURST
from tests.support.raw_server import serving
from tests.support.terminal import EMULATOR, LOOSE_EMULATOR, Terminal, child, ends, python
from tests.ui.conftest import Model, piece, until

HOSTILE = "A\x1b]52;c;SGVsbG8=\x07B\x1b[2JC\x9b31mD\u202eE\x1b]0;title\x07F\x90q\x9cG\x00H\x7fI"
FORBIDDEN = [b"\x1b]52", b"\x1b[2J", b"\xc2\x9b", b"\xe2\x80\xae", b"\x1b]0;title", b"\xc2\x90", b"\x00", b"\x7f"]

SLACK = 3.0
"""Seconds a busy machine may add to the half second in which everything must be on the disk."""


@pytest.fixture
async def model() -> AsyncIterator[Model]:
    """A server that says what the test tells it to."""
    model = Model()
    async with serving(model.serve) as model.raw:
        yield model


@contextmanager
def program(
    url: str, home: Path, *arguments: str, emulator: str = "", env: Mapping[str, str] = {}
) -> Iterator[Terminal]:
    """Runs streamtui against the server at `url`, in a terminal within the terminal if an `emulator` is given."""
    command = [sys.executable, "-m", "streamtui", "--base-url", url, *arguments]
    if emulator:
        command = python(emulator, *command)
    env = {"HOME": str(home), "XDG_DATA_HOME": str(home / "data"), "XDG_CONFIG_HOME": str(home / "config"), **env}
    terminal = Terminal(command, env, size=(80, 24))
    terminal.keep = True
    try:
        yield terminal
    finally:
        terminal.close()


async def wait_for(terminal: Terminal, text: str) -> None:
    """Waits until `text` has been written to the terminal."""
    await asyncio.to_thread(terminal.until, text)


async def on_the_disk(home: Path, text: str) -> None:
    """Waits, half a second at most, until the last message on the disk is `text`."""
    async with asyncio.timeout(0.5 + SLACK):
        while (await asyncio.to_thread(saved, home)).path()[-1].text != text:
            pass


def saved(home: Path) -> Session:
    """The session that is on the disk."""
    with Store(home / "data" / "streamtui" / "sessions.db") as store:
        latest = store.latest().result(10)
        assert latest is not None
        return store.session(latest).result(10)


async def test_nothing_from_outside_drives_the_terminal(model: Model, tmp_path: Path) -> None:
    model.models = [f"model {HOSTILE}"]
    with program(model.raw.url, tmp_path, "--model", "m-1", "--system", HOSTILE.replace("\0", "")) as terminal:
        await wait_for(terminal, "m-1")
        terminal.write(b"hello\r")
        await until(lambda: model.bodies)
        model.say(
            f"text {HOSTILE}\n\n```sh\n{HOSTILE}\n```\n\n[link]({HOSTILE})\n\n| {HOSTILE} | b |\n|---|---|\n| c | d |\n"
        )
        model.pieces.put_nowait(piece(reasoning_content=HOSTILE))
        model.finish()
        await wait_for(terminal, "1,234")
        terminal.write(b"\x1bOQ")  # F2: the list of models
        await wait_for(terminal, "model A")
        seen = len(terminal.output)
        terminal.write(b"\x1b[27u")  # esc, as the kitty protocol sends it
        await asyncio.to_thread(terminal.until, "F1 keys", seen)
        for _ in range(20):  # a key that meets the panel on its way out is lost
            terminal.write(b"\x13")  # ctrl+s: the list of sessions
            try:
                await asyncio.to_thread(terminal.until, "rename", 0, 1.0)
            except TimeoutError:
                continue
            break
        await wait_for(terminal, "1 session")
        written = bytes(terminal.output)
    assert "␛]52;c;SGVsbG8=␇".encode() in written
    assert [sequence for sequence in FORBIDDEN if sequence in written] == []


@pytest.mark.parametrize("sent", [b"\n", b"\x1b\r", b"\x1b[27;2;13~", b"\x1b[13;2u", b"\x1b[13;3u"])
async def test_keys_for_a_new_line_as_terminals_send_them(model: Model, tmp_path: Path, sent: bytes) -> None:
    with program(model.raw.url, tmp_path, "--model", "m-1") as terminal:
        await wait_for(terminal, "m-1")
        terminal.write(b"one" + sent)
        terminal.write(b"two\r")
        await until(lambda: model.bodies)
    assert model.bodies[0]["messages"][-1]["content"] == "one\ntwo"


@pytest.mark.parametrize("ending", [b"", b"\r"])
async def test_lines_pasted_as_keys_do_not_send_at_the_first_line_end(
    model: Model, tmp_path: Path, ending: bytes
) -> None:
    with program(model.raw.url, tmp_path, "--model", "m-1") as terminal:
        await wait_for(terminal, "m-1")
        terminal.write(b"def f():\r    return 1\r\rprint(f())" + ending)
        await wait_for(terminal, "print(f())")
        terminal.write(b"\x1b[D\x1b[C")  # left and right: another burst begins behind them
        terminal.write(b"?")
        await wait_for(terminal, "?")
        assert model.bodies == []
        await asyncio.sleep(2 * BURST)  # a hand that reaches for enter
        terminal.write(b"\r")
        await until(lambda: model.bodies)
    sent = model.bodies[0]["messages"][-1]["content"]
    assert sent == "def f():\n    return 1\n\nprint(f())" + ending.decode().replace("\r", "\n") + "?"


async def test_a_line_written_at_once_with_its_enter_is_sent(model: Model, tmp_path: Path) -> None:
    with program(model.raw.url, tmp_path, "--model", "m-1") as terminal:
        await wait_for(terminal, "m-1")
        terminal.write(b"hello there\r")
        await until(lambda: model.bodies)
    assert model.bodies[0]["messages"][-1]["content"] == "hello there"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
async def test_what_was_on_the_screen_is_on_the_disk(model: Model, tmp_path: Path, number: signal.Signals) -> None:
    with program(model.raw.url, tmp_path, "--model", "m-1") as terminal:
        await wait_for(terminal, "m-1")
        terminal.write(b"tell me\r")
        await until(lambda: model.bodies)
        model.say("Half of ", "a sen")
        await wait_for(terminal, "Half of a sen")
        await on_the_disk(tmp_path, "Half of a sen")
        os.kill(terminal.process.pid, number)
        code = await asyncio.to_thread(terminal.wait, 30)
        end = bytes(terminal.output[-400:])
    session = saved(tmp_path)
    assert [message.text for message in session.path()] == ["tell me", "Half of a sen"]
    if number is signal.SIGKILL:
        assert session.path()[-1].finish_reason is None
    else:
        assert code == 0
        reply = session.path()[-1]
        assert reply.finish_reason is FinishReason.FAILED
        assert reply.error == "streamtui was terminated before the reply was complete."
        # the alternate screen left, the cursor shown, mouse, kitty keys and modified keys taken back
        for sequence in (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1003l", b"\x1b[<u", b"\x1b[>4;0m"):
            assert sequence in end


@pytest.mark.parametrize("emulator", [EMULATOR, LOOSE_EMULATOR], ids=["controlling", "loose"])
async def test_the_program_ends_with_its_terminal(model: Model, tmp_path: Path, emulator: str) -> None:
    with program(model.raw.url, tmp_path, "--model", "m-1", emulator=emulator) as terminal:
        await wait_for(terminal, "m-1")
        terminal.write(b"tell me\r")
        await until(lambda: model.bodies)
        model.say("Half of ", "a sen")
        await wait_for(terminal, "Half of a sen")
        pid = child(terminal.process)
        terminal.process.kill()
        assert await asyncio.to_thread(ends, pid)
    reply = saved(tmp_path).path()[-1]
    assert (reply.text, reply.finish_reason) == ("Half of a sen", FinishReason.FAILED)


async def test_a_program_that_was_stopped_goes_on(model: Model, tmp_path: Path) -> None:
    with program(model.raw.url, tmp_path, "--model", "m-1") as terminal:
        await wait_for(terminal, "m-1")
        os.kill(terminal.process.pid, signal.SIGSTOP)
        before = terminal.bytes
        os.kill(terminal.process.pid, signal.SIGCONT)
        # The last of what it asks for: until then the terminal makes a line end of the enter key.
        await asyncio.to_thread(terminal.until, "\x1b[?2004h", before)
        terminal.write(b"hello\r")
        await until(lambda: model.bodies)
        terminal.write(b"\x11")
        assert await asyncio.to_thread(terminal.wait, 30) == 0
    assert [body["messages"][-1]["content"] for body in model.bodies] == ["hello"]


async def test_an_interrupted_reply_says_so_and_can_be_asked_again(model: Model, tmp_path: Path) -> None:
    with program(model.raw.url, tmp_path, "--model", "m-1") as terminal:
        await wait_for(terminal, "m-1")
        terminal.write(b"tell me\r")
        await until(lambda: model.bodies)
        model.say("Half")
        await wait_for(terminal, "Half")
        await on_the_disk(tmp_path, "Half")
        os.kill(terminal.process.pid, signal.SIGKILL)
        await asyncio.to_thread(terminal.wait, 30)
    with program(model.raw.url, tmp_path, "-c") as terminal:
        await wait_for(terminal, "Interrupted")
        terminal.write(b"\x1b[15~")  # F5
        await until(lambda: len(model.bodies) == 2)
        model.say("All of it")
        model.finish()
        await wait_for(terminal, "All of it")
    assert [message["content"] for message in model.bodies[1]["messages"]] == ["tell me"]


def test_without_a_terminal_it_says_so(tmp_path: Path) -> None:
    import subprocess

    done = subprocess.run(
        [sys.executable, "-m", "streamtui", "--demo"],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr


@pytest.mark.parametrize(
    "arguments", [["--base-url", "nonsense"], ["--api-key-env", "NOT_SET"], ["--session", "x", "-c"]]
)
def test_arguments_that_cannot_be_used_are_a_sentence(arguments: list[str]) -> None:
    import subprocess

    done = subprocess.run([sys.executable, "-m", "streamtui", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_without_full_screen_is_refused_in_a_sentence(term: str, tmp_path: Path) -> None:
    terminal = Terminal([sys.executable, "-m", "streamtui", "--demo"], {"TERM": term, "HOME": str(tmp_path)})
    terminal.keep = True
    try:
        assert terminal.process.wait(20) == 2
        terminal.until("can't show a full-screen program")
        assert b"\x1b" not in terminal.output
    finally:
        terminal.close()
