"""Errors of the API: `{title, status, detail, errors}`, some with more that a program can read."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import msgspec
import psycopg
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tracker.actions.merging import NoProfileError, OnlyIdentifierError
from tracker.actions.posting import KeyUsedError, TooEarlyError
from tracker.actions.refusals import (
    EditConflictError,
    ErasedError,
    HiddenError,
    InvalidDraftError,
    LockedError,
    NoSuchVersionError,
    RefusedError,
)
from tracker.json_text import dumps
from tracker.rules.edits import Changes
from tracker.rules.errors import FieldError
from tracker.snippets.tracking import TrackingError
from tracker.stores import absence
from tracker.stores.definitions import AmbiguousWordError, NameTakenError
from tracker.turns import AGAIN_SECONDS, BusyError

NO_HEADERS: Mapping[str, str] = {}


class Problem(msgspec.Struct):
    """Why a request was refused; `errors` lists all that is wrong with it, `field` by `field`."""

    title: str
    status: int
    detail: str
    errors: list[FieldError]


class EditProblem(Problem):
    """Why an edit was refused: what others changed meanwhile, and when it can be edited again.

    edits: how many there were by now, to be sent as `based_on`.
    """

    locked_until: datetime | None = None
    edits: int | None = None
    changes: Changes | None = None


class TooEarlyProblem(Problem):
    """Why the only item of a post was refused: its version is not usable yet."""

    usable_from: datetime | None = None


class ProblemError(Exception):
    """Ends a request with an error that says what to do.

    more: further members of the answer, such as `locked_until`.
    """

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        errors: Sequence[FieldError] = (),
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors
        self.headers = headers
        self.more = more


STATUS_OF: dict[type[Exception], HTTPStatus] = {
    AmbiguousWordError: HTTPStatus.CONFLICT,
    NameTakenError: HTTPStatus.CONFLICT,
    TrackingError: HTTPStatus.CONFLICT,
    HiddenError: HTTPStatus.NOT_FOUND,
    NoSuchVersionError: HTTPStatus.NOT_FOUND,
    NoProfileError: HTTPStatus.NOT_FOUND,
    OnlyIdentifierError: HTTPStatus.CONFLICT,
    ErasedError: HTTPStatus.GONE,
    KeyUsedError: HTTPStatus.UNPROCESSABLE_ENTITY,
}
"""Errors of the rules, stores and actions that a request can meet; their message is the detail."""


_UNSTORABLE = {None, "22021", "22P05"}
"""States of errors about characters; psycopg itself refuses NUL, and gives no state."""


def problem_of(error: Exception) -> ProblemError | None:
    """The problem that an error is to a client; None for a mistake of ours."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, RefusedError) and (refusal := _refusal(error)):
        return refusal
    for kind, status in STATUS_OF.items():
        if isinstance(error, kind):
            return ProblemError(status, str(error))
    if isinstance(error, BusyError):
        headers = {"Retry-After": str(AGAIN_SECONDS)}
        return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, str(error), headers=headers)
    if isinstance(error, psycopg.DataError) and error.sqlstate in _UNSTORABLE:
        detail = "A text can't be stored: take out characters that cannot be shown, such as NUL."
        return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
    if absence.away(error):
        detail = "A database is away, or busy. Nothing is wrong with the request: send it again."
        return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": "5"})
    return None


def _refusal(error: RefusedError) -> ProblemError | None:
    """Refusals that carry data."""
    if isinstance(error, InvalidDraftError):
        return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, str(error), error.errors)
    if isinstance(error, LockedError):
        return _not_yet(error, error.until, locked_until=error.until)
    if isinstance(error, TooEarlyError):
        return _not_yet(error, error.usable_from, usable_from=error.usable_from)
    if isinstance(error, EditConflictError):
        return ProblemError(
            HTTPStatus.CONFLICT,
            str(error),
            locked_until=error.until,
            edits=error.edits,
            changes=error.changes,
        )
    return None


def _not_yet(error: RefusedError, until: datetime, **more: Any) -> ProblemError:
    """A conflict that is over at a time: the same request can then be sent again."""
    seconds = max(1, math.ceil((until - datetime.now(UTC)).total_seconds()))
    headers = {"Retry-After": str(seconds)}
    return ProblemError(HTTPStatus.CONFLICT, str(error), headers=headers, **more)


def json_response(
    content: object, status: int = 200, headers: Mapping[str, str] = NO_HEADERS
) -> Response:
    """A JSON answer; times and UUIDs are written as strings, decimals as exact numbers."""
    return Response(dumps(content), status, dict(headers), media_type="application/json")


def answer(problem: ProblemError) -> Response:
    """The response that a problem is."""
    content = Problem(problem.status.phrase, problem.status, problem.detail, list(problem.errors))
    whole = {**msgspec.structs.asdict(content), **problem.more}
    return json_response(whole, problem.status, problem.headers)


async def answer_http(request: Request, error: Exception) -> Response:
    """Answer what Starlette itself refuses: unknown paths and methods."""
    assert isinstance(error, HTTPException)
    headers = error.headers or NO_HEADERS
    return answer(ProblemError(HTTPStatus(error.status_code), error.detail, headers=headers))


async def answer_crash(request: Request, error: Exception) -> Response:
    """Our bug. uvicorn logs the error."""
    detail = "The server failed. What it did, if anything, is not known: look before you retry."
    return answer(ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, detail))
