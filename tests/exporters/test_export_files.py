"""Exports on the disk: private, whole, never over another file unasked."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtui.core.message import Message, Role
from streamtui.core.session import Session
from streamtui.core.transfer_error import FileExistsTransferError, TransferError
from streamtui.exporters.export_files import dated_name, file_name, free_file, save, write_export, write_folder
from streamtui.exporters.formats import Format


def chat(title: str) -> Session:
    session = Session(title=title, created=1.79e9)
    session.add(Message(Role.USER, "hello"))
    return session


def test_a_file_is_private_and_complete(tmp_path: Path) -> None:
    file = write_export(chat("Hi"), tmp_path / "a.md", Format.MARKDOWN)
    assert "# Hi" in file.read_text(encoding="utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [found.name for found in tmp_path.iterdir()] == ["a.md"]


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_text("precious")
    with pytest.raises(FileExistsTransferError, match="exists already"):
        write_export(chat("Hi"), file, Format.MARKDOWN)
    assert file.read_text() == "precious"
    write_export(chat("Hi"), file, Format.MARKDOWN, force=True)
    assert "# Hi" in file.read_text()
    assert [found.name for found in tmp_path.iterdir()] == ["a.md"]


@pytest.mark.parametrize("links", [True, False])
def test_a_file_made_meanwhile_stays(links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.md"
    if not links:
        monkeypatch.setattr(os, "link", _no_links)

    def parts() -> Iterator[str]:
        file.write_text("precious")
        yield "x"

    with pytest.raises(FileExistsTransferError):
        save(parts(), file)
    assert file.read_text() == "precious"
    assert [found.name for found in tmp_path.iterdir()] == ["a.md"]


def _no_links(*_: object) -> None:
    raise PermissionError(1, "Operation not permitted")


def test_without_links_it_is_written_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", _no_links)
    assert write_export(chat("Hi"), tmp_path / "a.md", Format.MARKDOWN).exists()
    assert [found.name for found in tmp_path.iterdir()] == ["a.md"]


def test_what_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    def parts() -> Iterator[str]:
        yield "half"
        raise OSError(28, "No space left on device")

    with pytest.raises(TransferError, match="no room"):
        save(parts(), tmp_path / "a.md")
    assert list(tmp_path.iterdir()) == []


def test_where_it_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for file, words in (
        (tmp_path / "no" / "a.md", "no such file or folder"),
        (tmp_path / "file" / "a.md", "no folder"),
    ):
        with pytest.raises(TransferError, match=words):
            write_export(chat("Hi"), file, Format.MARKDOWN)
    with pytest.raises(TransferError, match="can't be made"):
        list(write_folder([chat("Hi")], tmp_path / "file", Format.MARKDOWN))


def test_a_folder_gets_a_file_of_every_session(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    written = list(write_folder([chat("Same"), chat("Same"), chat("")], folder, Format.TEXT))
    assert len(set(written)) == 3
    assert sorted(folder.iterdir()) == sorted(written)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


TITLES = st.text(max_size=80) | st.sampled_from(
    ["con", "NUL", "com1", "..", "../../etc/passwd", ".hidden", "a/b\\c:d", "-rf", "é" * 300, "漢" * 99]
)


@given(TITLES)
def test_names_are_safe_everywhere(title: str) -> None:
    session = chat("x")
    session.title = title
    for name in (file_name(session, Format.MARKDOWN), dated_name(session, Format.HTML)):
        assert Path(name).name == name
        assert name[0] not in ".-"
        assert len(name.encode()) < 200
        assert not set(name) & set('<>:"/\\|?*\n\x00')
        assert name.partition(".")[0].lower() not in ("con", "nul", "com1")


def test_titles_can_be_read_in_names() -> None:
    assert file_name(chat("How to bake bread?"), Format.MARKDOWN) == "How-to-bake-bread.md"
    assert file_name(chat("Wie geht’s? 日本"), Format.JSON) == "Wie-geht-s-日本.json"
    assert dated_name(chat("Hi"), Format.HTML).startswith("2026-09-2")


def test_a_free_name_is_found(tmp_path: Path) -> None:
    session = chat("Hi")
    names = []
    for _ in range(3):
        file = free_file(tmp_path, session, Format.MARKDOWN)
        file.touch()
        names.append(file.name)
    assert names == ["Hi.md", "Hi-2.md", "Hi-3.md"]
