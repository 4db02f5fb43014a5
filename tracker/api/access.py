"""Who may call the API: a bearer key opens its own section."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import psycopg
from starlette.requests import Request

from tracker.api.problems import ProblemError
from tracker.collector.bodies import read_body
from tracker.rules.hits import MAX_BODY
from tracker.stores import definitions, sections
from tracker.stores.definitions import Definition
from tracker.stores.sections import Section


@contextmanager
def opened(request: Request) -> Iterator[tuple[psycopg.Connection, Section]]:
    """A database connection and the section that the bearer key opens. Raises ProblemError."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        raise ProblemError(HTTPStatus.UNAUTHORIZED, "Send `Authorization: Bearer <API key>`.")
    with request.app.state.pool.connection() as connection:
        section = sections.section_of_api_key(connection, secret.strip())
        if section is None:
            raise ProblemError(HTTPStatus.UNAUTHORIZED, "No section has this API key.")
        if section.slug != request.path_params["section"]:
            raise ProblemError(HTTPStatus.FORBIDDEN, f"This key opens {section.slug!r} only.")
        yield connection, section


def find_definition(
    connection: psycopg.Connection, section: Section, request: Request
) -> Definition:
    """The definition that the path names, by discriminator, slug or name."""
    found = definitions.find(connection, section.id, request.path_params["event"])
    if found is None or found.hidden_at is not None:
        name = request.path_params["event"]
        raise ProblemError(HTTPStatus.NOT_FOUND, f"{section.slug!r} has no event {name!r}.")
    return found


async def body_of(request: Request) -> bytes:
    """The request's body, at most 100,000 bytes. Raises ProblemError."""
    body = await read_body(request)
    if len(body) > MAX_BODY:
        raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "At most 100,000 bytes.")
    return body
