"""The error log: who writes to it, what never gets into it, what the user is told."""

import asyncio
import io
import logging
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from streamtui import error_log, paths
from streamtui.cli import main
from streamtui.error_log import LOG, Notices

KEY = "sk-leak-me-0123456789"
PROMPT = "what I never told anybody"


class PromptError(Exception):
    """An error that quotes what it failed on."""


def logged() -> str:
    """What the log holds."""
    return paths.log_file().read_text()


def fail(error: Exception) -> Exception:
    """Raises `error` below a variable with the key, and returns it."""
    key = KEY  # noqa: F841 - to be found in the traceback's frame, if values were logged
    try:
        raise error
    except Exception as raised:  # noqa: BLE001 - any kind is tried
        return raised


def chained() -> Exception:
    """An error with a cause, a context and a group, each with something secret."""
    try:
        try:
            raise KeyError(PROMPT)
        except KeyError as error:
            raise PromptError(KEY) from error
    except PromptError as error:
        error.add_note(PROMPT)
        return fail(ExceptionGroup(PROMPT, [error, fail(ValueError(KEY))]))


@pytest.mark.parametrize(
    "error",
    [fail(kind(f"{KEY} {PROMPT}")) for kind in (KeyError, ValueError, TypeError, AttributeError, PromptError)]
    + [fail(OSError(2, PROMPT, KEY)), fail(UnicodeDecodeError("utf-8", KEY.encode(), 0, 1, PROMPT)), chained()],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("debug", [False, True])
def test_neither_keys_nor_prompts_get_into_the_log(error: Exception, debug: bool) -> None:
    error_log.start(debug=debug)
    LOG.error("Something failed: %s", error, exc_info=error)
    assert type(error).__name__ in logged()
    assert "in fail" in logged()
    assert KEY not in logged()
    assert PROMPT not in logged()


def test_not_even_where_another_handler_has_formatted_the_record_before() -> None:
    LOG.addHandler(logging.StreamHandler(io.StringIO()))
    error_log.start()
    LOG.error("Something failed", exc_info=fail(KeyError(PROMPT)))
    assert PROMPT not in logged()


def test_what_the_interpreter_says_of_the_program_is_kept() -> None:
    error_log.start()
    try:
        None.missing  # type: ignore[attr-defined]  # noqa: B018
    except AttributeError as error:
        LOG.error("Something failed", exc_info=error)
    assert "AttributeError: 'NoneType' object has no attribute 'missing'" in logged()


def test_the_log_is_private_and_made_only_when_something_is_written() -> None:
    error_log.start()
    LOG.info("nothing of interest")
    assert not paths.log_file().parent.exists()
    LOG.error("Something failed", exc_info=fail(KeyError(1)))
    assert stat.S_IMODE(paths.log_file().stat().st_mode) == 0o600
    assert stat.S_IMODE(paths.log_file().parent.stat().st_mode) == 0o700


def test_the_log_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(error_log, "MAX_BYTES", 10_000)
    error_log.start(debug=True)
    for number in range(2_000):
        LOG.debug("number %d", number)
    files = list(paths.log_file().parent.iterdir())
    assert len(files) == error_log.BACKUPS + 1
    assert sum(file.stat().st_size for file in files) <= 10_000 * len(files)
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_failure_that_repeats_is_written_ever_less_often_and_told_once() -> None:
    told: list[str] = []
    error_log.start()
    LOG.addHandler(Notices(told.append))
    for _ in range(100):
        LOG.error("Something failed", exc_info=fail(KeyError(PROMPT)))
    assert logged().count("Something failed") == 7
    assert told == [f"Something failed (KeyError). Details: {error_log.shown_path()}"]


def test_a_log_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    told: list[str] = []
    error_log.start()
    LOG.addHandler(Notices(told.append))
    LOG.error("Something failed", exc_info=fail(KeyError(1)))
    assert len(told) == 1
    assert "can't be written" in told[0]


def test_what_a_thread_dies_of_is_logged() -> None:
    error_log.start()
    thread = threading.Thread(target=lambda: {}[PROMPT], name="some-thread")  # type: ignore[index]
    thread.start()
    thread.join()
    assert "The thread some-thread failed" in logged()
    assert "KeyError" in logged()
    assert PROMPT not in logged()


async def test_what_a_callback_or_a_forgotten_task_dies_of_is_logged() -> None:
    error_log.start()
    loop = asyncio.get_running_loop()
    error_log.watch(loop)
    loop.call_soon(lambda: {}[PROMPT])  # type: ignore[index]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    loop.set_exception_handler(None)
    assert "A background task failed" in logged()
    assert PROMPT not in logged()


def test_a_command_that_fails_says_so_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> int:
        raise KeyError(PROMPT)

    monkeypatch.setattr("streamtui.cli.tokens.main", broken)
    assert main(["tokens"]) == 1
    out, err = capsys.readouterr()
    assert (out, err) == (
        "",
        f"streamtui: an internal error ended the program (KeyError). Details: {error_log.shown_path()}\n",
    )
    assert "in broken" in logged()


ASK = """
import os, sys
from streamtui.cli import main
from streamtui.{module} import {name}
def broken(*_): raise KeyError(os.environ["PROMPT"])
{name}.{method} = broken
sys.exit(main(["ask", "--demo", "hello"]))
"""


def asked(module: str, name: str, method: str) -> subprocess.CompletedProcess[str]:
    """Runs `streamtui ask` with a method that fails."""
    script = ASK.format(module=module, name=name, method=method)
    env = {**os.environ, "PROMPT": PROMPT}
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, env=env)


def saved_reason() -> str:
    """How the reply that is saved ended."""
    import sqlite3

    with sqlite3.connect(paths.database()) as connection:
        found = connection.execute("SELECT finish_reason FROM messages WHERE role = 'assistant'").fetchall()
    return str(found[0][0])


def test_ask_whose_reading_of_the_reply_fails_is_not_called_stopped() -> None:
    done = asked("conversation.live_reply", "Reply", "add")
    assert done.returncode == 1
    assert "The reply failed (KeyError). Details: " in done.stderr
    assert "An internal error in streamtui ended the reply." in done.stderr
    assert "Traceback" not in done.stderr
    assert PROMPT not in done.stderr + logged()
    assert saved_reason() == "failed"


def test_ask_whose_output_fails_keeps_the_whole_reply() -> None:
    done = asked("ask.output", "TextOutput", "on_delta")
    assert done.returncode == 1
    assert "internal error" in done.stderr
    assert "Traceback" not in done.stderr
    assert PROMPT not in done.stderr + logged()
    assert saved_reason() == "stop"


def test_debug_says_what_the_program_does_without_what_is_said() -> None:
    script = "import sys; from streamtui.cli import main; sys.exit(main(['ask', '--demo', '--debug', 'hello']))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert "request to demo" in logged()
    assert "reply ended: stop" in logged()
    assert "hello" not in logged()
    assert done.stdout.split()[0] not in logged()
