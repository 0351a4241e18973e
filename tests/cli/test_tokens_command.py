"""The `streamtui tokens` command."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from streamtui.cli import main
from streamtui.tokens import encoding_files
from tests.support.encodings import ranks, use_tiny
from tests.support.raw_server import Exchange, serving, whole


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send requests directly to the test's server."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


async def run(*arguments: str) -> int:
    """Run the command in a thread, beside the test's server."""
    return await asyncio.to_thread(main, ["tokens", *arguments])


async def test_fetched_encoding_counts_exactly(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "text.md"
    text.write_text("the thing")
    async with serving(whole(ranks(), content_type="application/octet-stream")) as server:
        source = use_tiny(monkeypatch, url=f"{server.url}/o200k_base.tiktoken")
        assert await run("count", str(text), "-m", "gpt-5") == 0
        assert capsys.readouterr() == (
            "~2\n",
            "streamtui: Estimated from the text size. For exact counts, run streamtui tokens fetch.\n",
        )
        assert await run("fetch", "o200k_base") == 0
        assert await run("count", str(text), "-m", "gpt-5") == 0
        out, error = capsys.readouterr()
        assert (out.splitlines()[-1], error) == ("3", "")
        assert await run("list") == 0
        assert "o200k_base   downloaded\ncl100k_base  not downloaded" in capsys.readouterr().out
    assert encoding_files.stored(source) == ranks()
    assert not list(encoding_files.folder().glob("*.part"))


async def test_wrong_file_is_not_stored(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    async with serving(whole(b"<html>please log in</html>")) as server:
        source = use_tiny(monkeypatch, url=f"{server.url}/x")
        assert await run("fetch", "o200k_base") == 1
    assert "did not send the published o200k_base" in capsys.readouterr().err
    assert encoding_files.stored(source) is None


async def test_silent_server_times_out(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    async with serving(Exchange.until_gone) as server:
        use_tiny(monkeypatch, url=f"{server.url}/x")
        assert await run("fetch", "o200k_base", "--timeout", "0.2") == 1
        assert server.connections == 1
    assert "no answer within 0.2 s" in capsys.readouterr().err


async def test_slow_server_times_out(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    async def drip(exchange: Exchange) -> None:
        await exchange.send_head(content_type="application/octet-stream")
        while not exchange.reader.at_eof():
            await exchange.send_chunks(b"x")
            await asyncio.sleep(0.02)

    async with serving(drip) as server:
        use_tiny(monkeypatch, url=f"{server.url}/x")
        assert await run("fetch", "o200k_base", "--timeout", "0.3") == 1
    assert "no answer within 0.3 s" in capsys.readouterr().err


async def test_proxy_from_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(whole(ranks())) as proxy:
        source = use_tiny(monkeypatch, url="http://ranks.invalid/o200k_base.tiktoken")
        monkeypatch.setenv("http_proxy", proxy.url.removesuffix("/v1"))
        assert await run("fetch", "o200k_base") == 0
        assert proxy.requests[0].line.startswith("GET http://ranks.invalid/o200k_base.tiktoken ")
    assert encoding_files.stored(source) == ranks()


async def test_server_error_is_reported(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    async with serving(whole(b"", status="403 Forbidden")) as server:
        use_tiny(monkeypatch, url=f"{server.url}/x")
        assert await run("fetch", "o200k_base") == 1
    error = capsys.readouterr().err
    assert "o200k_base was not downloaded: HTTP Error 403: Forbidden" in error
    assert "streamtui tokens import" in error


async def test_import_recognizes_files_by_content(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = use_tiny(monkeypatch)
    good, bad = tmp_path / "brought.bin", tmp_path / "o200k_base.tiktoken"
    good.write_bytes(ranks())
    bad.write_bytes(ranks() + b"\n")
    assert await run("import", str(good)) == 0
    assert encoding_files.stored(source) == ranks()
    assert "Imported o200k_base from" in capsys.readouterr().out
    assert await run("import", str(bad)) == 1
    assert "is not a published encoding" in capsys.readouterr().err
    assert await run("import", str(tmp_path / "missing")) == 1
    assert "No such file" in capsys.readouterr().err


async def test_damaged_file_is_downloaded_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serving(whole(ranks())) as server:
        source = use_tiny(monkeypatch, url=f"{server.url}/x")
        monkeypatch.delitem(encoding_files.SOURCES, "cl100k_base")
        encoding_files.store(source, b"half")
        assert await run("list") == 0
        assert "is not the published o200k_base file" in capsys.readouterr().out
        assert await run("count") == 1
        assert "Download it again" in capsys.readouterr().err
        assert await run("fetch") == 0
        assert encoding_files.stored(source) == ranks()
        assert await run("fetch") == 0
        assert len(server.requests) == 1


def test_counts_standard_input(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    encoding_files.store(use_tiny(monkeypatch), ranks())
    text = tmp_path / "text"
    text.write_bytes(b"the thing\xff")
    with text.open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert main(["tokens", "count"]) == 0
    out, error = capsys.readouterr()
    assert out == "~6\n"  # the broken byte became U+FFFD, three bytes
    assert "To select a model, use -m" in error


@pytest.mark.parametrize(
    "arguments",
    [["fetch", "--timeout", "soon"], ["fetch", "--timeout", "-1"], ["nonsense"], ["count", "x", "--text", "x"]],
)
def test_invalid_arguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["tokens", *arguments])
    assert ended.value.code == 2
    assert "Try streamtui tokens" in capsys.readouterr().err


def test_counts_a_text(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    encoding_files.store(use_tiny(monkeypatch), ranks())
    assert main(["tokens", "count", "--text", "the thing", "-m", "gpt-5"]) == 0
    assert capsys.readouterr() == ("3\n", "")
    assert main(["tokens", "count", "--text", ""]) == 0
    assert capsys.readouterr().out == "~0\n"


def test_missing_file_suggests_text_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tokens", "count", "how long is it?"]) == 1
    assert capsys.readouterr().err == ("streamtui: File not found: 'how long is it?'. To count a text, use --text.\n")
    for text in ("long " * 1000, f"{__file__}/or so"):
        assert main(["tokens", "count", text]) == 1
        assert "To count a text, use --text." in capsys.readouterr().err


def test_unknown_encoding_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tokens", "fetch", "o900k"]) == 1
    assert "Choose from: o200k_base, cl100k_base" in capsys.readouterr().err
