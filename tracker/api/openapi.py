"""The OpenAPI 3.1 document, made from the declarations in operations.py."""

import inspect
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import msgspec

import tracker
from tracker.api.operations import JSON, Operation
from tracker.api.problems import Problem
from tracker.rules.clients import Scope

REF = "#/components/schemas/{name}"
PARAMETERS = {
    "section": "The slug of the client's section.",
    "event": "A definition's discriminator, slug or name.",
    "keyspace": "A keyspace's name or discriminator.",
    "key": "The profile's key in the keyspace; `/` in it may be sent as `%2F`.",
}
"""What the parameters of paths are; others are described by their names."""


def document(operations: Iterable[Operation]) -> dict[str, Any]:
    """The document of these operations, as plain values."""
    listed = list(operations)
    schemas = _Schemas(listed)
    paths: dict[str, dict[str, Any]] = {}
    for operation in listed:
        described = _describe(operation, schemas)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Pintag",
            "version": tracker.__version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": schemas.components, "securitySchemes": _SECURITY},
    }


_SECURITY = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "From POST /oauth/token. Scopes: "
        + " ".join(f"`{scope.value}`: {scope.meaning}" for scope in Scope),
    }
}


class _Schemas:
    """The schemas of all types that operations name, and references to them."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        types = {Problem: None}
        for operation in operations:
            named = [operation.body, operation.query, *operation.answers.values()]
            types.update({one: None for one in named if one and not isinstance(one, str)})
        found, self.components = msgspec.json.schema_components(types, ref_template=REF)
        self._by_type = dict(zip(types, found, strict=True))

    def of(self, type_: Any) -> dict[str, Any]:
        return self._by_type[type_]

    def properties(self, struct: Any) -> dict[str, Any]:
        """The properties of a struct, by name."""
        properties: dict[str, Any] = self.components[struct.__name__]["properties"]
        return properties


def _describe(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.handler.__name__,
        "summary": operation.summary,
        "description": inspect.cleandoc(operation.handler.__doc__ or ""),
        "parameters": _parameters(operation, schemas),
        "responses": _responses(operation, schemas),
        "security": _security(operation),
    }
    if operation.body:
        schema = {"schema": schemas.of(operation.body)}
        content = dict.fromkeys(operation.body_types, schema)
        described["requestBody"] = {"required": True, "content": content}
    return described


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    if operation.public:
        return []
    return [{"token": [operation.scope.value] if operation.scope else []}]


def _parameters(operation: Operation, schemas: _Schemas) -> list[dict[str, Any]]:
    parameters = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": PARAMETERS.get(name, name),
            "schema": {"type": "string", "minLength": 1},
        }
        for name in operation.parameters
    ]
    if operation.query:
        for name, schema in schemas.properties(operation.query).items():
            parameters.append({"name": name, "in": "query", "required": False, "schema": schema})
    for name, meaning in operation.headers.items():
        header = {"name": name, "in": "header", "required": False, "schema": {"type": "string"}}
        parameters.append({**header, "description": meaning})
    return parameters


def _responses(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    responses = {}
    for status, type_ in operation.answers.items():
        responses[str(int(status))] = _response(status, type_, schemas)
    problem = {"application/json": {"schema": schemas.of(Problem)}}
    for status, when in problems_of(operation).items():
        responses[str(status)] = {"description": when, "content": problem}
        if headers := _HEADERS.get(status):
            responses[str(status)]["headers"] = headers
    return dict(sorted(responses.items()))


def _response(status: int, type_: Any, schemas: _Schemas) -> dict[str, Any]:
    response: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if isinstance(type_, str):
        response["content"] = {type_: {"schema": {"type": "string"}}}
    elif type_ is not None:
        response["content"] = {JSON: {"schema": schemas.of(type_)}}
    return response


_AMBIGUOUS = "`event` is the slug of one definition and the name of another."
_TEXT = {"required": True, "schema": {"type": "string"}}
_SECONDS = {"description": "Seconds to wait.", "required": True, "schema": {"type": "string"}}
_IF_WAITING_HELPS = {"description": "Seconds, if waiting helps.", "schema": {"type": "string"}}
_HEADERS = {
    401: {"WWW-Authenticate": _TEXT},
    409: {"Retry-After": _IF_WAITING_HELPS},
    429: {"Retry-After": _SECONDS},
    503: {"Retry-After": _SECONDS},
}


def problems_of(operation: Operation) -> dict[int, str]:
    """The problems that an operation can answer, each with when: its own, and those of all."""
    general = {
        429: "Too many requests: wait as long as Retry-After says.",
        503: "A database is away or busy, or too many ask for this at once: send it again.",
    }
    general[413] = "The body has more than 100,000 bytes."
    if not operation.public:
        general[401] = "There is no token, or it has expired, or its client was revoked."
        general[403] = "The client lacks the scope, or the keyspace, or has another section."
    if operation.parameters:
        general[404] = "What the path names is not there."
    if (operation.body or operation.query or "key" in operation.parameters) and (
        not operation.public
    ):
        general[422] = "The request is not what the route takes: see `errors`."
    elif operation.parameters:
        general[422] = "A text in the path can't be read."
    told = {**general, **operation.problems}
    if "event" in operation.parameters and 409 not in operation.answers:
        told[409] = f"{told.get(409, '')} {_AMBIGUOUS}".strip()
    return told
