"""Format detection, hostile archives and memory use."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from streamtui.core.message import Message, Role
from streamtui.core.session import Session
from streamtui.core.transfer_error import TransferError
from streamtui.exporters.export_files import json_parts
from streamtui.exporters.json_export import to_json
from streamtui.importers.detection import open_source
from streamtui.importers.import_report import Entry, Kind, ParsedSession
from tests.support import ROOT
from tests.support.samples import conversation, node, talk, write_json

PNG = b"\x89PNG\r\n\x1a\n"


def read(path: Path, kind: Kind | None = None) -> list[Entry]:
    with open_source(path, kind) as source:
        found = list(source)
        assert source.progress == 1
    return found


def titles(path: Path, kind: Kind | None = None) -> list[str]:
    """Return the titles of sessions and the problems of unreadable entries."""
    return [entry.session.title if isinstance(entry, ParsedSession) else entry.problem for entry in read(path, kind)]


def own(*names: str) -> list[Session]:
    sessions = [Session(title=name) for name in names]
    for session in sessions:
        session.add(Message(Role.USER, session.title))
    return sessions


def test_streamtui_json_as_object_array_and_lines(tmp_path: Path) -> None:
    sessions = own("A", "B")
    for name, text in {
        "one.json": to_json(sessions[0]),
        "all.json": "".join(json_parts(sessions)),
        "all.jsonl": "".join(json_parts(sessions, lines=True)),
        "no-ending": "".join(json_parts(sessions)),
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        expected = sessions[: 1 if name == "one.json" else 2]
        assert [entry.session for entry in read(tmp_path / name) if isinstance(entry, ParsedSession)] == expected


def test_chatgpt_json_as_array_and_object(tmp_path: Path) -> None:
    assert titles(write_json(tmp_path / "conversations.json", [talk(1), talk(2)])) == ["Talk 1", "Talk 2"]
    assert titles(write_json(tmp_path / "x.json", {"conversations": [talk(1)]})) == ["Talk 1"]
    assert titles(write_json(tmp_path / "y.json", talk(1))) == ["Talk 1"]


def archive(path: Path, files: dict[str, bytes | str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return path


def test_archive_with_several_files_and_images(tmp_path: Path) -> None:
    pointer = {"content_type": "image_asset_pointer", "asset_pointer": "file-service://file-Abc"}
    picture = conversation(node("q", None, "user", pointer, "Look"), title="Picture")
    path = archive(
        tmp_path / "export.zip",
        {
            "export/chat.html": "<html>",
            "export/user.json": "{}",
            "export/shared_conversations.json": "[{}]",
            "export/conversations-001.json": json.dumps([talk(2), picture]),
            "export/conversations-000.json": json.dumps([talk(1)]),
            "export/dalle-generations/file-Abc-cat.png": PNG,
        },
    )
    assert titles(path) == ["Talk 1", "Talk 2", "Picture"]
    last = read(path)[-1]
    assert isinstance(last, ParsedSession)
    assert [file.data for file in last.session.path()[0].attachments] == [PNG]


def test_damaged_image_is_skipped(tmp_path: Path) -> None:
    pointer = {"content_type": "image_asset_pointer", "asset_pointer": "file-service://file-Abc"}
    entries = [conversation(node("q", None, "user", pointer, "Look"), title="Picture"), talk(1)]
    picture = bytes(range(256)) * 400
    path = archive(tmp_path / "a.zip", {"file-Abc-cat.png": picture, "conversations.json": json.dumps(entries)})
    data = bytearray(path.read_bytes())
    data[60:90] = b"\xff" * 30
    path.write_bytes(data)
    first, second = read(path)
    assert isinstance(first, ParsedSession)
    assert isinstance(second, ParsedSession)
    assert first.session.path()[0].text == "🖼 image (not in the export)\nLook"


def test_unpacked_archive(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(PNG)
    folder = tmp_path / "export"
    folder.mkdir()
    write_json(folder / "user.json", {})
    pointer = {"content_type": "image_asset_pointer", "asset_pointer": "file-service://file-Abc"}
    write_json(folder / "conversations.json", [conversation(node("q", None, "user", pointer, "Look"))])
    (folder / "file-Abc-link.png").symlink_to(tmp_path / "secret")
    found = read(folder)[0]
    assert isinstance(found, ParsedSession)
    assert found.session.path()[0].attachments == ()  # a link is not followed out of the folder
    (folder / "file-Abc-link.png").unlink()
    (folder / "file-Abc-real.png").write_bytes(PNG)
    for path in (folder, folder / "conversations.json"):
        found = read(path)[0]
        assert isinstance(found, ParsedSession)
        assert found.session.path()[0].attachments[0].name == "real.png"


def test_directory_of_exports(tmp_path: Path) -> None:
    for session in own("A", "B"):
        (tmp_path / f"{session.title}.json").write_text(to_json(session), encoding="utf-8")
    assert titles(tmp_path) == ["A", "B"]


def test_invalid_entry_is_reported_and_the_rest_imported(tmp_path: Path) -> None:
    entries = [talk(1), {"title": "Bad\x1b", "mapping": [1]}, 7, None, talk(2)]
    first, bad, number, nothing, last = titles(write_json(tmp_path / "conversations.json", entries))
    assert (first, last) == ("Talk 1", "Talk 2")
    assert bad == "conversations.json, entry 2 (“Bad␛”): it is not a streamtui session or a ChatGPT conversation."
    assert "entry 3" in number
    assert "entry 4" in nothing


def test_kind_can_be_given(tmp_path: Path) -> None:
    path = write_json(tmp_path / "x.json", [talk(1)])
    assert titles(path, Kind.CHATGPT) == ["Talk 1"]
    assert "not a streamtui session" in titles(path, Kind.STREAMTUI)[0]
    with pytest.raises(TransferError, match="not a SQLite database"), open_source(path, Kind.LLM):
        pass


def test_unsupported_input_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("hello")
    assert titles(tmp_path / "x.txt") == ["Can't import x.txt: not a JSON file, ZIP archive or SQLite database."]
    for path, words in {
        tmp_path / "nowhere": "no such file",
        tmp_path: "no JSON files to import",
        archive(tmp_path / "a.zip", {"x.json": "[]"}): "no conversations.json",
    }.items():
        with pytest.raises(TransferError, match=words), open_source(path):
            pass


def test_damaged_archive_is_reported(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"conversations.json": json.dumps([talk(n) for n in range(400)])})
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 50] = bytes(50)
    path.write_bytes(data)
    assert "is damaged" in titles(path)[-1]
    path.write_bytes(data[:-30])
    with pytest.raises(TransferError, match="is a damaged ZIP archive"), open_source(path):
        pass


def test_zip_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made, made.open("conversations.json", "w") as member:
        for _ in range(70):
            member.write(b" " * (1 << 20))
    with pytest.raises(TransferError, match="looks like a ZIP bomb"), open_source(path):
        pass


def test_path_traversal_writes_nothing(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    path = archive(inside / "a.zip", {"../../conversations.json": json.dumps([talk(1)]), "/etc/file-Abc.png": PNG})
    assert titles(path) == ["Talk 1"]
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["a.zip"]


_LIMITED = """
import resource, sys
from pathlib import Path
from streamtui.importers.detection import open_source

taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (taken + (24 << 20),) * 2)
with open_source(Path(sys.argv[1])) as source:
    print(sum(len(entry.session.messages) for entry in source))
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
@pytest.mark.parametrize("packed", [False, True])
def test_large_file_needs_little_memory(packed: bool, tmp_path: Path) -> None:
    """Read 30 MB of JSON, for which `json.load` needs 100 MB, with 24 MB more than the program itself."""
    text = "[" + ",".join(json.dumps(talk(n, words=500, messages=8)) for n in range(900)) + "]"
    assert len(text) > 28_000_000
    path = tmp_path / "conversations.json"
    path.write_text(text, encoding="utf-8")
    if packed:
        path = archive(tmp_path / "export.zip", {"conversations.json": text})
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(path)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert (done.stdout, done.stderr) == ("7200\n", "")
