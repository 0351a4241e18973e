"""The relay as an ASGI app: its paths, and what stands before them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HTTPRequest
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from streamtui import error_log
from streamtui.providers.wire_formats import WIRE_FORMATS
from streamtui.server import metrics
from streamtui.server.access_log import CLIENT_LEFT, LOG, Journal
from streamtui.server.api_errors import AsciiJSON, Refusal, nothing_at
from streamtui.server.middleware import HEALTH, METRICS, Admission, NamesChecked
from streamtui.server.passthrough import PassOn
from streamtui.server.relay import Relay
from streamtui.server.request_log import End, exchange_of
from streamtui.server.simple_chat import SimpleChat

EXPOSED = ("retry-after", "x-request-id", "openai-processing-ms")
"""Headers that scripts of a web page may read, beside those every script may."""


def create_app(relay: Relay) -> ASGIApp:
    """Returns the relay's app. What the relay has open is closed with the server."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        error_log.watch(asyncio.get_running_loop())
        yield
        await relay.aclose()

    # Its pages of documentation load scripts from another host.
    app = FastAPI(lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    _add_paths(app, relay)
    _add_refusals(app)
    return _guarded(app, relay)


def _guarded(app: ASGIApp, relay: Relay) -> ASGIApp:
    settings = relay.settings
    app = Admission(app, settings.tokens, settings.limits, relay.metrics)
    if settings.origins:
        app = CORSMiddleware(
            app,
            allow_origins=settings.origins,
            allow_methods=("GET", "POST"),
            allow_headers=("*",),
            expose_headers=EXPOSED,
            allow_private_network=True,
        )
    return Journal(NamesChecked(app, settings.hosts, settings.origins), relay.metrics)


def _add_paths(app: FastAPI, relay: Relay) -> None:
    for api, wire in WIRE_FORMATS.items():
        app.router.routes.append(Route(f"/v1{wire.path}", PassOn(relay, api), methods=["POST"]))
    app.router.routes.append(Route("/chat", SimpleChat(relay), methods=["POST"]))

    @app.get("/v1/models")
    async def models() -> JSONResponse:
        return AsciiJSON(await relay.models.listing())

    # The names of models hold slashes.
    @app.get("/v1/models/{name:path}")
    async def model(name: str) -> JSONResponse:
        return AsciiJSON(await relay.models.model(relay.router.route(name)))

    @app.api_route(HEALTH, methods=["GET", "HEAD"])
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get(METRICS)
    async def scrape() -> PlainTextResponse:
        return PlainTextResponse(relay.metrics.text(), media_type=metrics.CONTENT_TYPE)


def _add_refusals(app: FastAPI) -> None:
    @app.exception_handler(Refusal)
    async def refused(_: HTTPRequest, refusal: Refusal) -> JSONResponse:
        return refusal.response()

    @app.exception_handler(HTTPException)
    async def not_there(request: HTTPRequest, error: HTTPException) -> JSONResponse:
        return nothing_at(error.status_code, request.method, request.url.path).response()

    @app.exception_handler(ClientDisconnect)
    async def left(request: HTTPRequest, _: ClientDisconnect) -> Response:
        exchange_of(request.scope).end = End.LEFT
        return Response(status_code=CLIENT_LEFT)

    @app.exception_handler(Exception)
    async def crashed(_: HTTPRequest, error: Exception) -> JSONResponse:
        LOG.error("The relay failed over a request: this is a bug of it.", exc_info=error)
        return Refusal(500, "The relay failed: its log says how.", "internal_error").response()
