"""`streamtui serve` in a process of its own."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from streamtui.cli import main, serve
from streamtui.cli.options import config_from
from streamtui.paths import client_tokens, config_file, log_file
from streamtui.server.client_tokens import ClientTokens
from tests.test_imports import loaded_by

TIMEOUT = 30.0


class Process:
    """A relay process."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "streamtui", "serve", *arguments]
        # A process group of its own, so that its workers can be killed with it.
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self.process.stdout is not None
        self.banner = self.process.stdout.readline()
        found = re.search(r":(\d+)/v1", self.banner)
        self.port = int(found[1]) if found else 0

    def ask(self, body: object, path: str = "/v1/chat/completions", **headers: str) -> http.client.HTTPResponse:
        """Send a request and return the response once its headers have arrived."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        connection.request("POST", path, json.dumps(body), headers)
        return connection.getresponse()

    def end(self, number: int = signal.SIGINT) -> str:
        """Send a signal, wait for a clean exit, and return the log."""
        self.process.send_signal(number)
        return self.log()

    def log(self) -> str:
        """Wait for a clean exit and return the log."""
        _, errors = self.process.communicate(timeout=TIMEOUT)
        assert self.process.returncode == 0, errors
        assert "Traceback" not in errors
        return errors


Start = Callable[..., Process]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start relays, and kill them after the test."""
    started: list[Process] = []

    def begin(*arguments: str) -> Process:
        started.append(Process("--port", "0", *arguments))
        return started[-1]

    yield begin
    for each in started:
        if each.process.poll() is None:
            os.killpg(each.process.pid, signal.SIGKILL)
            each.process.communicate()


def chat_body(model: str, text: str = "hello") -> dict[str, object]:
    return {"model": model, "stream": True, "messages": [{"role": "user", "content": text}]}


@pytest.mark.parametrize("workers", ["1", "2"])
def test_shutdown_waits_for_open_responses(start: Start, workers: str) -> None:
    relay = start("--demo", "--workers", workers)
    assert relay.banner.startswith("Serving demo at http://127.0.0.1:")
    reply = relay.ask(chat_body("demo/demo-fast"))
    assert reply.readline().startswith(b"data: {")
    relay.process.send_signal(signal.SIGTERM)
    assert reply.read().endswith(b"data: [DONE]\n\n")
    assert "status=200" in relay.log()


def test_second_signal_closes_connections(start: Start) -> None:
    relay = start("--demo")
    reply = relay.ask(chat_body("demo-slow", "long"))
    reply.readline()
    relay.process.send_signal(signal.SIGINT)
    until_refused(relay.port)
    relay.process.send_signal(signal.SIGINT)
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        reply.read()
    assert "end=left" in relay.log()


def until_refused(port: int) -> None:
    """Wait until nothing listens on `port`."""
    while True:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)):
                return


def test_grace_period_limits_the_shutdown(start: Start) -> None:
    relay = start("--demo", "--grace", "1")
    reply = relay.ask(chat_body("demo-slow", "long"))
    reply.readline()
    relay.process.send_signal(signal.SIGINT)
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        reply.read()
    assert "end=broken" in relay.log()


def test_unix_socket_is_private_and_removed_at_exit(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "relay.sock"
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(path))
    dead.close()
    relay = start("--demo", "--unix", str(path), "--quiet")
    assert str(path) in relay.banner
    assert os.stat(path).st_mode & 0o777 == 0o600
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        # Clients of a Unix socket send any Host header, as with curl --unix-socket.
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: relay.test\r\nConnection: close\r\n\r\n")
        assert b'{"status":"ok"}' in b"".join(iter(lambda: client.recv(4096), b""))
        assert main(["serve", "--demo", "--unix", str(path)]) == 1
    assert relay.end(signal.SIGTERM) == ""
    assert not path.exists()


def test_new_token_is_accepted_immediately(start: Start, tmp_path: Path) -> None:
    tokens = ClientTokens(client_tokens())
    first = tokens.add("first")
    relay = start("--demo", "--host", "0.0.0.0", "--workers", "2")
    assert "(token required)" in relay.banner
    assert relay.ask(chat_body("demo-fast")).status == 401
    second = tokens.add("second")
    for token in (first, second):
        assert relay.ask(chat_body("demo-fast", "error 404"), Authorization=f"Bearer {token}").status == 404
    log = relay.end()
    assert "token=second" in log
    assert second not in log


def test_first_token_makes_tokens_required_until_restart(start: Start) -> None:
    tokens = ClientTokens(client_tokens())
    relay = start("--demo")
    assert "(no token required)" in relay.banner

    def status(**headers: str) -> int:
        return relay.ask(chat_body("demo-fast", "error 404"), **headers).status

    assert status() == 404
    token = tokens.add("laptop")
    assert (status(), status(Authorization=f"Bearer {token}")) == (401, 404)
    tokens.revoke("laptop")
    assert (status(), status(Authorization=f"Bearer {token}")) == (401, 401)


def test_no_token_option_ignores_later_tokens(start: Start) -> None:
    relay = start("--demo", "--no-token")
    ClientTokens(client_tokens()).add("laptop")
    assert relay.ask(chat_body("demo-fast", "error 404")).status == 404


CONFIG = """
endpoint = "box"
[endpoints.box]
base_url = "http://127.0.0.1:1/v1"
[endpoints.ollama]
model = "qwen3"
[endpoints.mistral]
api_key_command = "echo key"
"""


@pytest.mark.parametrize(
    ("arguments", "served"),
    [
        ([], {"box", "ollama", "mistral", "groq"}),
        (["-e", "vllm"], {"vllm"}),
        (["-e", "groq"], {"groq"}),
        (["--demo"], {"demo"}),
        (["--base-url", "http://127.0.0.1:2/v1"], {"127.0.0.1:2"}),
    ],
)
def test_configured_endpoints_are_served(
    arguments: list[str], served: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config_file().parent.mkdir(parents=True)
    config_file().write_text(CONFIG)
    monkeypatch.setenv("GROQ_API_KEY", "key")
    config = config_from(serve.parser().parse_args(arguments))
    assert set(serve.served_endpoints(config)) == served
    assert config.endpoint.name in served


REFUSALS = [
    (["--demo", "--host", "0.0.0.0"], "token add"),
    (["--demo", "--host", "0.0.0.0", "--no-token"], "Leave out --no-token"),
    (["--demo", "--host", "192.0.2.1"], "token add"),
    (["--demo", "--cors-origin", "*"], "token add"),
    (["--demo", "--allow-host", "*"], "token add"),
    (["--demo", "--allow-host", "*", "--no-token"], "token add"),
    (["--demo", "--cors-origin", "page.test"], "must have a scheme"),
    (["--demo", "--cors-origin", "//page.test"], "must have a scheme"),
    (["--demo", "--cors-origin", "https://page.test/app"], "no path"),
    ([], "No API key. Set"),
    (["--base-url", "nonsense"], "Invalid URL in --base-url"),
]


@pytest.mark.parametrize(("arguments", "words"), REFUSALS)
def test_unsafe_options_are_rejected(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", *arguments]) == 2
    stderr = capsys.readouterr().err
    assert words in stderr
    assert stderr.count("\n") == 1


def test_port_in_use_error(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--demo", "--port", str(port)]) == 1
    assert f"Can't listen on 127.0.0.1:{port}: Address already in use" in capsys.readouterr().err


def test_missing_extra_error(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "find_spec", lambda name: None)
    assert main(["serve", "--demo"]) == 1
    assert "pip install 'streamtui[serve]'" in capsys.readouterr().err


def test_help_does_not_import_the_server() -> None:
    code = "from streamtui.cli import main\ntry: main(['serve', '--help'])\nexcept SystemExit: pass"
    assert loaded_by(code, "fastapi", "uvicorn", "starlette", "openai", "httpx2", "textual", "asyncio") == []


@pytest.mark.parametrize("value", ["0", "-1", "x", "1.5"])
def test_invalid_numbers_are_rejected(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["serve", "--demo", "--workers", value])
    assert caught.value.code == 2
    assert "is not an integer from 1" in capsys.readouterr().err


BROKEN_RELAY = """
import os, sys
from streamtui.cli import main
from streamtui.server.relay import Relay
def broken(self, endpoint): raise KeyError(os.environ["PROMPT"])
Relay.upstream = broken
sys.exit(main(["serve", "--demo", "--port", "0"]))
"""


def test_internal_errors_are_logged_without_prompts() -> None:
    command = [sys.executable, "-c", BROKEN_RELAY]
    env = {**os.environ, "PROMPT": "a secret prompt"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
    try:
        assert process.stdout is not None
        found = re.search(r":(\d+)/v1", process.stdout.readline())
        assert found is not None
        connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=TIMEOUT)
        connection.request("POST", "/v1/chat/completions", json.dumps(chat_body("demo-1", "a secret prompt")))
        assert connection.getresponse().status == 500
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=TIMEOUT)
    finally:
        process.kill()
    for log in (errors, log_file().read_text()):
        assert "Internal error while handling a request" in log
        assert "KeyError" in log
        assert "in broken" in log
        assert "a secret prompt" not in log
