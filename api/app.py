"""The whole API, put together."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import psycopg
from fastapi import FastAPI, Response, WebSocket
from fastapi.exceptions import WebSocketRequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from prometheus_client import REGISTRY
from psycopg_pool import PoolTimeout

from api import admin, docs, index, problems, routes, streams
from api.access import Access
from api.database import Database
from api.hub import Hub
from api.metrics import ChampionCollector, MetricsMiddleware
from api.middleware import SecurityMiddleware
from api.openapi import document
from api.tokens import Tokens
from observability.probe import Probe
from observability.work_status import LoopTurns, WorkStatus
from settings import Settings
from settings.version import package_version
from stack.rate_limit import RateLimiter

MIB = 1_048_576
DESCRIPTION = """The models' forecasts, their outcomes, and what is derived from them.

Times are epoch milliseconds, UTC; returns are log returns; unknown is null. Tables come in pages: give `next` back as
`cursor`, or follow the header Link. Errors are `application/problem+json`; an unknown symbol is answered with 404 and
the nearest. `/v1` lists all resources.
"""


def make_app(settings: Settings) -> FastAPI:
    """Return the application; it opens its connections when it is started."""
    database = Database(settings.database_url.get_secret_value())
    hub = Hub(settings.broker, settings.bounds, settings.api_kept_mb * MIB)
    app = FastAPI(
        title="Foretick",
        version=package_version(),
        description=DESCRIPTION,
        lifespan=_lifespan(settings, database, hub),
        docs_url=None,  # its page loads scripts from other sites: api/docs.py has one without
        redoc_url=None,
        redirect_slashes=False,  # it would redirect a client, with its token, to the address in the header Host
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.database, app.state.hub = database, hub
    app.state.access = Access(
        Tokens(settings.home.resolve()),
        RateLimiter(settings.api_rate, settings.api_burst, time.monotonic),
        settings.api_streams,
    )
    for part in (index, routes, streams, admin, docs):
        app.include_router(part.router)
    problems.handle(app)
    app.add_exception_handler(WebSocketRequestValidationError, _refuse)  # type: ignore[arg-type] # a handler takes the exception it is registered for, not any
    app.add_middleware(SecurityMiddleware, hosts=settings.hosts)
    app.add_middleware(MetricsMiddleware)
    if settings.api_cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.api_cors_origins),
            allow_headers=["Authorization", "Last-Event-ID"],
            expose_headers=["Link", "Retry-After"],
        )
    app.openapi = lambda: document(app)  # type: ignore[method-assign] # FastAPI's own way to replace the document

    @app.get("/health", tags=["health"])
    async def health() -> dict[str, Any]:
        """Whether the API answers; no token is needed."""
        return {"status": "ok"}

    return app


def _lifespan(
    settings: Settings, database: Database, hub: Hub
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Return what opens the connections at the start, tells of the API's condition, and closes them at the end."""
    champions = ChampionCollector(database)

    def ready() -> str | None:
        if not hub.ready.is_set():
            return "Kafka is not read"
        try:
            database.rows("SELECT 1", {})
        except (psycopg.Error, PoolTimeout):
            return "the database does not answer"
        return None

    standing = WorkStatus(settings)
    standing.problem = ready

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        database.open()
        hub.start()
        standing.follow(LoopTurns(asyncio.get_running_loop()))
        probe = Probe("api", standing.condition)
        REGISTRY.register(champions)
        probe.start(settings)
        yield
        probe.stop()
        REGISTRY.unregister(champions)
        await hub.stop()
        database.close()

    return lifespan


async def _refuse(socket: WebSocket, error: WebSocketRequestValidationError) -> None:
    response: Response = problems.invalid_query(error.errors())
    await socket.send_denial_response(response)
