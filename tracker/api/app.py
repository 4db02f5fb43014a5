"""The web process as a Starlette application: the API, and the pages."""

import re
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import cache, partial
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tracker.actions.overseeing import Oversight
from tracker.api import (
    audience,
    erasures,
    events,
    exports,
    health,
    metrics,
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
from tracker.pages import nowhere
from tracker.pages import routes as pages
from tracker.pages.operations import Remembered
from tracker.pages.streams import Streams
from tracker.settings import Settings
from tracker.stores import database, hit_queue, queues
from tracker.stores.reporting import Background
from tracker.vault import Vault

LOOPBACK = ("127.0.0.1", "localhost", "::1")
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
OVERSIGHT_PATIENCE = 1.0
"""Seconds; a server that says nothing for so long is away, for those who watch."""
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

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.settings = settings
        app.state.vault = vault
        app.state.gate = Gate(limits)
        app.state.pool = database.open_pool(settings.database_url)
        app.state.redis = hit_queue.connect(settings.redis_url)
        app.state.streams = Streams()
        # Of its own: where requests have all others, PostgreSQL is busy, and not away.
        watching = database.open_pool(settings.database_url, size=1)
        connect = partial(watching.connection, OVERSIGHT_PATIENCE)
        asked = hit_queue.connect(settings.redis_url, OVERSIGHT_PATIENCE)
        queue = queues.connect(settings, asked, OVERSIGHT_PATIENCE)
        app.state.oversight = Oversight(connect, asked, queue)
        app.state.probing = ThreadPoolExecutor(1, "probes")
        app.state.remembered = Remembered()
        reports = Background("web", settings.redis_url, app.state.oversight.sample)
        reports.start()
        yield
        reports.stop()
        app.state.probing.shutdown()
        queue.close()
        asked.close()
        watching.close()
        app.state.redis.close()
        app.state.pool.close()

    private = settings.web_host in LOOPBACK
    # Without this a website could point its own name at 127.0.0.1 and talk to it from there.
    own = settings.web_url.partition("://")[2]
    names = [*LOOPBACK_NAMES, *([re.sub(r":\d+$", "", own)] if own else [])]
    only_own_names = Middleware(TrustedHostMiddleware, allowed_hosts=names)
    return Starlette(
        routes=[
            *health.ROUTES,
            Route("/metrics", metrics.get_metrics, methods=["GET"]),
            Route("/openapi.json", get_document, methods=["GET"]),
            *map(serving.route, OPERATIONS),
            *pages.ROUTES,
        ],
        middleware=[only_own_names] if private else [],
        exception_handlers={HTTPException: _answer_http, Exception: answer_crash},
        lifespan=lifespan,
    )


async def _answer_http(request: Request, error: Exception) -> Response:
    """What Starlette itself refuses: an unknown path is a page to people, a problem to programs."""
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.NOT_FOUND and nowhere.reads_pages(request):
        return nowhere.page()
    return await answer_http(request, error)


def get_document(request: Request) -> Response:
    """The OpenAPI document; it is no secret."""
    return Response(_document(), media_type="application/json")


@cache
def _document() -> bytes:
    return dumps(openapi.document(OPERATIONS))
