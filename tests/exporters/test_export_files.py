"""Export files: private, complete, never over another file without force."""

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


def test_file_is_private_and_complete(tmp_path: Path) -> None:
    file = write_export(chat("Hi"), tmp_path / "a.md", Format.MARKDOWN)
    assert "# Hi" in file.read_text(encoding="utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [found.name for found in tmp_path.iterdir()] == ["a.md"]


def test_existing_file_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_text("precious")
    with pytest.raises(FileExistsTransferError, match="already exists"):
        write_export(chat("Hi"), file, Format.MARKDOWN)
    assert file.read_text() == "precious"
    write_export(chat("Hi"), file, Format.MARKDOWN, force=True)
    assert "# Hi" in file.read_text()
    assert [found.name for found in tmp_path.iterdir()] == ["a.md"]


@pytest.mark.parametrize("links", [True, False])
def test_file_created_meanwhile_is_kept(links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_file_system_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", _no_links)
    assert write_export(chat("Hi"), tmp_path / "a.md", Format.MARKDOWN).exists()
    assert [found.name for found in tmp_path.iterdir()] == ["a.md"]


def test_failed_export_leaves_nothing(tmp_path: Path) -> None:
    def parts() -> Iterator[str]:
        yield "half"
        raise OSError(28, "No space left on device")

    with pytest.raises(TransferError, match="no space left"):
        save(parts(), tmp_path / "a.md")
    assert list(tmp_path.iterdir()) == []


def test_unwritable_path_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for file, words in (
        (tmp_path / "no" / "a.md", "no such file or directory"),
        (tmp_path / "file" / "a.md", "not a directory"),
    ):
        with pytest.raises(TransferError, match=words):
            write_export(chat("Hi"), file, Format.MARKDOWN)
    with pytest.raises(TransferError, match="Can't create"):
        list(write_folder([chat("Hi")], tmp_path / "file", Format.MARKDOWN))


def test_directory_gets_a_file_per_session(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    written = list(write_folder([chat("Same"), chat("Same"), chat("")], folder, Format.TEXT))
    assert len(set(written)) == 3
    assert sorted(folder.iterdir()) == sorted(written)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


TITLES = st.text(max_size=80) | st.sampled_from(
    ["con", "NUL", "com1", "..", "../../etc/passwd", ".hidden", "a/b\\c:d", "-rf", "é" * 300, "漢" * 99]
)


@given(TITLES)
def test_file_names_are_portable(title: str) -> None:
    session = chat("x")
    session.title = title
    for name in (file_name(session, Format.MARKDOWN), dated_name(session, Format.HTML)):
        assert Path(name).name == name
        assert name[0] not in ".-"
        assert len(name.encode()) < 200
        assert not set(name) & set('<>:"/\\|?*\n\x00')
        assert name.partition(".")[0].lower() not in ("con", "nul", "com1")


def test_file_names_contain_the_title() -> None:
    assert file_name(chat("How to bake bread?"), Format.MARKDOWN) == "How-to-bake-bread.md"
    assert file_name(chat("Wie geht’s? 日本"), Format.JSON) == "Wie-geht-s-日本.json"
    assert dated_name(chat("Hi"), Format.HTML).startswith("2026-09-2")


def test_unused_name_is_found(tmp_path: Path) -> None:
    session = chat("Hi")
    names = []
    for _ in range(3):
        file = free_file(tmp_path, session, Format.MARKDOWN)
        file.touch()
        names.append(file.name)
    assert names == ["Hi.md", "Hi-2.md", "Hi-3.md"]
