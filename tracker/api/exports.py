"""The API's exports: all that a client may see of a profile, as NDJSON made by a job."""

from collections.abc import Iterator
from http import HTTPStatus

import msgspec
from psycopg_pool import ConnectionPool

from tracker.actions import exporting
from tracker.actions.exporting import TooManyExportsError
from tracker.api.operations import Answer, Call, Operation
from tracker.api.problems import ProblemError
from tracker.rules.clients import Scope
from tracker.stores import exports

NDJSON = "application/x-ndjson"
RETRY_SECONDS, BUSY_SECONDS = 2, 10
"""After which an export may be ready, and after which fewer may wait."""


class ExportView(msgspec.Struct):
    """An export that was asked for."""

    id: str


def export_profile(call: Call) -> Answer:
    """As far as the client's timelines of it show. Then ask for the export until it is ready."""
    try:
        asked = exporting.ask(
            call.connection,
            call.redis,
            call.section.id,
            call.identity,
            call.now,
            call.client.id,
            note=lambda id_: call.note("exported a profile", id_),
        )
    except TooManyExportsError as error:
        headers = {"Retry-After": str(BUSY_SECONDS)}
        status = HTTPStatus.TOO_MANY_REQUESTS
        raise ProblemError(status, str(error), headers=headers) from None
    if asked is None:
        keyspace, key = call.identity
        raise ProblemError(HTTPStatus.NOT_FOUND, f"No profile has the {keyspace} {key!r}.")
    return Answer(ExportView(asked.id), HTTPStatus.ACCEPTED)


def fetch_export(call: Call) -> Answer:
    """Lines of JSON, each with a `type`: profile, identifier, event (the newest first), merge.

    404 until it is ready: `Retry-After` says when to ask again. Only the client that asked for it
    gets it.
    """
    id_ = call.path["id"]
    found = exports.get(call.connection, id_)
    if found is None or found.client_id != call.client.id:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"There is no export {id_!r} of this client's.")
    if found.is_gone(call.now):
        detail = "It was kept for 24 hours, or the person was erased: ask for a new one."
        raise ProblemError(HTTPStatus.GONE, detail)
    if found.ready_at is None:
        headers = {"Retry-After": str(RETRY_SECONDS)}
        detail = f"It is not ready yet: ask again in {RETRY_SECONDS} s."
        raise ProblemError(HTTPStatus.NOT_FOUND, detail, headers=headers)

    def stream(pool: ConnectionPool) -> Iterator[bytes]:
        # If it ends meanwhile the answer breaks off, so that nobody takes it for the whole.
        for part in exports.parts(pool.connection, id_):
            yield part.encode()

    return Answer(stream=stream, media_type=NDJSON)


OPERATIONS = (
    Operation(
        "POST",
        "/audience/keyspaces/{keyspace}/profiles/{key}/exports",
        Scope.PROFILES_EXPORT,
        "Export a profile",
        export_profile,
        answers={202: ExportView},
    ),
    Operation(
        "GET",
        "/audience/exports/{id}",
        Scope.PROFILES_EXPORT,
        "Fetch an export",
        fetch_export,
        answers={200: NDJSON},
        problems={
            404: "It is not ready, and then there is a Retry-After; or there is no such export.",
            410: "Its 24 hours are over, or the person was erased.",
        },
    ),
)
