"""The collector as a Starlette application: HTTP around intake.py, CORS on every answer."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import msgspec
import redis
import structlog
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from tracker.collector import encodings, pixel, senders
from tracker.collector.answers import CORS, NEVER_STORE, TAKEN, refuse
from tracker.collector.appending import Appending
from tracker.collector.bodies import read_body
from tracker.collector.connections import Connections
from tracker.collector.ending import end
from tracker.collector.group_commit import PATIENCE_SECONDS
from tracker.collector.hot_path import Door, hits_paths
from tracker.collector.intake import Intake, RefusedError
from tracker.collector.key_ring import KeyRing
from tracker.collector.pressure import Pressure
from tracker.collector.scripts import Scripts
from tracker.collector.senders import Seen
from tracker.rules.hit_rates import HitRates
from tracker.rules.refusals import Refusal
from tracker.settings import SCRIPTS_PATH, Settings
from tracker.stores import key_table
from tracker.stores.demoted import leaving_async
from tracker.stores.reporting import Reporter

TICK_SECONDS = 1.0
PREFLIGHT = {
    **CORS,
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": "86400",
}
FOR_EVER = {
    **CORS,
    "Cache-Control": "public, max-age=31536000, immutable",
    "Vary": "Accept-Encoding",
}

log = structlog.get_logger("collector")


def make_app(
    settings: Settings,
    patience: float = PATIENCE_SECONDS,
    clock: Callable[[], float] = time.time,
) -> Starlette:
    """The collector's application; it connects to Redis when it starts.

    `patience` is how many seconds a hit may wait for Redis before its sender is told to retry;
    `clock` says the Unix time.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Door]]:
        client = leaving_async(
            Redis.from_url(settings.redis_url, legacy_responses=False, socket_timeout=3)
        )
        connections = Connections(settings.connections, settings.address_connections)
        queue = Appending(settings, client, patience, connections)
        keys = KeyRing(client)
        app.state.client, app.state.keys, app.state.queue = client, keys, queue.hits
        app.state.scripts = Scripts(client)
        app.state.pressure = pressure = Pressure(queue.depth, keys, settings)
        rates = HitRates(settings.snippet_rate, settings.visitor_rate, settings.address_rate)
        app.state.intake = Intake(keys, queue, pressure, rates, time.monotonic, clock)
        await queue.start()
        await keys.refresh()
        await pressure.look()
        app.state.reporter, app.state.refused = Reporter("collector"), Counter()
        tasks = [asyncio.create_task(_tick(app)), asyncio.create_task(pressure.watch())]
        yield {"door": Door(app.state.intake, settings, connections)}
        await end(*tasks)
        await _hand_in_refusals(app)
        await app.state.reporter.leave_async(client)
        await queue.stop()
        await client.aclose()

    app = Starlette(
        routes=_routes(settings),
        lifespan=lifespan,
        exception_handlers={HTTPException: answer_no_route, Exception: answer_crash},
    )
    app.router.redirect_slashes = False
    return app


def _routes(settings: Settings) -> list[Route]:
    """At the default paths, too: what was pasted before the paths were set is never changed."""
    routes = []
    for path in hits_paths(settings):
        routes += [
            Route(f"{path}/{{key}}.gif", get_pixel, methods=["GET"]),
            Route(f"{path}/{{key}}", post_hits, methods=["POST"]),
            Route(f"{path}/{{key}}", preflight, methods=["OPTIONS"]),
        ]
    for path in dict.fromkeys((settings.scripts_path, SCRIPTS_PATH)):
        routes.append(Route(f"{path}/{{name}}.js", get_script, methods=["GET"]))
    return [
        *routes,
        Route("/health", get_health, methods=["GET"]),
        Route("/health/ready", get_health, methods=["GET"]),
        Route("/health/alive", get_alive, methods=["GET"]),
    ]


async def _tick(app: Starlette) -> None:
    """About once a second: look for a new key table, hand in the counts of refusals; report."""
    while True:
        try:
            if app.state.reporter.due():
                await _report(app)
            await asyncio.sleep(TICK_SECONDS)
            await app.state.keys.refresh()
            await _hand_in_refusals(app)
        except Exception as error:  # without this task the collector would live on the past
            log.error("tick_failed", error=repr(error))


async def _hand_in_refusals(app: Starlette) -> None:
    intake: Intake = app.state.intake
    counts = intake.refused.copy()
    if counts:
        with suppress(redis.RedisError, OSError):
            await key_table.count_refusals(app.state.client, counts)
            intake.refused -= counts
            app.state.refused += counts


async def _report(app: Starlette) -> None:
    intake: Intake = app.state.intake
    refused = app.state.refused + intake.refused
    totals = {"hits": intake.hits, "requests": intake.requests, "refused": refused.total()}
    figures = {
        "connected": int(app.state.queue.connected),
        "current": int(app.state.keys.current),
        "partitions": app.state.keys.partitions,
        "full": int(app.state.pressure.retry_after > 0),
        **{f"refused: {name}": count for name, count in refused.items()},
    }
    reporter: Reporter = app.state.reporter
    await reporter.send_async(app.state.client, reporter.report(totals, figures))


async def post_hits(request: Request) -> Response:
    """A POST to a snippet's address: 204 means that Redis has all its hits, on disk."""
    intake: Intake = request.app.state.intake
    try:
        body = await read_body(request)
        seen = _see(request, senders.parameters(request.scope["query_string"]))
        await intake.take(request.path_params["key"], seen, body)
    except RefusedError as refused:
        return refuse(refused)
    except ClientDisconnect:
        return Response(status_code=400)
    return TAKEN


async def get_pixel(request: Request) -> Response:
    """The address of a pixel: one hit in the query; the image means what 204 means."""
    if request.method == "HEAD":  # Starlette adds it to GET; asking about an image is no hit
        raise HTTPException(405, headers={"Allow": "GET"})
    intake: Intake = request.app.state.intake
    try:
        given = _pixel_parameters(request)
        now_ms = time.time_ns() // 1_000_000
        body = pixel.envelope(given, request.headers.get("referer"), now_ms)
        seen = _see(request, pixel.of_sender(given))
        await intake.take(request.path_params["key"], seen, body)
    except RefusedError as refused:
        return refuse(refused)
    return Response(pixel.GIF, media_type="image/gif", headers=NEVER_STORE)


def _pixel_parameters(request: Request) -> dict[str, str]:
    try:
        return pixel.parameters(request.scope["query_string"])
    except ValueError as error:
        intake: Intake = request.app.state.intake
        raise intake.refuse(Refusal.BAD_ENVELOPE, f"The address is no hit: {error}.") from None


def _see(request: Request, query: dict[str, str]) -> Seen:
    scope = request.scope
    client = scope["client"]
    return senders.see(dict(scope["headers"]), client[0] if client else None, query)


async def preflight(request: Request) -> Response:
    """Senders of application/json ask first; a snippet never does."""
    return Response(status_code=204, headers=PREFLIGHT)


async def get_script(request: Request) -> Response:
    """A hosted script. Its address is the hash of its content, so it never changes."""
    name, asked = request.path_params["name"], request.headers
    encoding = encodings.choose(asked.get("accept-encoding"))
    try:
        body = await request.app.state.scripts.get(name, encoding)
    except (redis.RedisError, OSError):
        body = None
    if body is None:
        return await _no_script(request)
    headers = {**FOR_EVER, "ETag": f'"{name}-{encoding}"'}
    if encodings.matches(asked.get("if-none-match"), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    if encoding != "identity":
        headers["Content-Encoding"] = encoding
    return Response(body, media_type="text/javascript", headers=headers)


async def _no_script(request: Request) -> Response:
    """404 only while the key table, and with it the list of scripts, is known to be current."""
    await request.app.state.keys.refresh()
    if request.app.state.keys.current:
        return Response(status_code=404, headers=NEVER_STORE)
    return Response(status_code=503, headers={**NEVER_STORE, "Retry-After": "1"})


def can_take_hits(app: Starlette) -> bool:
    """Whether a collector that has started knows snippets and reaches Redis."""
    return bool(app.state.keys.partitions > 0 and app.state.queue.connected)


async def get_health(request: Request) -> Response:
    """200 when the collector can take hits: it has a key table and reaches Redis.

    It takes them while PostgreSQL is away, when nobody confirms that the table is current.
    """
    await request.app.state.keys.refresh()
    ready = can_take_hits(request.app)
    status = 200 if ready else 503
    return Response("ok" if ready else "not ready", status_code=status, headers=NEVER_STORE)


async def get_alive(request: Request) -> Response:
    """200 while this process serves; for who would start it again otherwise."""
    return Response("ok", headers=NEVER_STORE)


async def answer_no_route(request: Request, error: Exception) -> Response:
    """No such path, or no such method: by browsers, too, these must be readable."""
    assert isinstance(error, HTTPException)
    reason = "method" if error.status_code == 405 else "path"
    body = msgspec.json.encode({"reason": reason, "detail": f"{error.detail}."})
    headers = {**NEVER_STORE, **(error.headers or {})}
    return Response(body, error.status_code, headers, media_type="application/json")


async def answer_crash(request: Request, error: Exception) -> Response:
    """Our bug: nothing was confirmed, so the sender keeps its hits. uvicorn logs the error."""
    body = msgspec.json.encode({"reason": "crash", "detail": "The collector failed. Try again."})
    headers = {**NEVER_STORE, "Retry-After": "1"}
    return Response(body, 500, headers, media_type="application/json")
