"""The `streamtui sessions` command in pipes and on terminals."""

import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import pytest

from streamtui import paths
from streamtui.cli import main
from streamtui.core.message import FinishReason, Message, Role
from streamtui.core.session import Session, SessionFilter
from streamtui.importers import importer
from streamtui.storage import Store, open_database
from tests.support import ROOT
from tests.support.samples import talk, write_json
from tests.support.terminal import Terminal

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs `streamtui sessions`; it returns the exit status, stdout and stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        try:
            code = main(["sessions", *arguments])
        except SystemExit as error:
            code = int(str(error.code))
        out, err = capfd.readouterr()
        return code, out, err

    return run


@contextmanager
def opened() -> Iterator[Store]:
    with Store(paths.database()) as store:
        yield store


def fill(*titles: str) -> list[Session]:
    """Save sessions, the newest last, whose ids begin with their number."""
    made = []
    with opened() as store:
        for n, title in enumerate(titles):
            session = Session(id=f"{n}{'abcdef0123456789'[:15]}", title=title, endpoint="openai", model="gpt-5")
            session.created = 1.7e9 + n
            session.add(Message(Role.USER, f"prompt of {title}", created=1.7e9 + n))
            reply = Message(Role.ASSISTANT, f"reply about {title}", created=1.7e9 + n, model="gpt-5")
            reply.finish_reason = FinishReason.STOP
            session.add(reply)
            store.save_whole(session)
            made.append(session)
    return made


def listed(**where: bool | None) -> list[str]:
    with opened() as store:
        return [summary.title for summary in store.sessions(where=SessionFilter(**where)).result()]  # type: ignore[arg-type]


# Listing


def test_list_is_newest_first(run: Run) -> None:
    fill("One", "Two", "Three")
    code, out, _ = run("list")
    assert code == 0
    assert [line.split()[-1] for line in out.splitlines()] == ["Three", "Two", "One"]
    assert out.startswith("2abcdef0  2023-11-1")
    assert len(run("list", "--limit", "2")[1].splitlines()) == 2
    assert len(run("list", "--all")[1].splitlines()) == 3
    assert run("list", "two")[1].splitlines()[0].endswith("Two")


def test_list_as_json(run: Run) -> None:
    session = fill("One")[0]
    assert json.loads(run("list", "--json")[1]) == [
        {"id": session.id, "title": "One", "endpoint": "openai", "model": "gpt-5", "updated": 1.7e9, "messages": 2,
         "created": 1.7e9, "pinned": False, "archived": False}
    ]  # fmt: skip


def test_list_is_filtered(run: Run) -> None:
    first, second, third, *_ = fill("One", "Two", "Three", "Four")
    with opened() as store:
        store.set_pinned(first.id, True)
        store.set_archived(second.id, True)
        store.trash(third.id)
    for options, expected in {
        (): ["One", "Four"],
        ("--pinned",): ["One"],
        ("--archived",): ["Two"],
        ("--trash",): ["Three"],
        ("--model", "other"): [],
        ("--endpoint", "openai", "--model", "gpt-5"): ["One", "Four"],
    }.items():
        assert [found["title"] for found in json.loads(run("list", "--json", *options)[1])] == expected


def test_search_finds_words_in_messages(run: Run) -> None:
    fill("bread", "soup")
    code, out, _ = run("search", "reply", "about")
    assert (code, [line.split("  ")[2] for line in out.splitlines()]) == (
        0,
        ["soup: reply about soup", "bread: reply about bread"],
    )
    hits = json.loads(run("search", "prompt", "bre", "--json")[1])
    assert [(hit["title"], hit["role"], hit["snippet"]) for hit in hits] == [("bread", "user", "prompt of bread")]
    assert run("search", "nowhere")[:2] == (1, "")
    assert run("search", "🚀")[:2] == (1, "")


def test_search_finds_a_partial_reply_after_a_kill(run: Run) -> None:
    (session,) = fill("bread")
    code = """if True:
        import os, signal, sys
        from streamtui import paths
        from streamtui.core.message import Message, Role
        from streamtui.storage import Store
        store = Store(paths.database())
        reply = Message(Role.ASSISTANT, "It")
        store.save_message(sys.argv[1], reply)
        store.append_delta(reply.id, " was cut in the mid")
        store.latest().result()
        store.append_delta(reply.id, "dle, by SIGKILL")
        store.latest().result()
        os.kill(os.getpid(), signal.SIGKILL)
    """
    killed = subprocess.run([sys.executable, "-c", code, session.id], check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    status, out, _ = run("search", "middle", "sigkill")
    assert (status, out.split("bread: ")[1]) == (0, "It was cut in the middle, by SIGKILL\n")


def test_show_accepts_an_id_prefix(run: Run) -> None:
    fill("One", "Two")
    assert "# Two\n" in run("show", "1")[1]
    assert run("show", "1a", "--format", "text")[1].startswith("Two\n")
    assert json.loads(run("show", "1", "--format", "json")[1])["title"] == "Two"


@pytest.mark.parametrize("verb", ["show", "rename", "delete", "restore", "export"])
def test_unknown_id_is_refused(verb: str, run: Run) -> None:
    fill("One")
    more = ["x"] if verb == "rename" else ["--yes"] if verb == "delete" else []
    code, out, err = run(verb, "9", *more)
    assert (code, out) == (1, "")
    assert (
        err
        == "streamtui: No saved session has an ID that starts with “9”. To list them, run “streamtui sessions list”.\n"
    )


def test_path(run: Run) -> None:
    assert run("path") == (0, f"{paths.database()}\n", "")


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["show"], ["list", "--limit", "0"], ["list", "--limit", "x"], ["export"],
     ["export", "1", "--all"], ["import"], ["import", "--from", "x", "y"], ["show", "1", "--format", "x"],
     ["rename", "1"], ["delete"]],
)  # fmt: skip
def test_invalid_arguments(arguments: list[str], run: Run) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err


# Changing


def test_rename(run: Run) -> None:
    fill("One")
    assert run("rename", "0", "Another", "\x1b[2Jtitle") == (0, "Renamed “One” to “Another ␛[2Jtitle”\n", "")
    assert listed() == ["Another ␛[2Jtitle"]
    assert run("rename", "0", " ")[0] == 2


def test_delete_and_restore(run: Run) -> None:
    fill("One", "Two", "Three")
    code, out, _ = run("delete", "--yes", "0", "1ab")
    assert (code, listed()) == (0, ["Three"])
    assert out.splitlines()[0] == "Deleted “One”. To restore it: streamtui sessions restore 0abcdef0"
    assert run("restore", "0")[:2] == (0, "Restored “One”\n")
    assert listed() == ["Three", "One"]


def test_delete_needs_a_terminal_or_yes() -> None:
    fill("One")
    done = shell("streamtui sessions delete 0 </dev/null")
    assert (done.returncode, listed()) == (2, ["One"])
    assert "--yes" in done.stderr


def test_one_unknown_id_deletes_nothing(run: Run) -> None:
    fill("One")
    assert run("delete", "--yes", "0", "9")[0] == 1
    assert listed() == ["One"]


# A database that can't be written


@contextmanager
def locked(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Lock the database like another program, and yield the expected error."""
    monkeypatch.setattr(open_database, "BUSY_TIMEOUT", 0.2)
    with closing(sqlite3.connect(paths.database())) as other:
        other.execute("BEGIN IMMEDIATE")
        yield f"streamtui: Can't save: {paths.database()} is locked by another program; close it.\n"


@pytest.mark.parametrize("verb", ["rename", "delete", "restore"])
def test_unsaved_change_is_not_reported_as_done(verb: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    fill("One", "Two")
    if verb == "restore":
        run("delete", "--yes", "0")
    before = listed()
    more = {"rename": ["Other"], "delete": ["1", "--yes"], "restore": []}[verb]
    with locked(monkeypatch) as reason:
        assert run(verb, "0", *more) == (1, "", reason)
    assert listed() == before


def test_import_counts_only_what_was_saved(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill("One")
    path = write_json(tmp_path / "conversations.json", [talk(n) for n in range(5)])
    with locked(monkeypatch) as reason:
        assert run("import", str(path)) == (1, "", reason)
        code, out, err = run("import", "--json", str(path))
        assert (code, err) == (1, reason)
        assert (json.loads(out)[0]["added"], json.loads(out)[0]["messages"]) == (0, 0)
    assert listed() == ["One"]
    assert run("import", str(path))[:2] == (0, f"{path}: 5 added, 20 new messages\n")


def test_failing_import_counts_what_was_saved_before(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill("One")
    monkeypatch.setattr(importer, "WAIT_AFTER", 1)
    path = write_json(tmp_path / "conversations.json", [talk(n) for n in range(5)])
    with ExitStack() as stack:
        save_whole = Store.save_whole
        saved: list[Session] = []

        def save(store: Store, session: Session) -> None:
            if len(saved) == 2:
                stack.enter_context(locked(monkeypatch))
                store.close()  # the next write opens the database again
            saved.append(session)
            save_whole(store, session)

        monkeypatch.setattr(Store, "save_whole", save)
        code, out, err = run("import", str(path))
    assert (code, out) == (1, f"{path}: 2 added, 8 new messages\n")
    assert err.startswith("streamtui: Can't save: ")
    assert listed() == ["Talk 1", "Talk 0", "One"]


def test_busy_database_is_reported(tmp_path: Path) -> None:
    fill("One")
    store = Store(paths.database())
    with closing(sqlite3.connect(paths.database())) as other:
        other.execute("BEGIN IMMEDIATE")
        store.remember("key", "value")
        assert not store.close(0.05)
        assert store.save_error == (
            f"Can't save: {paths.database()} was still busy after 0 s; close the program that uses it."
        )
    assert store.close()


# Export and import


def test_export_to_stdout_and_to_a_file(run: Run, tmp_path: Path) -> None:
    fill("One", "Two")
    assert "# One" in run("export", "0")[1]
    assert json.loads(run("export", "0", "--format", "json")[1])["title"] == "One"
    assert [found["title"] for found in json.loads(run("export", "--all", "--format", "json")[1])] == ["Two", "One"]
    file = tmp_path / "one.html"
    assert run("export", "0", "-o", str(file)) == (0, f"Exported 1 session to {file}\n", "")
    assert file.read_text().startswith("<!doctype html>")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_export_several(run: Run, tmp_path: Path) -> None:
    fill("One", "Two", "Three")
    folder = tmp_path / "out"
    assert run("export", "0", "1", "-o", str(folder))[0] == 0
    assert sorted(file.suffix for file in folder.iterdir()) == [".md", ".md"]
    assert run("export", "--all", "-o", f"{tmp_path}/new/", "--format", "text")[0] == 0
    assert len(list((tmp_path / "new").iterdir())) == 3
    assert run("export", "--all", "-o", str(tmp_path / "all.json"))[0] == 0
    assert len(json.loads((tmp_path / "all.json").read_text())) == 3
    assert run("export", "--all", "-o", str(tmp_path / "all.jsonl"))[0] == 0
    assert len((tmp_path / "all.jsonl").read_text().splitlines()) == 3
    code, _, err = run("export", "--all")
    assert (code, "-o DIRECTORY" in err) == (2, True)


def test_export_overwrites_only_with_force(run: Run, tmp_path: Path) -> None:
    fill("One")
    file = tmp_path / "a.md"
    file.write_text("precious")
    code, _, err = run("export", "0", "-o", str(file))
    assert (code, file.read_text()) == (1, "precious")
    assert err.endswith("To overwrite it, add --force.\n")
    assert run("export", "0", "-o", str(file), "--force")[0] == 0


def test_export_with_a_theme(run: Run) -> None:
    fill("One")
    assert "--primary: #1f5fa8" in run("export", "0", "--format", "html", "--theme", "paper")[1]
    code, _, err = run("export", "0", "--format", "html", "--theme", "nowhere")
    assert (code, "ember, midnight, paper" in err) == (1, True)


def test_export_includes_archived_but_not_deleted(run: Run) -> None:
    first, second, _ = fill("One", "Two", "Three")
    with opened() as store:
        store.set_archived(first.id, True)
        store.trash(second.id)
    exported = json.loads(run("export", "--all", "--format", "json")[1])
    assert [(found["title"], found["archived"]) for found in exported] == [("Three", False), ("One", True)]


def test_import_reports_counts_and_errors(run: Run, tmp_path: Path) -> None:
    path = write_json(tmp_path / "conversations.json", [talk(1), {"title": "Bad"}, talk(2)])
    code, out, err = run("import", str(path))
    assert code == 1
    assert out == f"{path}: 2 added, 1 unreadable, 8 new messages\n"
    assert err.startswith("streamtui: conversations.json, entry 2 (“Bad”): it is not")
    path = write_json(tmp_path / "conversations.json", [talk(1), talk(2), talk(3)])
    assert run("import", str(path)) == (0, f"{path}: 1 added, 2 unchanged, 4 new messages\n", "")
    assert sorted(listed()) == ["Talk 1", "Talk 2", "Talk 3"]


def test_import_continues_after_a_missing_file(run: Run, tmp_path: Path) -> None:
    path = write_json(tmp_path / "a.json", [talk(1)])
    code, out, err = run("import", str(tmp_path / "nowhere"), str(path))
    assert (code, listed()) == (1, ["Talk 1"])
    assert out == f"{path}: 1 added, 4 new messages\n"
    assert "no such file" in err


def test_import_limits_reported_errors(run: Run, tmp_path: Path) -> None:
    err = run("import", str(write_json(tmp_path / "a.json", [{}] * 50)))[2]
    assert len(err.splitlines()) == 21
    assert err.splitlines()[-1] == "streamtui: … and 30 more unreadable entries."


def test_dry_run(run: Run, tmp_path: Path) -> None:
    path = write_json(tmp_path / "a.json", [talk(1)])
    assert "(dry run, nothing saved)" in run("import", "--dry-run", str(path))[1]
    assert listed() == []


def test_import_as_json(run: Run, tmp_path: Path) -> None:
    path = write_json(tmp_path / "a.json", [talk(1)])
    assert json.loads(run("import", "--json", str(path))[1]) == [
        {"path": str(path), "added": 1, "updated": 0, "unchanged": 0, "in_trash": 0, "empty": 0, "broken": 0,
         "messages": 4, "lost": 0}
    ]  # fmt: skip


# In pipes and on terminals


def shell(command: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash in which `streamtui` is the program under test."""
    function = f'streamtui() {{ "{sys.executable}" -m streamtui "$@"; }}; set -o pipefail; '
    environ = {**os.environ, "PYTHONPATH": str(ROOT), **more}
    return subprocess.run(["bash", "-c", function + command], capture_output=True, text=True, env=environ, check=False)


def test_export_and_import_between_machines(tmp_path: Path) -> None:
    fill("One", "Two")
    there = str(tmp_path / "there")
    done = shell(
        f"streamtui sessions export --all --format jsonl | XDG_DATA_HOME={there} streamtui sessions import - &&"
        f"diff <(streamtui sessions export --all --format json)"
        f" <(XDG_DATA_HOME={there} streamtui sessions export --all --format json)"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "-: 2 added, 4 new messages\n", "")


def test_closed_pipe_gives_no_traceback() -> None:
    with opened() as store:
        for n in range(3000):
            session = Session(title=f"Session {n} " + "x" * 100)
            session.add(Message(Role.USER, "x"))
            store.save_whole(session)
    done = shell("streamtui sessions list --all | head -1")
    assert (done.returncode, done.stderr) == (0, "")


def test_terminal_without_unicode_gives_no_traceback() -> None:
    fill("日本")
    done = shell("streamtui sessions list", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("??\n")


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    """Return a function that runs `streamtui sessions` on a terminal."""
    made: list[Terminal] = []

    def start(*arguments: str) -> Terminal:
        made.append(Terminal([sys.executable, "-m", "streamtui", "sessions", *arguments], size=(60, 20)))
        made[-1].keep = True
        return made[-1]

    yield start
    for each in made:
        each.close()


def test_delete_asks_for_confirmation_on_a_terminal(terminal: Callable[..., Terminal]) -> None:
    fill("One")
    for answer, expected, left in (("n", b"Nothing was deleted", ["One"]), ("y", b"Deleted", [])):
        asking = terminal("delete", "0")
        asking.until("Delete this session? [y/N]")
        asking.write(answer.encode() + b"\r")
        assert asking.wait(20) == (1 if left else 0)
        assert expected in asking.output
        assert listed() == left


def test_escape_sequences_in_the_database_are_harmless(terminal: Callable[..., Terminal]) -> None:
    session = fill("One")[0]
    session.title = "\x1b]0;evil\x07"
    session.last(Role.ASSISTANT).text = "\x1b[2J\x9b31m"  # type: ignore[union-attr]
    with opened() as store:
        store.save_whole(session)
    for arguments in (("list",), ("show", "0"), ("search", "prompt"), ("export", "0")):
        shown = terminal(*arguments)
        assert shown.wait(20) == 0
        assert b"\x1b" not in shown.output.replace(b"\x1b[?2026", b"")
        assert "␛".encode() in shown.output


def test_lines_are_truncated_to_the_terminal(terminal: Callable[..., Terminal]) -> None:
    fill("x" * 300, "日" * 300)
    shown = terminal("list")
    shown.wait(20)
    assert all(len(line) <= 60 for line in shown.output.decode().splitlines())


def test_import_shows_progress_and_errors_on_a_terminal(terminal: Callable[..., Terminal], tmp_path: Path) -> None:
    path = write_json(tmp_path / "conversations.json", [*(talk(n) for n in range(300)), {"title": "Bad"}])
    shown = terminal("import", str(path))
    assert shown.wait(60) == 1
    text = shown.output.decode()
    assert "sessions" in text
    assert "entry 301" in text
    assert "300 added, 1 unreadable" in text


def test_ctrl_c_keeps_imported_sessions(terminal: Callable[..., Terminal], tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    shown = terminal("import", str(pipe))
    with suppress(BrokenPipeError), pipe.open("w") as file:
        file.write("[")
        for n in range(1_000_000):
            file.write(json.dumps(talk(n, words=50)) + ",\n")
            if b"0 sessions" in shown.output:
                shown.process.send_signal(signal.SIGINT)
                shown.process.wait(20)
    assert shown.wait(20) == 130
    assert b"Traceback" not in shown.output
    assert listed()


def test_session_with_a_damaged_row_is_shown_with_a_notice(run: Run) -> None:
    (session,) = fill("Bread")
    with closing(sqlite3.connect(paths.database())) as connection, connection:
        connection.execute("UPDATE messages SET usage = '[]', role = 'wizard' WHERE seq = 1")
    status, out, err = run("show", session.id)
    assert status == 0
    assert all(message.text in out for message in session.path())
    assert "session is damaged in 1 place" in err
    assert "streamtui sessions check --repair" in err
