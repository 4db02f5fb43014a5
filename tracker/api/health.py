"""Health, for the machines that watch this one: short answers, nothing secret in them.

`/health` and `/health/alive` say whether to start this process again, `/health/ready` whether to
send it requests, `/health/sink` whether to wake somebody up.
"""

import asyncio
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tracker.actions.overseeing import Overview
from tracker.stores import database

NEEDED = {"PostgreSQL", "Redis"}
"""By whoever answers requests; a hit queue elsewhere is not."""


async def get_health(request: Request) -> Response:
    """200 while this process serves; the body is `ok`, or says which server is away.

    Not 503: whoever watches would start the process again, which brings no server back.
    """
    away = (await _look(request)).away
    return Response(f"away: {', '.join(away)}" if away else "ok")


async def get_alive(request: Request) -> Response:
    """200 while this process serves; asks nobody."""
    return Response("ok")


async def get_ready(request: Request) -> Response:
    """200 while requests can be answered: both servers are there, with this release's schema."""
    seen = await _look(request)
    wrong = [f"{server} is away." for server in sorted(seen.away.keys() & NEEDED)]
    if seen.database and seen.database.schema != database.newest_revision():
        wrong.append("The database's schema is not this release's: run pintag migrate.")
    return _answer(" ".join(wrong))


async def get_sink(request: Request) -> Response:
    """200 while what is accepted gets stored: a worker reports, and no hit waits for a minute."""
    wrong = (await _look(request)).sink
    return _answer(f"{wrong.sentence} {wrong.remedy}" if wrong else "")


async def _look(request: Request) -> Overview:
    """Both servers, asked from a thread for probes: all that serve requests may be waiting."""
    state, loop = request.app.state, asyncio.get_running_loop()
    seen: Overview = await loop.run_in_executor(state.probing, state.oversight.overview)
    return seen


def _answer(wrong: str) -> Response:
    return Response(wrong or "ok", HTTPStatus.SERVICE_UNAVAILABLE if wrong else HTTPStatus.OK)


ROUTES = (
    Route("/health", get_health, methods=["GET"]),
    Route("/health/alive", get_alive, methods=["GET"]),
    Route("/health/ready", get_ready, methods=["GET"]),
    Route("/health/sink", get_sink, methods=["GET"]),
)
