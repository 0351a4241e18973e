"""`streamtui ask` and `streamtui time`, as programs whose output is read."""

import asyncio
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from streamtui.cli.chat import main as chat
from tests.support import ROOT
from tests.support.raw_server import DONE, Exchange, RawServer, Script, chunked, event, piece, serving, whole
from tests.support.terminal import Terminal
from tests.ui.conftest import Model, until

PATIENCE = 30.0
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


@dataclass
class Done:
    """A program that has ended."""

    status: int
    out: str
    err: str


@asynccontextmanager
async def started(
    home: Path, *arguments: str, stdin: int = asyncio.subprocess.DEVNULL
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Runs a command of streamtui with its files under `home`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    environment |= {"HOME": str(home), "XDG_DATA_HOME": str(home / "data"), "XDG_CONFIG_HOME": str(home / "config")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "streamtui", *arguments,
        stdin=stdin, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**environment, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def run(home: Path, *arguments: str, piped: bytes | None = None) -> Done:
    """Runs a command until it has ended."""
    stdin = asyncio.subprocess.DEVNULL if piped is None else asyncio.subprocess.PIPE
    async with started(home, *arguments, stdin=stdin) as process, asyncio.timeout(PATIENCE):
        out, err = await process.communicate(piped)
    assert process.returncode is not None
    return Done(process.returncode, out.decode(), err.decode())


async def on_a_terminal(home: Path, *arguments: str) -> str:
    """Runs a command on a terminal until it has ended; returns its stdout, with plain line ends."""
    command = ["bash", "-c", '"$@" 2>/dev/null', "bash", sys.executable, "-m", "streamtui", *arguments]
    terminal = Terminal(command, {"HOME": str(home), "XDG_DATA_HOME": str(home / "data")})
    terminal.keep = True
    try:
        await asyncio.to_thread(terminal.wait, PATIENCE)
    finally:
        terminal.close()
    return terminal.output.decode().replace("\r\n", "\n")


def rows(home: Path, query: str) -> list[tuple[object, ...]]:
    """What the saved sessions hold."""
    with closing(sqlite3.connect(home / "data" / "streamtui" / "sessions.db")) as connection:
        return connection.execute(query).fetchall()


USAGE = event({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}})
THOUGHT = event({"choices": [{"index": 0, "delta": {"reasoning_content": "Hm."}}]})
HELLO = (piece("Hello "), piece("there."), piece("", "stop"), USAGE, DONE)


@asynccontextmanager
async def saying(*pieces: bytes, script: Script | None = None) -> AsyncIterator[RawServer]:
    """A server that answers every chat with `pieces`."""

    async def answer(exchange: Exchange) -> None:
        if "/models" in exchange.line:
            await whole(json.dumps({"data": [{"id": "m-1"}]}).encode(), content_type="application/json")(exchange)
        else:
            await (script or chunked(*pieces))(exchange)

    async with serving(answer) as server:
        yield server


async def test_the_answer_is_all_there_is_on_stdout(tmp_path: Path) -> None:
    async with saying(*HELLO) as server:
        done = await run(tmp_path, "ask", "--base-url", server.url, "-m", "m-1", "say", "hello")
    assert (done.status, done.out, done.err) == (0, "Hello there.\n", "")
    assert server.requests[-1].body["messages"] == [{"role": "user", "content": "say hello"}]


async def test_reasoning_in_the_text_is_no_part_of_the_answer(tmp_path: Path) -> None:
    arguments = ["ask", "--base-url"]
    async with saying(piece("<think>Hm.</th"), piece("ink>Yes."), piece("", "stop"), DONE) as server:
        done = await run(tmp_path, *arguments, server.url, "-m", "m-1", "--show-reasoning", "hi")
    assert (done.status, done.out, done.err) == (0, "Yes.\n", "Hm.\n")
    async with saying(piece("Hm."), piece("</think>Yes."), piece("", "stop"), DONE) as server:
        done = await run(tmp_path, *arguments, server.url, "-m", "m-1", "hi")
        assert (done.status, done.out) == (0, "Hm.\n\nYes.\n")
        done = await run(tmp_path, *arguments, server.url, "-m", "m-1", "--json", "hi")
        assert (json.loads(done.out)["text"], json.loads(done.out)["reasoning"]) == ("Yes.", "Hm.")


async def test_each_piece_is_written_when_it_comes(tmp_path: Path) -> None:
    model = Model()
    async with (
        serving(model.serve) as model.raw,
        started(tmp_path, "ask", "--base-url", model.raw.url, "-m", "m-1", "hi") as process,
    ):
        assert process.stdout is not None
        for text in ("one ", "two ", "three"):
            model.say(text)
            async with asyncio.timeout(PATIENCE):
                assert await process.stdout.readexactly(len(text)) == text.encode()
        model.finish()
        assert await process.stdout.read() == b"\n"
        assert await process.wait() == 0


async def test_what_is_piped_in_follows_the_words(tmp_path: Path) -> None:
    async with saying(*HELLO) as server:
        await run(tmp_path, "ask", "--base-url", server.url, "-m", "m-1", "review this", piped=b"+ a\x1b[2J\n- b\n")
    assert server.requests[-1].body["messages"][0]["content"] == "review this\n\n+ a␛[2J\n- b"


@pytest.mark.parametrize("piped", [b"\x7fELF\x02\x01\xff\xfe", b"text\0\0\0"])
async def test_piped_binary_data_is_refused_like_a_file(tmp_path: Path, piped: bytes) -> None:
    done = await run(tmp_path, "ask", "--demo", "what is it?", piped=piped)
    assert (done.status, done.out) == (2, "")
    assert done.err == "streamtui: stdin is neither text nor an image.\n"


async def test_a_piped_image_is_attached(tmp_path: Path) -> None:
    async with saying(*HELLO) as server:
        await run(tmp_path, "ask", "--base-url", server.url, "-m", "m-1", "what is it?", piped=PNG)
    text, image = server.requests[-1].body["messages"][0]["content"]
    assert text["text"] == "what is it?"
    assert image["image_url"]["url"].startswith("data:image/png;base64,")


@pytest.mark.parametrize("command", ["ask --demo --no-save hi", "time --demo hi", "sessions list", "--demo"])
def test_a_closed_stdout_is_said(tmp_path: Path, command: str) -> None:
    done = shell(tmp_path, f"{command} >&-")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "streamtui: Can't write the result: stdout is closed.\n"


@pytest.mark.parametrize("closed", ["2>&-", "<&-", "<&- 2>&-", ">&- 2>&-"])
def test_closed_streams_are_no_crash(tmp_path: Path, closed: str) -> None:
    done = shell(tmp_path, f"ask --demo --no-save thanks {closed}")
    kept = ">&-" not in closed.split()
    assert (done.returncode, done.stdout.startswith("You are welcome"), done.stderr) == (0 if kept else 1, kept, "")


def shell(home: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Run `streamtui COMMAND` in a shell, with its files under `home`."""
    environment = {**os.environ, "HOME": str(home), "XDG_DATA_HOME": str(home / "data"), "PYTHONPATH": str(ROOT)}
    line = f"{sys.executable} -m streamtui {command}"
    return subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL, check=False
    )


async def test_files_and_images_go_along(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("# Notes", encoding="utf-8")
    (tmp_path / "a.png").write_bytes(PNG)
    async with saying(*HELLO) as server:
        arguments = ["-f", str(tmp_path / "notes.md"), "--image", str(tmp_path / "a.png")]
        done = await run(tmp_path, "ask", "--base-url", server.url, "-m", "m-1", "read", *arguments)
    assert done.status == 0, done.err
    text, image = server.requests[-1].body["messages"][0]["content"]
    assert "# Notes" in text["text"]
    assert text["text"].endswith("read")
    assert image["image_url"]["url"].startswith("data:image/png;base64,")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "The prompt is empty"),
        (["-f", "missing.txt"], "missing.txt can't be read"),
        (["-f", sys.executable], "is neither text nor an image"),
        (["--image", "pyproject.toml"], "is not a PNG"),
        (["hi", "--temperature", "9"], "--temperature"),
        (["hi", "-e", "nobody"], "nobody"),
    ],
)
async def test_what_cannot_be_asked_is_said(tmp_path: Path, arguments: list[str], words: str) -> None:
    done = await run(tmp_path, "ask", *([] if "-e" in arguments else ["--demo"]), *arguments)
    assert done.status == 2
    assert words in done.err
    assert done.out == ""
    assert len(done.err.splitlines()) == 1


async def test_a_failure_is_one_sentence_and_status_1(tmp_path: Path) -> None:
    async with saying(script=whole(b'{"error": {"message": "No such key \\u001b[2J"}}', "401 Unauthorized")) as server:
        done = await run(tmp_path, "ask", "--base-url", server.url, "-m", "m-1", "hi")
    assert done.status == 1
    assert "API key" in done.err
    assert "\x1b" not in done.err
    assert "Traceback" not in done.err


async def test_a_busy_server_is_asked_again(tmp_path: Path) -> None:
    answers = [whole(b"{}", "429 Too Many Requests", Retry_After="0.01"), chunked(*HELLO)]
    async with saying(script=lambda exchange: answers.pop(0)(exchange)) as server:
        done = await run(tmp_path, "ask", "--base-url", server.url, "-m", "m-1", "hi")
    assert (done.status, done.out) == (0, "Hello there.\n")
    assert "retrying in 1 s (1 of 3)" in done.err


async def test_json_holds_all_that_is_known(tmp_path: Path) -> None:
    async with saying(*HELLO) as server:
        done = await run(tmp_path, "ask", "--base-url", server.url, "-m", "m-1", "--json", "hi")
    found = json.loads(done.out)
    assert (found["text"], found["finish_reason"], found["model"]) == ("Hello there.", "stop", "m-1")
    assert found["usage"]["completion_tokens"] == 3
    assert found["timing"]["total"] >= found["timing"]["first"] > 0
    assert rows(tmp_path, f"SELECT title FROM sessions WHERE id = '{found['session']}'") == [("hi",)]


async def test_json_says_how_long_the_user_waited(tmp_path: Path) -> None:
    answers = [whole(b"{}", "429 Too Many Requests", Retry_After="0.6"), chunked(*HELLO)]
    async with saying(script=lambda exchange: answers.pop(0)(exchange)) as server:
        done = await run(tmp_path, "ask", "--base-url", server.url, "-m", "m-1", "--json", "hi")
    timing = json.loads(done.out)["timing"]
    assert timing["waited"] >= 0.6
    assert timing["total"] >= timing["waited"] + timing["first"]
    assert timing["first"] < 0.6


async def test_events_are_the_servers_own(tmp_path: Path) -> None:
    odd = event({"choices": None, "x": "line\nend", "unknown": [1]})
    async with saying(odd, *HELLO) as server:
        done = await run(tmp_path, "ask", "--base-url", server.url, "-m", "m-1", "--events", "hi")
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert lines[0] == {"choices": None, "x": "line\nend", "unknown": [1]}
    assert lines[-1] == "[DONE]"
    assert len(lines) == 6


@pytest.mark.parametrize("on_terminal", [False, True])
async def test_events_on_a_terminal_have_no_raw_control_characters(tmp_path: Path, on_terminal: bool) -> None:
    texts = ["\x9b31m", "\x85", "\u202eevil\u2066", "\x7f", "\u2028", "é漢😀", "␛"]
    events = [event(json.dumps({"choices": [], "x": text}, ensure_ascii=False).encode()) for text in texts]
    garbage = b"data: \xc2\x9b31m\n\n"
    async with saying(*events, garbage, *HELLO) as server:
        arguments = "ask", "--base-url", server.url, "-m", "m-1", "--events", "hi"
        if on_terminal:
            shown = await on_a_terminal(tmp_path, *arguments)
        else:
            shown = (await run(tmp_path, *arguments)).out
    unsafe = re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202a-\u202e\u2066-\u2069]", shown)
    assert bool(unsafe) is not on_terminal
    lines = [json.loads(line) for line in shown.split("\n") if line]
    assert [line["x"] for line in lines[: len(texts)]] == texts
    assert lines[len(texts)] == "\x9b31m"


async def test_timing_shows_pieces_and_sums(tmp_path: Path) -> None:
    async with saying(*HELLO) as server:
        done = await run(tmp_path, "ask", "--base-url", server.url, "-m", "m-1", "--timing", "hi")
    lines = done.out.splitlines()
    assert lines[0].split()[1:] == ["s", "text", '"Hello', '"']
    assert [line.split("  ")[0] for line in lines[3:]] == [
        "time to first text", "mean gap", "total", "deltas", "tokens", "tokens per second",
    ]  # fmt: skip


async def test_no_stream_asks_for_the_whole(tmp_path: Path) -> None:
    body = json.dumps({"choices": [{"message": {"content": "All."}, "finish_reason": "stop"}]}).encode()
    async with saying(script=whole(body, content_type="application/json")) as server:
        done = await run(tmp_path, "ask", "--base-url", server.url, "-m", "m-1", "--no-stream", "hi")
    assert done.out == "All.\n"
    assert not server.requests[-1].body.get("stream")


async def test_a_session_moves_to_another_server_only_by_a_flag(tmp_path: Path) -> None:
    settings = tmp_path / "config" / "streamtui" / "config.toml"
    settings.parent.mkdir(parents=True)

    def configure(name: str, url: str) -> None:
        settings.write_text(f"endpoint = '{name}'\n[endpoints.{name}]\nbase_url = '{url}'\nmodel = 'm-1'\n")

    async with saying(*HELLO) as first, saying(*HELLO) as second:
        here, there = (server.url.split("/")[2] for server in (first, second))
        configure("work", first.url)
        session = json.loads((await run(tmp_path, "ask", "--json", "my secret plan")).out)["session"]
        for name, now in (("other", "which is not configured"), ("work", f"but work is now at {there}")):
            configure(name, second.url)
            for resume in (["-c"], ["--session", session]):
                done = await run(tmp_path, "ask", *resume, "and now?")
                assert (done.status, done.out) == (2, "")
                assert done.err == (
                    f"streamtui: This session used work at {here}, {now}. To send it elsewhere, add -e {name}\n"
                )
        assert second.connections == 0
        assert len(first.asked) == 1
        done = await run(tmp_path, "ask", "-c", "-e", "work", "and now?")
        assert (done.status, done.out) == (0, "Hello there.\n")
        assert len(second.asked) == 1
        assert rows(tmp_path, "SELECT address FROM sessions") == [(second.url,)]


async def test_a_server_named_by_its_address_is_asked_again_without_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_KEY", "sk-local")
    async with saying(*HELLO) as first, saying(*HELLO) as second:
        await run(tmp_path, "ask", "--base-url", first.url, "--api-key-env", "LOCAL_KEY", "-m", "m-1", "one")
        settings = tmp_path / "config" / "streamtui" / "config.toml"
        settings.parent.mkdir(parents=True)
        settings.write_text(f"endpoint = 'usual'\n[endpoints.usual]\nbase_url = '{second.url}'\napi_key = 'sk-usual'\n")
        assert (await run(tmp_path, "ask", "-c", "two")).out == "Hello there.\n"
        assert (await run(tmp_path, "ask", "-c", "--api-key-env", "LOCAL_KEY", "three")).out == "Hello there.\n"
        keys = [exchange.headers.get("authorization") for exchange in first.asked]
        assert keys == ["Bearer sk-local", None, "Bearer sk-local"]
        assert second.connections == 0


async def test_sessions_go_on(tmp_path: Path) -> None:
    async with saying(*HELLO) as server:
        arguments = ["ask", "--base-url", server.url, "-m", "m-1"]
        first = json.loads((await run(tmp_path, *arguments, "--json", "one")).out)
        await run(tmp_path, *arguments, "-c", "two")
        await run(tmp_path, *arguments, "--session", first["session"][:6], "three")
        await run(tmp_path, *arguments, "--no-save", "-c", "four")
    said = [message["content"] for message in server.requests[-1].body["messages"]]
    assert said == ["one", "Hello there.", "two", "Hello there.", "three", "Hello there.", "four"]
    assert rows(tmp_path, "SELECT message_count FROM sessions") == [(6,)]


async def test_what_the_settings_set_need_not_be_sent(tmp_path: Path) -> None:
    async with saying(*HELLO) as server:
        (tmp_path / "config" / "streamtui").mkdir(parents=True)
        settings = f"[endpoints.box]\nbase_url = '{server.url}'\nparameters = {{ temperature = 0.7, top_p = 0.5 }}\n"
        (tmp_path / "config" / "streamtui" / "config.toml").write_text(settings)
        await run(tmp_path, "ask", "-e", "box", "-m", "m-1", "--unset", "temperature", "hi")
        await run(tmp_path, "ask", "-c", "and now?")
        await run(tmp_path, "ask", "-c", "--temperature", "1", "and now?")
        sent = [(request.body.get("temperature"), request.body["top_p"]) for request in server.asked]
    assert sent == [(None, 0.5), (None, 0.5), (1.0, 0.5)]


async def test_no_save_leaves_nothing(tmp_path: Path) -> None:
    done = await run(tmp_path, "ask", "--demo", "--no-save", "secret words")
    assert done.status == 0
    for file in (tmp_path / "data").rglob("*"):
        assert file.is_dir() or b"secret words" not in file.read_bytes()


async def test_nothing_to_go_on_with_is_said(tmp_path: Path) -> None:
    done = await run(tmp_path, "ask", "--demo", "-c", "hi")
    assert done.status == 1
    assert "no saved session to continue" in done.err


@pytest.mark.parametrize(
    ("pieces", "out", "words"),
    [
        ((piece("Once upon"), piece("", "length")), "Once upon\n", "incomplete: it reached the token limit"),
        ((piece("Once upon"), piece("", "content_filter")), "Once upon\n", "incomplete: the server's content filter"),
        ((piece("", "stop"),), "", "The reply is empty."),
        ((piece(" \n"), piece("", "stop")), " \n", "The reply is empty."),
        ((THOUGHT, piece("", "stop")), "", "The reply is empty except for reasoning."),
        ((piece("", "length"),), "", "incomplete: it reached the token limit"),
    ],
)
async def test_an_answer_that_is_cut_or_empty_is_status_1(
    tmp_path: Path, pieces: tuple[bytes, ...], out: str, words: str
) -> None:
    async with saying(*pieces, DONE) as server:
        done = await run(tmp_path, "ask", "--base-url", server.url, "-m", "m-1", "hi")
    assert (done.status, done.out) == (1, out)
    assert words in done.err
    assert len(done.err.splitlines()) == 1


async def test_an_answer_that_could_not_be_saved_is_an_answer(tmp_path: Path) -> None:
    database = tmp_path / "data" / "streamtui" / "sessions.db"
    database.mkdir(parents=True)
    async with saying(*HELLO) as server:
        done = await run(tmp_path, "ask", "--base-url", server.url, "-m", "m-1", "hi")
    assert (done.status, done.out) == (0, "Hello there.\n")
    assert done.err == f"streamtui: Can't save: {database} is a folder; move or rename it.\n"


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_interrupted_keeps_what_came(tmp_path: Path, number: signal.Signals, status: int) -> None:
    model = Model()
    async with (
        serving(model.serve) as model.raw,
        started(tmp_path, "ask", "--base-url", model.raw.url, "-m", "m-1", "hi") as process,
    ):
        assert process.stdout is not None
        model.say("As far as it came")
        async with asyncio.timeout(PATIENCE):
            await process.stdout.readexactly(len("As far as it came"))
            process.send_signal(number)
            _, err = await process.communicate()
        assert process.returncode == status
        assert err == b""
    assert rows(tmp_path, "SELECT text, finish_reason FROM messages WHERE role = 'assistant'") == [
        ("As far as it came", "stopped")
    ]


async def test_a_closed_pipe_is_quiet(tmp_path: Path) -> None:
    model = Model()
    async with serving(model.serve) as model.raw:
        ask = f"{sys.executable} -m streamtui ask --base-url {model.raw.url} -m m-1 hi"
        script = f"{ask} | head -c 3; echo ${{PIPESTATUS[0]}}"
        process = await asyncio.create_subprocess_exec(
            "bash", "-c", script, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_DATA_HOME": str(tmp_path / "data")},
        )  # fmt: skip
        assert process.stdout is not None
        model.say("one ")
        async with asyncio.timeout(PATIENCE):
            assert await process.stdout.readexactly(3) == b"one"
            while process.returncode is None:
                model.say("more ")
                await asyncio.wait([asyncio.create_task(process.wait())], timeout=0.05)
            out, err = await process.communicate()
    assert (out, err) == (b"141\n", b"")


async def test_a_pipe_that_closes_is_no_failure_of_the_server(tmp_path: Path) -> None:
    async with saying(*HELLO) as server:
        async with started(tmp_path, "ask", "--base-url", server.url, "-m", "m-1", "--events", "hi") as process:
            assert process.stdout is not None
            process.stdout._transport.close()  # type: ignore[attr-defined]
            async with asyncio.timeout(PATIENCE):
                assert await process.wait() == 141
            assert process.stderr is not None
            assert await process.stderr.read() == b""
        assert len(server.requests) == 1


async def test_without_a_key_nothing_is_saved(tmp_path: Path) -> None:
    done = await run(tmp_path, "ask", "hi")
    assert done.status == 1
    assert "OPENAI_API_KEY" in done.err
    again = await run(tmp_path, "ask", "--demo", "-c", "hi")
    assert "no saved session to continue" in again.err


async def test_a_terminal_gets_markdown(tmp_path: Path) -> None:
    text = "# Title\n\nSome **bold** text with `code`.\n\n- one\n- two\n\n```python\nx = 1\n```\n"
    async with saying(piece(text), piece("", "stop"), DONE) as server:
        command = [sys.executable, "-m", "streamtui", "ask", "--base-url", server.url, "-m", "m-1", "hi"]
        terminal = Terminal(command, {"XDG_DATA_HOME": str(tmp_path / "data")})
        terminal.keep = True
        try:
            await asyncio.to_thread(terminal.process.wait, PATIENCE)
            await until(lambda: b"x = 1" in terminal.output.replace(b"\x1b[33m", b"").replace(b"\x1b[0m", b""))
        finally:
            terminal.close()
    shown = terminal.output.decode()
    assert "\x1b[1;4;34mTitle\x1b[0m" in shown
    assert "\x1b[1mbold\x1b[0m" in shown
    assert "**" not in shown
    assert "```" not in shown


def screen(output: bytes) -> str:
    """What is left of `output` on a terminal that knows carriage return and erasing to the end of the line."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", output.decode())
    lines = [line.rpartition("\r")[2].partition("\x1b[K")[0] for line in text.replace("\r\n", "\n").split("\n")]
    return "\n".join(lines)


@pytest.mark.parametrize("form", [[], ["--raw"], ["--json"], ["--show-reasoning"]])
async def test_a_terminal_shows_what_is_waited_for_and_nothing_of_it_stays(tmp_path: Path, form: list[str]) -> None:
    model = Model()
    async with serving(model.serve) as model.raw:
        command = [sys.executable, "-m", "streamtui", "ask", "--base-url", model.raw.url, "-m", "m-1", *form, "hi"]
        terminal = Terminal(command, {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")})
        terminal.keep = True
        try:
            await asyncio.to_thread(terminal.until, "waiting for m-1  ")
            model.say("| a | b |\n", "|---|---|\n")
            if not form or form == ["--json"]:  # nothing to show yet
                await asyncio.to_thread(terminal.until, "receiving  ", terminal.bytes)
            model.say("| 1 | 2 |\n\nThe end.\n")
            model.finish()
            assert await asyncio.to_thread(terminal.wait, PATIENCE) == 0
        finally:
            terminal.close()
    shown = screen(bytes(terminal.output))
    assert "The end." in shown
    assert "waiting" not in shown
    assert "receiving" not in shown


async def test_the_line_is_gone_after_ctrl_c(tmp_path: Path) -> None:
    model = Model()
    async with serving(model.serve) as model.raw:
        command = [sys.executable, "-m", "streamtui", "ask", "--base-url", model.raw.url, "-m", "m-1", "hi"]
        terminal = Terminal(command, {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")})
        terminal.keep = True
        try:
            await asyncio.to_thread(terminal.until, "waiting for m-1")
            terminal.process.send_signal(signal.SIGINT)
            assert await asyncio.to_thread(terminal.wait, PATIENCE) == 130
        finally:
            terminal.close()
    assert screen(bytes(terminal.output)) == ""


@pytest.mark.parametrize("name", ["dumb", "xterm"])
async def test_the_line_is_for_terminals_that_can_erase_it(tmp_path: Path, name: str) -> None:
    terminal = Terminal([sys.executable, "-m", "streamtui", "ask", "--demo", "--no-save", "thanks"], {"TERM": name})
    terminal.keep = True
    try:
        assert await asyncio.to_thread(terminal.wait, PATIENCE) == 0
    finally:
        terminal.close()
    assert (b"\x1b[K" in terminal.output) is (name == "xterm")


async def test_the_moderation_stops_a_reply(tmp_path: Path) -> None:
    verdict = {"results": [{"flagged": True, "categories": {"violence": True, "hate": False}}]}
    seen: list[str] = []

    async def answer(exchange: Exchange) -> None:
        if "/moderations" in exchange.line:
            seen.append(exchange.body["input"])
            await whole(json.dumps(verdict).encode(), content_type="application/json")(exchange)
        else:
            await chunked(*(piece("bad words " * 10) for _ in range(10)), piece("", "stop"), DONE)(exchange)

    async with serving(answer) as server:
        done = await run(tmp_path, "ask", "--base-url", server.url, "-m", "m-1", "--moderate", "hi")
    assert done.status == 1
    assert "flagged the reply for violence" in done.err
    assert seen
    assert done.out.startswith("bad words")


async def test_the_moderation_lets_a_reply_pass_and_says_what_it_took(tmp_path: Path) -> None:
    async def answer(exchange: Exchange) -> None:
        if "/moderations" in exchange.line:
            body = json.dumps({"results": [{"flagged": False, "categories": {}}]}).encode()
            await whole(body, content_type="application/json")(exchange)
        else:
            await chunked(*HELLO)(exchange)

    async with serving(answer) as server:
        done = await run(tmp_path, "ask", "--base-url", server.url, "-m", "m-1", "--moderate", "hi")
    assert (done.status, done.out) == (0, "Hello there.\n")
    assert "checked the reply once, which delayed its end" in done.err


async def test_a_server_without_moderation_is_no_excuse(tmp_path: Path) -> None:
    async def answer(exchange: Exchange) -> None:
        script = whole(b"{}", "404 Not Found") if "/moderations" in exchange.line else chunked(*HELLO)
        await script(exchange)

    async with serving(answer) as server:
        done = await run(tmp_path, "ask", "--base-url", server.url, "-m", "m-1", "--moderate", "hi")
    assert done.status == 1
    assert "could not moderate it" in done.err


async def test_time_compares_both_ways(tmp_path: Path) -> None:
    async def answer(exchange: Exchange) -> None:
        if exchange.body.get("stream"):
            await chunked(*HELLO)(exchange)
        else:
            body = {"choices": [{"message": {"content": "Hello there."}, "finish_reason": "stop"}]}
            await whole(json.dumps(body).encode(), content_type="application/json")(exchange)

    async with serving(answer) as server:
        done = await run(tmp_path, "time", "--base-url", server.url, "-m", "m-1", "hi")
    assert done.status == 0, done.err
    lines = done.out.splitlines()
    assert lines[0].split() == ["streamed", "at", "once"]
    assert lines[4].split() == ["deltas", "2", "1"]
    assert [exchange.body.get("stream") for exchange in server.requests] in ([True, None], [True, False])
    assert not (tmp_path / "data" / "streamtui").exists() or rows(tmp_path, "SELECT * FROM sessions") == []


def test_the_chat_still_wants_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert chat(["--demo"]) == 2
    assert "terminal" in capsys.readouterr().err


async def test_a_reply_without_an_end_is_stopped(tmp_path: Path) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.send_head()
        while True:
            await exchange.send_chunks(piece("word " * 200))

    config = tmp_path / "config" / "streamtui" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("max_reply_mb = 0.01\n")
    async with serving(script) as server:
        done = await run(tmp_path, "ask", "--base-url", server.url, "-m", "m-1", "hi")
    assert done.status == 1
    assert len(done.out.rstrip("\n")) == round(0.01 * 1024 * 1024)
    assert "Stopped at 0.01 MB" in done.err
