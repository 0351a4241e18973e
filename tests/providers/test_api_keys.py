"""Where keys come from: commands, the keyring, and what is said when they give none."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from streamtui import processes
from streamtui.config import OPENAI_URL, Endpoint
from streamtui.providers import api_keys
from streamtui.providers.api_keys import delete_key, fetch_key, fetch_key_blocking, store_key
from streamtui.providers.base import ErrorKind, ProviderError
from tests.support import ROOT
from tests.support.terminal import runs

URL = "https://box.example/v1"


@pytest.fixture
def keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A keyring of the test's own; the file it is kept in."""
    file = tmp_path / "keyring.json"
    monkeypatch.setenv("FILE_KEYRING", str(file))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "tests.support.file_keyring.Keyring")
    # Nothing behind a last colon: an empty entry is the folder we are in.
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return file


@pytest.fixture
def locked_keyring(keyring: Path) -> Path:
    """A keyring that waits for a password nobody enters."""
    keyring.write_text("locked")
    return keyring


async def refused(endpoint: Endpoint) -> str:
    """The sentence of the error that fetching the key ends with."""
    with pytest.raises(ProviderError) as raised:
        await fetch_key(endpoint)
    assert raised.value.kind is ErrorKind.NO_KEY
    return raised.value.message


async def test_a_command_gives_the_key() -> None:
    assert await fetch_key(Endpoint("box", URL, api_key_command="printf '\\n  sk-1  \\nuser: me\\n'")) == "sk-1"


async def test_a_command_goes_before_the_keyring_and_the_file() -> None:
    endpoint = Endpoint("box", URL, "sk-file", api_key_command="echo sk-command | cat", api_key_keyring=True)
    assert await fetch_key(endpoint) == "sk-command"


async def test_a_command_that_fails_is_told_with_its_last_words() -> None:
    said = await refused(Endpoint("box", URL, api_key_command="echo sk-half; echo 'gpg: \x1b[1mno card' >&2; exit 3"))
    assert said == "The API key command for box failed (exit code 3): gpg: ␛[1mno card. Check api_key_command."


async def test_a_command_that_says_nothing_is_told() -> None:
    assert "printed nothing" in await refused(Endpoint("box", URL, api_key_command="true"))


async def test_a_command_that_hangs_is_ended_with_all_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_keys, "FETCH_LIMIT", 0.3)
    file = tmp_path / "pid"
    said = await refused(Endpoint("box", URL, api_key_command=f"sleep 1000 & echo $! > {file}; wait"))
    assert "timed out after" in said
    await until(lambda: not runs(pid_in(file)))


async def test_cancelling_ends_the_command(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    task = asyncio.create_task(fetch_key(Endpoint("box", URL, api_key_command=f"echo $$ > {file}; sleep 1000")))
    await until(lambda: pid_in(file))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: not runs(pid_in(file)))


async def test_canceling_while_the_command_starts_ends_it_with_all_it_started(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    command = f"sleep 1000 & echo $! > {file}; wait"
    task = asyncio.create_task(fetch_key(Endpoint("box", URL, api_key_command=command)))
    # The command gets ahead of the event loop, as on a loaded machine.
    while not waited_for(file):
        await asyncio.sleep(0)
    task.cancel()
    async with asyncio.timeout(20):
        with pytest.raises(asyncio.CancelledError):
            await task
    await until(lambda: not runs(pid_in(file)))


async def test_canceling_the_start_of_a_program_that_does_not_exist(tmp_path: Path) -> None:
    task = asyncio.create_task(processes.start([str(tmp_path / "missing")]))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def waited_for(file: Path) -> int:
    """The number in `file`, after a moment in which the event loop stands still."""
    time.sleep(0.05)
    return pid_in(file)


async def until(condition: Callable[[], object]) -> None:
    """Wait until `condition` is true."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


def pid_in(file: Path) -> int:
    """The number in `file`; 0 while there is none."""
    return int(file.read_text().strip() or 0) if file.exists() else 0


async def test_the_command_has_no_terminal_to_draw_on() -> None:
    said = await refused(Endpoint("box", URL, api_key_command="cat /dev/tty"))
    assert "/dev/tty" in said


async def test_a_key_is_kept_in_the_keyring_and_found_there(keyring: Path) -> None:
    await store_key("box", "sk-kept")
    assert await fetch_key(Endpoint("box", URL, api_key_keyring=True)) == "sk-kept"
    assert await asyncio.to_thread(fetch_key_blocking, Endpoint("box", URL, api_key_keyring=True)) == "sk-kept"
    await delete_key("box")
    assert "config set-key box" in await refused(Endpoint("box", URL, api_key_keyring=True))
    with pytest.raises(ProviderError, match=r"Can't delete the API key for box .*: .*there is no such key"):
        await delete_key("box")


async def test_a_keyring_without_the_key_leaves_it_to_the_file(keyring: Path) -> None:
    assert await fetch_key(Endpoint("box", URL, "sk-file", api_key_keyring=True)) == "sk-file"


async def test_a_locked_keyring_is_given_up(locked_keyring: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_keys._keyring, "__kwdefaults__", {"given": "", "limit": 1.0})
    said = await refused(Endpoint("groq", URL, api_key_keyring=True, api_key_env="GROQ_API_KEY"))
    assert "set GROQ_API_KEY" in said
    assert "it may be locked" in said


async def test_a_machine_without_a_keyring_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    said = await refused(Endpoint("box", URL, api_key_keyring=True))
    assert "No recommended backend was available" in said
    assert "Traceback" not in said
    with pytest.raises(ProviderError, match="Can't store the API key for box in the keyring"):
        await store_key("box", "sk-1")


async def test_a_keyring_that_forgets_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    with pytest.raises(ProviderError, match="Can't store the API key for box in the keyring"):
        await store_key("box", "sk-1")


async def test_no_file_of_the_folder_passes_for_the_keyring(
    keyring: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "keyring.py").write_text("print('sk-stranger')")
    monkeypatch.chdir(tmp_path)
    await store_key("box", "sk-kept")
    assert await fetch_key(Endpoint("box", URL, api_key_keyring=True)) == "sk-kept"


async def test_a_server_that_wants_no_key_gets_none() -> None:
    assert await fetch_key(Endpoint("box", URL)) == ""
    assert await fetch_key(Endpoint("box", URL, "sk-1")) == "sk-1"


async def test_a_key_that_is_missing_is_told_by_its_variable() -> None:
    assert await refused(Endpoint("openai", OPENAI_URL)) == "No API key for openai yet. Set OPENAI_API_KEY."
    assert "Set GROQ_API_KEY" in await refused(Endpoint("groq", URL, api_key_env="GROQ_API_KEY"))
