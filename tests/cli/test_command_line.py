"""The command line: what it does not know is told in one sentence, with what was probably meant."""

import pytest

from streamtui import paths
from streamtui.cli import COMMANDS, main
from streamtui.core.message import Message, Role
from streamtui.core.session import Session
from streamtui.server.client_tokens import ClientTokens
from streamtui.storage import Store

MISTAKES = [
    ("aks hi", "there is no command aks; did you mean ask?", "streamtui"),
    ("sesions list", "there is no command sesions; did you mean sessions?", "streamtui"),
    ("aks --raw -m x hi", "there is no command aks; did you mean ask?", "streamtui"),
    ("why is it so", 'there is no command why; to ask a model without the screen: streamtui ask "…"', "streamtui"),
    ("-e groq ask hi", "ask is a command and comes first: streamtui ask ….", "streamtui"),
    ("--modle x", "there is no option --modle; did you mean --model?", "streamtui"),
    ("--modle=x", "there is no option --modle; did you mean --model?", "streamtui"),
    ("--zzz", "there is no option --zzz.", "streamtui"),
    ("-Z", "there is no option -Z.", "streamtui"),
    ("--api chta", "--api: there is no 'chta'; did you mean chat?", "streamtui"),
    ("--api soap", "--api: there is no 'soap'; there are chat, completions, responses.", "streamtui"),
    ("sessions lst", "there is no command lst; did you mean list?", "streamtui sessions"),
    ("sessions zzz", "there is no command zzz; there are check, delete, export, ", "streamtui sessions"),
    ("sessions list --jsn", "there is no option --jsn; did you mean --json?", "streamtui sessions list"),
    ("sessions show 1 2", "'2' is a word too many.",
     "streamtui sessions show"),
    ("sessions list --limit 0", "--limit: '0' should be a whole number from 1.", "streamtui sessions list"),
    ("sessions show", "the following arguments are required: ID.", "streamtui sessions show"),
    ("config shwo", "there is no command shwo; did you mean show?", "streamtui config"),
    ("config show --temprature 1", "there is no option --temprature; did you mean --temperature?",
     "streamtui config show"),
    ("tokens cuont", "there is no command cuont; did you mean count?", "streamtui tokens"),
    ("ask --rwa hi", "there is no option --rwa; did you mean --raw?", "streamtui ask"),
    ("time --temprature 1 hi", "there is no option --temprature; did you mean --temperature?", "streamtui time"),
    ("web --prot 1", "there is no option --prot; did you mean --port?", "streamtui web"),
    ("serve tokn add me", "there is no command tokn; did you mean token?", "streamtui serve"),
    ("serve token ad me", "there is no command ad; did you mean add?", "streamtui serve token"),
    ("completion zhs", "shell: there is no 'zhs'; did you mean zsh?", "streamtui completion"),
    ("completion \x1b[2J", "shell: there is no '\\x1b[2J'; there are bash, fish, zsh.", "streamtui completion"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "sentence", "command"), MISTAKES, ids=[repr(line) for line, *_ in MISTAKES])
def test_a_mistake_is_a_sentence_with_what_was_meant(
    line: str, sentence: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(line.split())
    told, advice = capsys.readouterr().err.splitlines()
    assert told.startswith(f"streamtui: {sentence}")
    assert advice == f"Try {command} --help."


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the command prints; it fails at nothing."""
    try:
        status = main(arguments)
    except SystemExit as ended:
        status = int(ended.code or 0)
    assert status == 0
    return capsys.readouterr().out


def test_sessions_alone_lists_the_latest(capsys: pytest.CaptureFixture[str]) -> None:
    with Store(paths.database()) as store:
        session = Session(title="Bread")
        session.add(Message(Role.USER, "how?"))
        store.save_whole(session)
    assert "Bread" in printed(capsys, "sessions")
    assert printed(capsys, "sessions") == printed(capsys, "sessions", "list")
    assert printed(capsys, "sessions", "--json") == printed(capsys, "sessions", "list", "--json")
    assert "restore" in printed(capsys, "sessions", "--help")


@pytest.mark.parametrize("command", ["config", "tokens"])
def test_a_command_that_has_nothing_to_list_shows_its_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, command) == printed(capsys, command, "--help")


def test_serve_token_alone_lists_the_tokens(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "token"]) == 0
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "There are no tokens yet; streamtui serve token add NAME makes one.\n")
    ClientTokens(paths.client_tokens()).add("laptop")
    assert printed(capsys, "serve", "token").split()[0] == "laptop"


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    for command in COMMANDS:
        assert f"usage: streamtui {command}" in printed(capsys, command, "--help")


@pytest.mark.parametrize("command", ["web", "serve"])
@pytest.mark.parametrize("port", ["99999", "65536", "-1", "٣", "1" * 5000])
def test_a_port_that_is_none_is_said(command: str, port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--demo", f"--port={port}"])
    assert ended.value.code == 2
    assert "should be a port, 0 to 65535" in capsys.readouterr().err
