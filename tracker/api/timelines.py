"""The API's profile routes: a profile's timeline."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tracker.api.access import opened
from tracker.api.problems import ProblemError, json_response
from tracker.stores import profiles


def show_timeline(request: Request) -> Response:
    """`GET …/profiles/{key}/sections/{section}/events`: identifiers and newest events."""
    keyspace, key = request.path_params["keyspace"], request.path_params["key"]
    with opened(request) as (connection, section):
        profile = profiles.find(connection, section.id, keyspace, key)
    if profile is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"No profile has the {keyspace} {key!r}.")
    return json_response(
        {
            "identifiers": profile.identifiers,
            "items": profile.events,
        }
    )


ROUTES = [
    Route(
        "/audience/keyspaces/{keyspace}/profiles/{key:path}/sections/{section}/events",
        show_timeline,
        methods=["GET"],
    ),
]
