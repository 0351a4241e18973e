"""Client tokens."""

import os
import stat
from pathlib import Path

import pytest

from streamtui.cli import main
from streamtui.server.client_tokens import ClientTokens, TokenError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "tokens"


def test_token_is_valid_until_revoked(folder: Path) -> None:
    tokens, running = ClientTokens(folder), ClientTokens(folder)
    assert running.owner("anything") is None
    laptop, phone = tokens.add("laptop"), tokens.add("phone")
    assert (running.owner(laptop), running.owner(phone)) == ("laptop", "phone")
    assert running.owner(laptop[:-1]) is None
    assert running.owner("") is None
    tokens.revoke("laptop")
    assert (running.owner(laptop), running.owner(phone)) == (None, "phone")
    again = tokens.add("laptop")
    assert again != laptop
    assert (running.owner(laptop), running.owner(again)) == (None, "laptop")


def test_two_changes_with_the_same_mtime_are_both_noticed(folder: Path) -> None:
    tokens, running = ClientTokens(folder), ClientTokens(folder)
    assert running.owner(tokens.add("first")) == "first"
    moment = folder.stat()
    second = tokens.add("second")
    # As on a file system with coarse timestamps.
    os.utime(folder, ns=(moment.st_atime_ns, moment.st_mtime_ns))
    assert running.owner(second) == "second"


def test_only_hashes_are_stored_with_private_permissions(folder: Path) -> None:
    token = ClientTokens(folder).add("laptop")
    files = list(folder.iterdir())
    assert [file.name for file in files] == ["laptop"]
    assert not any(part in files[0].read_text() for part in (token, token[3:20]))
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert len(token) == 46


def test_invalid_and_duplicate_names_are_rejected(folder: Path) -> None:
    tokens = ClientTokens(folder)
    tokens.add("laptop")
    with pytest.raises(TokenError, match="already"):
        tokens.add("laptop")
    for name in ("", ".", "../x", "a/b", "-x", "x" * 65, "a b", "\u00e9"):
        with pytest.raises(TokenError):
            tokens.add(name)
    with pytest.raises(TokenError, match="not found"):
        tokens.revoke("../laptop")
    assert [file.name for file in folder.iterdir()] == ["laptop"]


def test_other_files_in_the_directory_are_ignored(folder: Path) -> None:
    tokens = ClientTokens(folder)
    token = tokens.add("laptop")
    (folder / "notes").write_text("not a hash")
    assert [each.name for each in tokens.all()] == ["laptop"]
    assert tokens.owner(token) == "laptop"


def test_token_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "token", "add", "laptop"]) == 0
    token = capsys.readouterr().out.strip()
    assert main(["serve", "token", "list"]) == 0
    listed = capsys.readouterr().out
    assert listed.startswith("laptop ")
    assert token not in listed
    assert main(["serve", "token", "add", "laptop"]) == 1
    assert "already" in capsys.readouterr().err
    assert main(["serve", "token", "revoke", "laptop"]) == 0
    assert main(["serve", "token", "list"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["serve", "token", "revoke", "laptop"]) == 1
