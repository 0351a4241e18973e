"""Command-line errors and help."""

import pytest

from streamtui import paths
from streamtui.cli import COMMANDS, main
from streamtui.core.message import Message, Role
from streamtui.core.session import Session
from streamtui.server.client_tokens import ClientTokens
from streamtui.storage import Store

MISTAKES = [
    ("aks hi", "unknown command aks. Did you mean ask?", "streamtui"),
    ("sesions list", "unknown command sesions. Did you mean sessions?", "streamtui"),
    ("aks --raw -m x hi", "unknown command aks. Did you mean ask?", "streamtui"),
    ("why is it so", 'unknown command why. To send one prompt, use: streamtui ask "…"', "streamtui"),
    ("-e groq ask hi", "the command must come first: streamtui ask ….", "streamtui"),
    ("--modle x", "unknown option --modle. Did you mean --model?", "streamtui"),
    ("--modle=x", "unknown option --modle. Did you mean --model?", "streamtui"),
    ("--zzz", "unknown option --zzz.", "streamtui"),
    ("-Z", "unknown option -Z.", "streamtui"),
    ("--api chta", "--api: invalid value 'chta'. Did you mean chat?", "streamtui"),
    ("--api soap", "--api: invalid value 'soap'. Choose from: chat, completions, responses.", "streamtui"),
    ("sessions lst", "unknown command lst. Did you mean list?", "streamtui sessions"),
    ("sessions zzz", "unknown command zzz. Choose from: check, delete, export, ", "streamtui sessions"),
    ("sessions list --jsn", "unknown option --jsn. Did you mean --json?", "streamtui sessions list"),
    ("sessions show 1 2", "unexpected argument '2'.",
     "streamtui sessions show"),
    ("sessions list --limit 0", "--limit: '0' is not an integer from 1 to 999,999,999.", "streamtui sessions list"),
    ("sessions show", "the following arguments are required: ID.", "streamtui sessions show"),
    ("config shwo", "unknown command shwo. Did you mean show?", "streamtui config"),
    ("config show --temprature 1", "unknown option --temprature. Did you mean --temperature?",
     "streamtui config show"),
    ("tokens cuont", "unknown command cuont. Did you mean count?", "streamtui tokens"),
    ("ask --rwa hi", "unknown option --rwa. Did you mean --raw?", "streamtui ask"),
    ("time --temprature 1 hi", "unknown option --temprature. Did you mean --temperature?", "streamtui time"),
    ("web --prot 1", "unknown option --prot. Did you mean --port?", "streamtui web"),
    ("serve tokn add me", "unknown command tokn. Did you mean token?", "streamtui serve"),
    ("serve token ad me", "unknown command ad. Did you mean add?", "streamtui serve token"),
    ("completion zhs", "shell: invalid value 'zhs'. Did you mean zsh?", "streamtui completion"),
    ("completion \x1b[2J", "shell: invalid value '\\x1b[2J'. Choose from: bash, fish, zsh.", "streamtui completion"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "sentence", "command"), MISTAKES, ids=[repr(line) for line, *_ in MISTAKES])
def test_error_suggests_what_was_meant(
    line: str, sentence: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(line.split())
    error, advice = capsys.readouterr().err.splitlines()
    assert error.startswith(f"streamtui: {sentence}")
    assert advice == f"Try {command} --help."


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return what the command prints; it must succeed."""
    try:
        status = main(arguments)
    except SystemExit as ended:
        status = int(ended.code or 0)
    assert status == 0
    return capsys.readouterr().out


def test_sessions_without_a_command_lists_the_latest(capsys: pytest.CaptureFixture[str]) -> None:
    with Store(paths.database()) as store:
        session = Session(title="Bread")
        session.add(Message(Role.USER, "how?"))
        store.save_whole(session)
    assert "Bread" in printed(capsys, "sessions")
    assert printed(capsys, "sessions") == printed(capsys, "sessions", "list")
    assert printed(capsys, "sessions", "--json") == printed(capsys, "sessions", "list", "--json")
    assert "restore" in printed(capsys, "sessions", "--help")


@pytest.mark.parametrize("command", ["config", "tokens"])
def test_command_without_arguments_shows_its_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, command) == printed(capsys, command, "--help")


def test_serve_token_without_a_command_lists_tokens(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "token"]) == 0
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "No tokens yet. To create one, run streamtui serve token add NAME.\n")
    ClientTokens(paths.client_tokens()).add("laptop")
    assert printed(capsys, "serve", "token").split()[0] == "laptop"


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    for command in COMMANDS:
        assert f"usage: streamtui {command}" in printed(capsys, command, "--help")


@pytest.mark.parametrize("command", ["web", "serve"])
@pytest.mark.parametrize("port", ["99999", "65536", "-1", "٣", "1" * 5000])
def test_invalid_port_is_refused(command: str, port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--demo", f"--port={port}"])
    assert ended.value.code == 2
    assert "is not a port number (0 to 65535)" in capsys.readouterr().err
