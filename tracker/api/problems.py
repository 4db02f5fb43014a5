"""Errors of the API: `{title, status, detail, errors}`."""

from collections.abc import Sequence
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tracker.json_text import dumps
from tracker.rules.errors import FieldError


class ProblemError(Exception):
    """Ends a request with an error that says what to do."""

    def __init__(self, status: HTTPStatus, detail: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors


def json_response(content: object, status: int = 200) -> Response:
    """A JSON answer; times and UUIDs are written as strings, decimals as exact numbers."""
    return Response(dumps(content), status, media_type="application/json")


async def answer_problem(request: Request, error: Exception) -> Response:
    """Answer a ProblemError."""
    assert isinstance(error, ProblemError)
    errors = [{"field": e.field, "code": e.code, "message": e.message} for e in error.errors]
    return _answer(error.status, error.detail, errors)


async def answer_http(request: Request, error: Exception) -> Response:
    """Answer what Starlette itself refuses: unknown paths and methods."""
    assert isinstance(error, HTTPException)
    return _answer(HTTPStatus(error.status_code), error.detail, [])


def _answer(status: HTTPStatus, detail: str, errors: list[dict[str, str]]) -> Response:
    content = {"title": status.phrase, "status": status.value, "detail": detail, "errors": errors}
    return json_response(content, status)
