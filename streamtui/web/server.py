"""The web server, which connects each page to a process of its own."""

import asyncio
import json
import re
import signal
import socket
import webbrowser
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

import textual_serve
from aiohttp import WSCloseCode, WSMsgType, web

# The table behind rich.cells. A page can't ask Rich for each character.
from rich._unicode_data import load
from textual_serve.download_manager import DownloadManager

from streamtui.web.page_process import PageProcess
from streamtui.web.ticket_auth import TicketAuth

MAX_MESSAGE = 16 * 1024 * 1024
"""Bytes of a WebSocket message, which limits a paste."""
FONT_SIZE = 16
UNEXPECTED_EXIT = 4000
"""The WebSocket close code after an unexpected exit of the program."""
_is_session_id = re.compile(r"[\w-]{1,100}", re.ASCII).fullmatch
_HERE = Path(__file__).parent
_STATIC = Path(textual_serve.__file__).parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript"}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
        "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_UNAUTHORIZED = (
    "This link was already used or is incomplete. Each link works for one browser. "
    "The terminal running streamtui web shows a new one."
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def run(command: Sequence[str], host: str, port: int, *, open_browser: bool) -> None:
    """Serve pages that run `command` until SIGINT or SIGTERM. Raises OSError if the port can't be used."""
    hosts = [host, "localhost", socket.gethostname()]
    server = WebServer(command, hosts, lambda ticket: _print(f"Link for another browser: {url(ticket)}"))
    runner = web.AppRunner(server.app(), access_log=None, shutdown_timeout=10)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()

        def url(ticket: str) -> str:
            name = f"[{host}]" if ":" in host else "localhost" if host in ("0.0.0.0", "") else host
            return f"http://{name}:{runner.addresses[0][1]}/?ticket={ticket}"

        first = url(server.auth.new_ticket())
        _print(f"streamtui is running at {first}\nThis link works for one browser. Press Ctrl+C to stop.")
        if open_browser:
            await asyncio.to_thread(webbrowser.open, first)
        await _wait_for_signal()
    finally:
        await runner.cleanup()


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201


async def _wait_for_signal() -> None:
    received = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # on Windows, Ctrl+C raises KeyboardInterrupt
            asyncio.get_running_loop().add_signal_handler(number, received.set)
    await received.wait()


class WebServer:
    """The pages of one `streamtui web`."""

    def __init__(self, command: Sequence[str], hosts: Sequence[str], on_ticket: Callable[[str], None]) -> None:
        """`command`: the program of each page; `hosts`: allowed Host headers beside IP addresses, without ports.

        `on_ticket` is called with a new ticket after one was used.
        """
        self._command = command
        self._hosts = {host.lower() for host in hosts}
        self._on_ticket = on_ticket
        self._sockets: set[web.WebSocketResponse] = set()
        self._stopping: set[asyncio.Task[None]] = set()
        self._downloads = DownloadManager()
        self.auth = TicketAuth()

    def app(self) -> web.Application:
        """Return the aiohttp app."""
        app = web.Application(middlewares=[self._authorize])
        app.add_routes(
            [
                web.get("/", self._page),
                web.get("/ws", self._websocket),
                web.get("/widths.js", self._widths),
                web.get("/{name:page\\.(css|js)}", self._file),
                web.static("/static", _STATIC),
            ]
        )
        app.on_shutdown.append(self._close_pages)
        return app

    @web.middleware
    async def _authorize(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Reject other hosts (DNS rebinding), other origins, and browsers without a ticket or cookie."""
        host = _hostname(request.host)
        if host not in self._hosts and not _is_ip_address(host):
            return _forbidden("This host name is not allowed. Use the link that streamtui web shows.")
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc.lower() != request.host.lower():
            return _forbidden("Requests from other websites are not allowed.")
        if ticket := request.query.get("ticket", ""):
            return self._redeem(request, ticket) if _is_visit(request) else web.Response(status=204, headers=_HEADERS)
        if not self.auth.is_valid(request.cookies.get(_cookie_name(request), "")):
            return _forbidden(_UNAUTHORIZED)
        response = await handler(request)
        if not response.prepared:
            response.headers.update(_HEADERS)
        return response

    def _redeem(self, request: web.Request, ticket: str) -> web.StreamResponse:
        cookie = self.auth.redeem(ticket)
        if cookie is None:
            return _forbidden(_UNAUTHORIZED)
        response = web.Response(status=303, headers={"Location": "/", **_HEADERS})
        response.set_cookie(_cookie_name(request), cookie, httponly=True, samesite="Strict", path="/")
        self._on_ticket(self.auth.new_ticket())
        return response

    async def _page(self, request: web.Request) -> web.StreamResponse:
        size = request.query.get("fontsize", "")
        scheme = "wss" if request.secure else "ws"
        page = Template((_HERE / "page.html").read_text(encoding="utf-8")).substitute(
            websocket=f"{scheme}://{request.host}/ws",
            font_size=size if size.isascii() and size.isdigit() and 6 <= int(size[:3]) <= 72 else FONT_SIZE,
        )
        return web.Response(text=page, content_type="text/html")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        file = _HERE / request.match_info["name"]
        return web.Response(body=file.read_bytes(), content_type=_TYPES[file.suffix], charset="utf-8")

    async def _widths(self, request: web.Request) -> web.StreamResponse:
        return web.Response(text=_cell_widths(), content_type="text/javascript")

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        """Run a program for as long as the page is open."""
        if "Origin" not in request.headers:
            return _forbidden("Only pages of streamtui web can open this connection.")
        page = web.WebSocketResponse(heartbeat=15, max_msg_size=MAX_MESSAGE)
        await page.prepare(request)
        if self._stopping:  # after a reload, the previous program saves first
            await asyncio.wait(self._stopping)
        session = request.query.get("session", "")
        process = PageProcess(
            self._command,
            write_bytes=page.send_bytes,
            write_str=page.send_str,
            close=_close_with_reason(page),
            downloads=self._downloads,
            session=session if _is_session_id(session) else "",
        )
        self._sockets.add(page)
        try:
            await process.start(_cells(request, "width", 80), _cells(request, "height", 24))
            await _handle_messages(page, process)
        finally:
            self._sockets.discard(page)
            # Shielded, because a closed page cancels this handler.
            stopping = asyncio.create_task(process.stop())
            self._stopping.add(stopping)
            stopping.add_done_callback(self._stopping.discard)
            await asyncio.shield(stopping)
        return page

    async def _close_pages(self, _: web.Application) -> None:
        code, reason = WSCloseCode.GOING_AWAY, b"streamtui web was stopped."
        await asyncio.gather(*(page.close(code=code, message=reason) for page in self._sockets))


async def _handle_messages(page: web.WebSocketResponse, process: PageProcess) -> None:
    async for message in page:
        if message.type != WSMsgType.TEXT:
            continue
        try:
            kind, *arguments = json.loads(message.data)
            await _handle(page, process, kind, arguments)
        except (ValueError, TypeError, KeyError, IndexError, RecursionError):
            continue  # not sent by our script


async def _handle(page: web.WebSocketResponse, process: PageProcess, kind: str, arguments: Sequence[object]) -> None:
    """Handle a message of textual.js (textual-serve 1.1)."""
    match kind, *arguments:
        case "stdin", str(text):
            await process.send_bytes(text.encode("utf-8", "replace"))
        case "resize", {"width": int(width), "height": int(height)}:
            await process.set_terminal_size(_clamp(width), _clamp(height))
        case "ping", data:
            await page.send_json(["pong", data])
        case "blur", *_:
            await process.blur()
        case "focus", *_:
            await process.focus()


def _close_with_reason(page: web.WebSocketResponse) -> Callable[[str], Awaitable[None]]:
    async def close(reason: str) -> None:
        await page.close(code=UNEXPECTED_EXIT if reason else WSCloseCode.OK, message=reason.encode())

    return close


@cache
def _cell_widths() -> str:
    """Return the script with Rich's table of cell widths for page.js."""
    table = load("auto")
    widths = {"ranges": table.widths, "grow": sorted(map(ord, table.narrow_to_wide))}
    return f"window.cellWidths = {json.dumps(widths, separators=(',', ':'))};\n"


def _is_visit(request: web.Request) -> bool:
    """Return whether a user opened the link, rather than a program that checks or prefetches it."""
    return request.method == "GET" and "prefetch" not in request.headers.get("Sec-Purpose", "")


def _cells(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, "")
    return _clamp(int(text)) if text.isascii() and text.isdigit() and len(text) < 6 else default


def _clamp(cells: int) -> int:
    return min(max(cells, 1), 1000)


def _hostname(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _is_ip_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _cookie_name(request: web.Request) -> str:
    # Browsers send cookies to all ports of a host, so two servers would overwrite each other's.
    port = urlsplit(f"//{request.host}").port or (443 if request.secure else 80)
    return f"streamtui-{port}"


def _forbidden(message: str) -> web.Response:
    return web.Response(status=403, text=message + "\n", headers=_HEADERS)
