"""`streamtui web` from the outside: access and process lifetimes."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from streamtui.cli import main
from tests.support.web_program import TIMEOUT, Running, serving_pages


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    """Run `streamtui web --demo`."""
    async with serving_pages(tmp_path, "--demo") as server:
        yield server


async def status(session: aiohttp.ClientSession, url: str, **headers: str) -> int:
    """Return the status of a request, without following redirects."""
    async with session.get(url, headers=headers, allow_redirects=False) as response:
        return response.status


def is_running(pid: int) -> bool:
    """Return whether the process exists."""
    return Path(f"/proc/{pid}").exists()


def browser() -> aiohttp.ClientSession:
    """Return a client that accepts cookies from IP addresses, as browsers do."""
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))


async def test_ticket_is_required_and_valid_once(running: Running) -> None:
    async with browser() as stranger, browser() as user:
        for path in ("/", "/?ticket=guessed", "/page.js", "/static/js/textual.js", "/ws", "/nothing"):
            assert await status(stranger, running.origin + path) == 403, path
        assert await status(user, running.address) == 303
        assert await status(stranger, running.address) == 403
        for path in ("/", "/page.js", "/page.css", "/static/js/textual.js"):
            assert await status(user, running.origin + path) == 200, path


async def test_prefetching_does_not_use_the_ticket(running: Running) -> None:
    async with browser() as scanner, browser() as user:
        async with scanner.head(running.address, allow_redirects=False) as response:
            assert (response.status, len(response.cookies)) == (204, 0)
        assert await status(scanner, running.address, **{"Sec-Purpose": "prefetch;prerender"}) == 204
        assert await status(scanner, running.origin + "/") == 403
        assert await status(user, running.address) == 303


async def test_used_ticket_is_replaced(running: Running) -> None:
    assert running.process.stdout is not None
    await running.process.stdout.readline()
    async with browser() as first, browser() as second:
        assert await status(first, running.address) == 303
        line = (await running.process.stdout.readline()).decode()
        assert "another browser" in line
        assert await status(second, line.split()[-1]) == 303


async def test_other_hosts_and_origins_are_rejected(running: Running) -> None:
    async with browser() as user:
        await status(user, running.address)
        assert await status(user, running.origin + "/", Host="rebound.example") == 403
        assert await status(user, running.origin + "/", Origin="http://elsewhere.example") == 403
        assert await status(user, running.origin + "/ws") == 403


async def test_page_loads_nothing_from_other_hosts(running: Running) -> None:
    async with browser() as user:
        await status(user, running.address)
        async with user.get(running.origin + "/") as response:
            policy, page = response.headers["Content-Security-Policy"], await response.text()
    assert "default-src 'none'" in policy
    assert [part for part in page.split('"') if part.startswith(("http:", "https:", "//"))] == []


async def open_page(user: aiohttp.ClientSession, running: Running) -> aiohttp.ClientWebSocketResponse:
    """Open a page and wait until it is painted."""
    await status(user, running.address)
    socket = await user.ws_connect(f"{running.origin}/ws?width=100&height=30", origin=running.origin)
    async with asyncio.timeout(TIMEOUT):
        while "Write a prompt" not in (await socket.receive_bytes()).decode("utf-8", "replace"):
            pass
    return socket


async def test_each_page_has_its_own_process(running: Running) -> None:
    async with browser() as user:
        first = await open_page(user, running)
        second = await user.ws_connect(f"{running.origin}/ws", origin=running.origin)
        await running.wait_for_processes(2)
        await first.close()
        await running.wait_for_processes(1)
        await second.send_str("not a message of textual.js")
        await second.send_str("[" * 100_000)
        await second.send_str(json.dumps(["ping", 1]))
        async with asyncio.timeout(TIMEOUT):
            while (await second.receive()).data != '["pong", 1]':
                pass
        await second.send_str(json.dumps(["resize", {"width": -1, "height": 10**9}]))
        await second.close()
        await running.wait_for_processes(0)


async def test_quitting_closes_the_page(running: Running) -> None:
    async with browser() as user:
        page = await open_page(user, running)
        await page.send_json(["stdin", "\x11"])  # ctrl+q
        async with asyncio.timeout(TIMEOUT):
            while (await page.receive()).type is aiohttp.WSMsgType.BINARY:
                pass
        await running.wait_for_processes(0)


async def wait_closed(page: aiohttp.ClientWebSocketResponse) -> tuple[int, str]:
    """Wait until the page is closed, and return the code and the reason."""
    async with asyncio.timeout(TIMEOUT):
        while (message := await page.receive()).type is not aiohttp.WSMsgType.CLOSE:
            pass
    return message.data, message.extra or ""


async def test_page_reports_that_its_process_was_killed(running: Running) -> None:
    async with browser() as user:
        page = await open_page(user, running)
        os.kill(running.page_processes()[0], signal.SIGKILL)
        assert await wait_closed(page) == (
            4000,
            "The program was killed (SIGKILL). Your session was saved up to that point.",
        )
        await running.wait_for_processes(0)
        again = await user.ws_connect(f"{running.origin}/ws", origin=running.origin)
        await running.wait_for_processes(1)
        await again.close()


async def test_reloaded_page_resumes_its_session(running: Running) -> None:
    async with browser() as user:
        page = await open_page(user, running)
        await page.send_json(["stdin", "thanks\r"])
        async with asyncio.timeout(TIMEOUT):
            while (message := await page.receive()).type is not aiohttp.WSMsgType.TEXT:
                pass
        kind, session = message.json()
        assert kind == "session"
        await page.close()
        address = f"{running.origin}/ws?width=100&height=30&session={session}"
        again = await user.ws_connect(address, origin=running.origin)
        async with asyncio.timeout(TIMEOUT):
            while (message := await again.receive()).type is not aiohttp.WSMsgType.TEXT:
                pass
        assert message.json() == ["session", session]
        await again.close()


async def test_invalid_session_id_is_ignored(running: Running) -> None:
    async with browser() as user:
        await status(user, running.address)
        page = await user.ws_connect(f"{running.origin}/ws?session=--help%20x", origin=running.origin)
        async with asyncio.timeout(TIMEOUT):
            while "Write a prompt" not in (await page.receive_bytes()).decode("utf-8", "replace"):
                pass
        await page.close()


async def test_stopping_the_server_ends_page_processes(running: Running) -> None:
    async with browser() as user:
        await open_page(user, running)
        (pid,) = running.page_processes()
        running.process.terminate()
        async with asyncio.timeout(TIMEOUT):
            assert await running.process.wait() == 0
        assert not is_running(pid)


async def test_killing_the_server_ends_page_processes(running: Running) -> None:
    async with browser() as user:
        await open_page(user, running)
        (pid,) = running.page_processes()
        os.kill(running.process.pid, signal.SIGKILL)
        await running.process.wait()
        async with asyncio.timeout(TIMEOUT):
            while is_running(pid):
                await asyncio.sleep(0.05)


def test_public_address_needs_confirmation(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["web", "--demo", "--host", "0.0.0.0"]) == 2
    assert "--allow-remote" in capsys.readouterr().err


async def test_port_in_use_error(running: Running, capsys: pytest.CaptureFixture[str]) -> None:
    port = running.origin.rpartition(":")[2]
    assert await asyncio.to_thread(main, ["web", "--demo", "--no-browser", "--port", port]) == 1
    assert port in capsys.readouterr().err
