"""The web process as a Starlette application: the API, and the pages."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import redis
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tracker.api import (
    audience,
    erasures,
    events,
    exports,
    oauth,
    openapi,
    profiles,
    serving,
    snippets,
    versions,
)
from tracker.api.admission import Gate, Limits
from tracker.api.operations import Operation
from tracker.api.problems import answer_crash, answer_http
from tracker.json_text import dumps
from tracker.pages import routes as pages
from tracker.settings import Settings
from tracker.stores import database, hit_queue
from tracker.vault import Vault

LOOPBACK = ("127.0.0.1", "localhost", "::1")
LOOPBACK_NAMES = ["127.0.0.1", "localhost", "[::1]"]
OPERATIONS: tuple[Operation, ...] = (
    *oauth.OPERATIONS,
    *audience.OPERATIONS,
    *events.OPERATIONS,
    *versions.OPERATIONS,
    *snippets.OPERATIONS,
    *profiles.OPERATIONS,
    *erasures.OPERATIONS,
    *exports.OPERATIONS,
)
"""The API's routes. Where two paths fit, the first one serves."""


def make_app(settings: Settings, limits: Limits = Limits()) -> Starlette:  # noqa: B008
    """The web process's application; it connects to PostgreSQL and Redis when it starts.

    Raises SettingsError where there is no secret key.
    """
    vault = Vault(settings)
    document = dumps(openapi.document(OPERATIONS))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.settings = settings
        app.state.vault = vault
        app.state.gate = Gate(limits)
        app.state.pool = database.open_pool(settings.database_url)
        app.state.redis = hit_queue.connect(settings.redis_url)
        yield
        app.state.redis.close()
        app.state.pool.close()

    def get_document(request: Request) -> Response:
        """The OpenAPI document; it is no secret."""
        return Response(document, media_type="application/json")

    private = settings.web_host in LOOPBACK
    # Without this a website could point its own name at 127.0.0.1 and talk to it from there.
    only_loopback = Middleware(TrustedHostMiddleware, allowed_hosts=LOOPBACK_NAMES)
    return Starlette(
        routes=[
            Route("/health", get_health, methods=["GET"]),
            Route("/openapi.json", get_document, methods=["GET"]),
            *map(serving.route, OPERATIONS),
            *pages.ROUTES,
        ],
        middleware=[only_loopback] if private else [],
        exception_handlers={HTTPException: answer_http, Exception: answer_crash},
        lifespan=lifespan,
    )


def get_health(request: Request) -> Response:
    """200 while this process serves; the body is `ok`, or says which server is away.

    Not 503: whoever watches would start the process again, which brings no server back.
    """
    away = []
    try:
        # Half the patience of the probe of `pintag up`.
        with request.app.state.pool.connection(timeout=1) as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError:
        away.append("PostgreSQL")
    try:
        request.app.state.redis.ping()
    except redis.RedisError:
        away.append("Redis")
    return Response(f"away: {', '.join(away)}" if away else "ok")
