"""WebServer: serves the page and connects each one that is opened to a program of its own."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

import textual_serve
from aiohttp import WSCloseCode, WSMsgType, web
from textual_serve.download_manager import DownloadManager

from streamtui.web.page_process import Tab
from streamtui.web.ticket_auth import Door
from streamtui.web.widths import script

LARGEST_PASTE = 16 * 1024 * 1024
"""Bytes of a message from a page."""
FONT_SIZE = 16
FAILED = 4000
"""The code with which the socket of a page is closed if its program did not end by itself."""
_session_id = re.compile(r"[\w-]{1,100}", re.ASCII).fullmatch
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
_CLOSED = (
    "This address has been used, or is not complete. streamtui shows a new one, in the terminal where it runs, "
    "each time one is used."
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class WebServer:
    """The pages of one run of ``streamtui web``."""

    def __init__(self, arguments: Sequence[str], hosts: Sequence[str], used: Callable[[str], None]) -> None:
        """`arguments`: the program that a page shows; `hosts`: the names it may be asked by, without ports.

        `used` is called with a new ticket each time one is used.
        """
        self._arguments = arguments
        self._hosts = {host.lower() for host in hosts}
        self._used = used
        self._tabs: set[web.WebSocketResponse] = set()
        self._stopping: set[asyncio.Task[None]] = set()
        self._downloads = DownloadManager()
        self.door = Door()

    def app(self) -> web.Application:
        """Returns what aiohttp runs."""
        app = web.Application(middlewares=[self._guard])
        app.add_routes(
            [
                web.get("/", self._page),
                web.get("/ws", self._socket),
                web.get("/widths.js", self._widths),
                web.get("/{name:page\\.(css|js)}", self._file),
                web.static("/static", _STATIC),
            ]
        )
        app.on_shutdown.append(self._close_tabs)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Lets nobody in by another name (a page elsewhere whose name leads here), nor without a pass."""
        if not self._is_named(_hostname(f"//{request.host}")):
            return _refusal("This name is not one that streamtui web answers to.")
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc.lower() != request.host.lower():
            return _refusal("A page elsewhere may not use this one.")
        if ticket := request.query.get("ticket", ""):
            return self._let_in(request, ticket) if _is_visit(request) else web.Response(status=204, headers=_HEADERS)
        if not self.door.knows(request.cookies.get(_cookie(request), "")):
            return _refusal(_CLOSED)
        response = await handler(request)
        if not response.prepared:
            response.headers.update(_HEADERS)
        return response

    def _is_named(self, host: str) -> bool:
        """Whether `host` is a name of this server: no page elsewhere can make a browser say an address of digits."""
        return host in self._hosts or _is_address(host)

    def _let_in(self, request: web.Request, ticket: str) -> web.StreamResponse:
        pass_ = self.door.enter(ticket)
        if pass_ is None:
            return _refusal(_CLOSED)
        response = web.Response(status=303, headers={"Location": "/", **_HEADERS})
        response.set_cookie(_cookie(request), pass_, httponly=True, samesite="Strict", path="/")
        self._used(self.door.ticket())
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
        return web.Response(text=script(), content_type="text/javascript")

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        """Runs a program for as long as the page is open."""
        if "Origin" not in request.headers:
            return _refusal("Only a page may open this.")
        socket = web.WebSocketResponse(heartbeat=15, max_msg_size=LARGEST_PASTE)
        await socket.prepare(request)
        if self._stopping:  # after a reload: the program of the page before saves first
            await asyncio.wait(self._stopping)
        session = request.query.get("session", "")
        tab = Tab(
            self._arguments,
            write_bytes=socket.send_bytes,
            write_str=socket.send_str,
            close=_closing(socket),
            downloads=self._downloads,
            session=session if _session_id(session) else "",
        )
        self._tabs.add(socket)
        try:
            await tab.start(_number(request, "width", 80), _number(request, "height", 24))
            await _listen(socket, tab)
        finally:
            self._tabs.discard(socket)
            # Shielded: a page that is closed cancels this, and the program still has to end.
            stopping = asyncio.create_task(tab.stop())
            self._stopping.add(stopping)
            stopping.add_done_callback(self._stopping.discard)
            await asyncio.shield(stopping)
        return socket

    async def _close_tabs(self, _: web.Application) -> None:
        code, why = WSCloseCode.GOING_AWAY, b"streamtui web was stopped."
        await asyncio.gather(*(socket.close(code=code, message=why) for socket in self._tabs))


async def _listen(socket: web.WebSocketResponse, tab: Tab) -> None:
    async for message in socket:
        if message.type != WSMsgType.TEXT:
            continue
        try:
            kind, *rest = json.loads(message.data)
            await _do(socket, tab, kind, rest)
        except (ValueError, TypeError, KeyError, IndexError, RecursionError):
            continue  # not from our page: its script sends nothing else


async def _do(socket: web.WebSocketResponse, tab: Tab, kind: str, rest: Sequence[object]) -> None:
    """Does what the script of the page asks for (textual-serve 1.1's textual.js)."""
    match kind, *rest:
        case "stdin", str(text):
            await tab.send_bytes(text.encode("utf-8", "replace"))
        case "resize", {"width": int(width), "height": int(height)}:
            await tab.set_terminal_size(_sane(width), _sane(height))
        case "ping", sent:
            await socket.send_json(["pong", sent])
        case "blur", *_:
            await tab.blur()
        case "focus", *_:
            await tab.focus()


def _closing(socket: web.WebSocketResponse) -> Callable[[str], Awaitable[None]]:
    async def close(reason: str) -> None:
        await socket.close(code=FAILED if reason else WSCloseCode.OK, message=reason.encode())

    return close


def _is_visit(request: web.Request) -> bool:
    """Whether somebody wants to see the page, rather than a program to look at its address or load it in advance."""
    return request.method == "GET" and "prefetch" not in request.headers.get("Sec-Purpose", "")


def _number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, "")
    return _sane(int(text)) if text.isascii() and text.isdigit() and len(text) < 6 else default


def _sane(cells: int) -> int:
    return min(max(cells, 1), 1000)


def _hostname(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _cookie(request: web.Request) -> str:
    # Browsers send cookies to every port of a host: two servers would overwrite each other's.
    port = urlsplit(f"//{request.host}").port or (443 if request.secure else 80)
    return f"streamtui-{port}"


def _refusal(sentence: str) -> web.Response:
    return web.Response(status=403, text=sentence + "\n", headers=_HEADERS)
