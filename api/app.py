"""The whole API, put together."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

import psycopg
from fastapi import FastAPI, Response, WebSocket
from fastapi.exceptions import WebSocketRequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from prometheus_client import REGISTRY
from psycopg_pool import PoolTimeout

from api import admin, problems, routes, streams
from api.access import Access
from api.database import Database
from api.hub import Hub
from api.measures import Champions, Measured
from api.openapi import document
from api.shield import Shield
from api.tokens import Tokens
from settings import Settings
from stack.rate import Buckets
from stream.probe import Probe
from stream.standing import LoopTurns, Standing

MIB = 1_048_576
DESCRIPTION = """What the models forecast, what came true, and what follows from it.

Times are epoch milliseconds, UTC; returns are log returns; unknown is null. Tables come in pages: give `next` back as
`cursor`, or follow the header Link. Errors are `application/problem+json`.
"""


def make_app(settings: Settings) -> FastAPI:
    """Return the application; it opens its connections when it is started."""
    database = Database(settings.database_url.get_secret_value())
    hub = Hub(settings.broker, settings.bounds, settings.api_kept_mb * MIB)
    champions = Champions(database)

    def ready() -> str | None:
        if not hub.ready.is_set():
            return "Kafka is not read"
        try:
            database.rows("SELECT 1", {})
        except (psycopg.Error, PoolTimeout):
            return "the database does not answer"
        return None

    standing = Standing(settings)
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

    app = FastAPI(
        title="Foretick",
        version=version("foretick"),
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # its page is made of scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,  # it would send a client, with its token, where the header Host says
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.database, app.state.hub = database, hub
    app.state.access = Access(
        Tokens(settings.home.resolve()),
        Buckets(settings.api_rate, settings.api_burst, time.monotonic),
        settings.api_streams,
    )
    for part in (routes, streams, admin):
        app.include_router(part.router)
    problems.handle(app)
    app.add_exception_handler(WebSocketRequestValidationError, _refuse)  # type: ignore[arg-type]
    app.add_middleware(Shield, hosts=settings.hosts)
    app.add_middleware(Measured)
    if settings.api_cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.api_cors_origins),
            allow_headers=["Authorization", "Last-Event-ID"],
            expose_headers=["Link", "Retry-After"],
        )
    app.openapi = lambda: document(app)  # type: ignore[method-assign]

    @app.get("/health", tags=["health"])
    async def health() -> dict[str, Any]:
        """Whether the API answers at all; no token is needed."""
        return {"status": "ok"}

    return app


async def _refuse(socket: WebSocket, error: WebSocketRequestValidationError) -> None:
    response: Response = problems.question(error.errors())
    await socket.send_denial_response(response)
