"""Health, for the machines that watch this one: short answers, nothing secret in them.

`/health` and `/health/alive` say whether to start this process again, `/health/ready` whether to
send it requests, `/health/sink` whether to wake somebody up.
"""

from http import HTTPStatus

import psycopg
import redis
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tracker.stores import database


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


async def get_alive(request: Request) -> Response:
    """200 while this process serves; asks nobody."""
    return Response("ok")


def get_ready(request: Request) -> Response:
    """200 while requests can be answered: both servers are there, with this release's schema."""
    seen = request.app.state.oversight.overview()
    wrong = [f"{server} is away." for server in sorted(seen.away)]
    if seen.database and seen.database.schema != database.newest_revision():
        wrong.append("The database's schema is not this release's: run pintag migrate.")
    return _answer(" ".join(wrong))


def get_sink(request: Request) -> Response:
    """200 while what is accepted gets stored: a worker reports, and no hit waits for a minute."""
    wrong = request.app.state.oversight.overview().sink
    return _answer(f"{wrong.sentence} {wrong.remedy}" if wrong else "")


def _answer(wrong: str) -> Response:
    return Response(wrong or "ok", HTTPStatus.SERVICE_UNAVAILABLE if wrong else HTTPStatus.OK)


ROUTES = (
    Route("/health", get_health, methods=["GET"]),
    Route("/health/alive", get_alive, methods=["GET"]),
    Route("/health/ready", get_ready, methods=["GET"]),
    Route("/health/sink", get_sink, methods=["GET"]),
)
