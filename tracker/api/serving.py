"""What every request to the API goes through: the one wrapper around the handlers."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import msgspec
from psycopg_pool import ConnectionPool
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tracker.api.operations import JSON, Answer, Call, Operation
from tracker.api.problems import ProblemError, answer, json_response, problem_of
from tracker.collector.bodies import read_body
from tracker.rules.errors import ErrorCode, FieldError
from tracker.rules.hits import MAX_BODY

UNPROCESSABLE = HTTPStatus.UNPROCESSABLE_ENTITY
PATIENCE = 5.0
"""Seconds that a request waits for a connection to PostgreSQL; it keeps a thread from others, and
from pages, meanwhile.
"""


def route(operation: Operation) -> Route:
    """The route of an operation. A profile's key may have slashes in it."""

    async def endpoint(request: Request) -> Response:
        try:
            body = await read_body(request)
            if len(body) > MAX_BODY:
                detail = "A body has at most 100,000 bytes: send less at a time."
                raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
            return await run_in_threadpool(_serve, operation, request, body)
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)
        except Exception as error:
            problem = problem_of(error)
            if problem is None:
                raise
            return answer(problem)

    path = operation.path.replace("{key}", "{key:path}")
    return Route(path, endpoint, methods=[operation.method], name=operation.name)


def _serve(operation: Operation, request: Request, body: bytes) -> Response:
    state = request.app.state
    with state.pool.connection(PATIENCE) as connection:
        call = Call(
            connection=connection,
            redis=state.redis,
            settings=state.settings,
            vault=state.vault,
            count_token=state.gate.count_token,
            count_key=state.gate.count_key,
            now=datetime.now(UTC),
            path=_path(request),
            headers=request.headers,
            raw=body,
            address=request.client.host if request.client else "",
        )
        if not operation.public:
            state.gate.admit(call, operation)
        if operation.query:
            call.query = _query(request, operation.query)
        if operation.body and not operation.reads_raw:
            call.body = decode_body(body, operation.body)
        result = operation.handler(call)
    return _response(result, state.pool)


def _path(request: Request) -> dict[str, str]:
    path: dict[str, str] = request.path_params
    if any("\0" in value for value in path.values()):
        raise ProblemError(HTTPStatus.NOT_FOUND, "No name has the character NUL in it.")
    return path


def _query(request: Request, shape: type[msgspec.Struct]) -> Any:
    if "\0" in "".join(request.query_params.values()):
        raise ProblemError(UNPROCESSABLE, "Take the character NUL out of the query.")
    try:
        return msgspec.convert(dict(request.query_params), shape, strict=False)
    except msgspec.ValidationError as error:
        raise _wrong("query", error) from None


def decode_body(body: bytes, shape: Any) -> Any:
    """A body as its shape. Raises ProblemError."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _wrong("body", error) from None


def _wrong(part: str, error: Exception) -> ProblemError:
    """What msgspec found first: it ends in where, such as `- at `$.items[0].data``."""
    message, _, where = str(error).partition(" - at `$")
    field = where.rstrip("`").lstrip(".")
    known = isinstance(error, msgspec.ValidationError)
    code = ErrorCode.WRONG_TYPE if known else ErrorCode.MALFORMED
    wrong = FieldError(field, code, f"{message}.")
    return ProblemError(UNPROCESSABLE, f"The {part} is not what this route takes.", [wrong])


def _response(result: Answer, pool: ConnectionPool) -> Response:
    headers = dict(result.headers)
    if result.stream:
        parts = result.stream(pool)
        return StreamingResponse(parts, result.status, headers, media_type=result.media_type)
    if result.content is None:
        return Response(status_code=result.status, headers=headers)
    if result.media_type == JSON:
        return json_response(result.content, result.status, headers)
    return Response(result.content, result.status, headers, media_type=result.media_type)
