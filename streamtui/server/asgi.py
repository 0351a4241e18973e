"""The relay as an ASGI app."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from streamtui import error_log
from streamtui.providers.wire_formats import WIRE_FORMATS
from streamtui.server.access_log import CLIENT_CLOSED_REQUEST, LOG, AccessLog
from streamtui.server.api_errors import ApiError, AsciiJSON, url_error
from streamtui.server.metrics import CONTENT_TYPE
from streamtui.server.middleware import HEALTH, METRICS, HostCheck, TokenAuth
from streamtui.server.passthrough import Passthrough
from streamtui.server.relay import Relay
from streamtui.server.request_log import End, log_entry
from streamtui.server.simple_chat import SimpleChat

EXPOSED_HEADERS = ("retry-after", "x-request-id", "openai-processing-ms")
"""Headers that scripts on allowed web pages can read, beside those that are always readable."""


def create_app(relay: Relay) -> ASGIApp:
    """Return the relay's app, which closes `relay` when the server stops."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        error_log.watch(asyncio.get_running_loop())
        yield
        await relay.aclose()

    # No documentation pages: they load scripts from another host.
    app = FastAPI(lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    _add_routes(app, relay)
    _add_error_handlers(app)
    return _add_middleware(app, relay)


def _add_middleware(app: ASGIApp, relay: Relay) -> ASGIApp:
    settings = relay.settings
    app = TokenAuth(app, settings.tokens, settings.limits, relay.metrics)
    if settings.origins:
        app = CORSMiddleware(
            app,
            allow_origins=settings.origins,
            allow_methods=("GET", "POST"),
            allow_headers=("*",),
            expose_headers=EXPOSED_HEADERS,
            allow_private_network=True,
        )
    return AccessLog(HostCheck(app, settings.hosts, settings.origins), relay.metrics)


def _add_routes(app: FastAPI, relay: Relay) -> None:
    for api, wire in WIRE_FORMATS.items():
        app.router.routes.append(Route(f"/v1{wire.path}", Passthrough(relay, api), methods=["POST"]))
    app.router.routes.append(Route("/chat", SimpleChat(relay), methods=["POST"]))

    @app.get("/v1/models")
    async def list_models() -> JSONResponse:
        return AsciiJSON(await relay.models.combined())

    # A path, because model names contain slashes.
    @app.get("/v1/models/{name:path}")
    async def retrieve_model(name: str) -> JSONResponse:
        return AsciiJSON(await relay.models.retrieve(relay.router.route(name)))

    @app.api_route(HEALTH, methods=["GET", "HEAD"])
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get(METRICS)
    async def metrics() -> PlainTextResponse:
        return PlainTextResponse(relay.metrics.text(), media_type=CONTENT_TYPE)


def _add_error_handlers(app: FastAPI) -> None:
    @app.exception_handler(ApiError)
    async def api_error(_: Request, error: ApiError) -> Response:
        return error.response()

    @app.exception_handler(HTTPException)
    async def routing_error(request: Request, error: HTTPException) -> Response:
        return url_error(error.status_code, request.method, request.url.path).response()

    @app.exception_handler(ClientDisconnect)
    async def client_disconnect(request: Request, _: ClientDisconnect) -> Response:
        log_entry(request.scope).end = End.LEFT
        return Response(status_code=CLIENT_CLOSED_REQUEST)

    @app.exception_handler(Exception)
    async def internal_error(_: Request, error: Exception) -> Response:
        LOG.error("Internal error while handling a request. This is a bug in streamtui.", exc_info=error)
        return ApiError(500, "The relay had an internal error. See its log for details.", "internal_error").response()
