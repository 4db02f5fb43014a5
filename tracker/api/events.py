"""The API's Custom Event routes: create, list, show, web tracking and snippets."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import msgspec
import psycopg
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tracker.actions import saving
from tracker.api.access import body_of, find_definition, opened
from tracker.api.problems import ProblemError, json_response
from tracker.rules.definitions import current_version, deprecated_at
from tracker.rules.drafts import parse_draft
from tracker.snippets import tracking
from tracker.snippets.render import gzip_size
from tracker.stores import definitions
from tracker.stores.definitions import Definition


def shown(definition: Definition, now: datetime) -> dict[str, Any]:
    """A definition as API clients see it; `versions` has the current one first."""
    current = current_version(definition.versions, now)
    versions = sorted(definition.versions, key=lambda v: (v is not current, -v.number))
    return {
        "name": definition.name,
        "slug": definition.slug,
        "discriminator": definition.discriminator,
        "description": definition.description,
        "category": definition.category,
        "web_tracking": definition.web_tracking,
        "created_at": definition.created_at,
        "versions": [
            {
                "id": version.public_id,
                "number": version.number,
                "usable_from": version.usable_from,
                "deprecated_at": deprecated_at(version, versions, now),
                "fields": version.fields,
            }
            for version in versions
        ],
    }


def list_events(request: Request) -> Response:
    """`GET …/events`: the section's definitions that are not hidden."""
    now = datetime.now(UTC)
    with opened(request) as (connection, section):
        found = definitions.visible(connection, section.id)
    return json_response({"items": [shown(definition, now) for definition in found]})


def show_event(request: Request) -> Response:
    """`GET …/events/{event}`: one definition."""
    with opened(request) as (connection, section):
        definition = find_definition(connection, section, request)
    return json_response(shown(definition, datetime.now(UTC)))


async def create_event(request: Request) -> Response:
    """`POST …/events`: save a definition, or say everything that is wrong with it."""
    body = await body_of(request)
    return await run_in_threadpool(_create, request, body)


def _create(request: Request, body: bytes) -> Response:
    now = datetime.now(UTC)
    with opened(request) as (connection, section):
        draft = parse_draft(body)
        if isinstance(draft, list):
            detail = "The definition was not saved: see `errors`."
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, detail, draft)
        try:
            definition = saving.create(connection, section.id, draft, now)
        except definitions.NameTakenError:
            detail = f"{section.slug!r} has an event named {draft.name!r} already."
            raise ProblemError(HTTPStatus.CONFLICT, detail) from None
    return json_response(shown(definition, now), HTTPStatus.CREATED)


class _Switch(msgspec.Struct):
    on: bool


async def switch_tracking(request: Request) -> Response:
    """`PUT …/events/{event}/web-tracking` with `{"on": true}` or false; idempotent."""
    try:
        wanted = msgspec.json.decode(await body_of(request), type=_Switch)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise ProblemError(HTTPStatus.BAD_REQUEST, 'Send {"on": true} or {"on": false}.') from None
    return await run_in_threadpool(_switch, request, wanted.on)


def _switch(request: Request, on: bool) -> Response:
    with opened(request) as (connection, section):
        definition = find_definition(connection, section, request)
        key = _turn(connection, request, definition, on)
    return json_response({"on": on, "snippet_key": key})


def _turn(
    connection: psycopg.Connection, request: Request, definition: Definition, on: bool
) -> str | None:
    client = request.app.state.redis
    if on:
        return tracking.switch_on(connection, client, definition, datetime.now(UTC))
    tracking.switch_off(connection, client, definition)
    return None


_FORMS = ("inline", "hosted")


def show_snippet(request: Request) -> Response:
    """`GET …/events/{event}/snippet?form=inline|hosted`: the HTML to paste."""
    form = request.query_params.get("form", "inline")
    if form not in _FORMS:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "`form` is inline or hosted.")
    settings = request.app.state.settings
    with opened(request) as (connection, section):
        definition = find_definition(connection, section, request)
        try:
            now = datetime.now(UTC)
            config = tracking.snippet_config(connection, settings, definition, now)
            html = tracking.render_form(config, form)
        except tracking.TrackingError as error:
            raise ProblemError(HTTPStatus.CONFLICT, str(error)) from None
    return json_response({"form": form, "html": html, "gzip_bytes": gzip_size(html)})


_EVENTS = "/audience/sections/{section}/events"
ROUTES = [
    Route(_EVENTS, list_events, methods=["GET"]),
    Route(_EVENTS, create_event, methods=["POST"]),
    Route(_EVENTS + "/{event}", show_event, methods=["GET"]),
    Route(_EVENTS + "/{event}/web-tracking", switch_tracking, methods=["PUT"]),
    Route(_EVENTS + "/{event}/snippet", show_snippet, methods=["GET"]),
]
