"""A request for each operation, which a client that may do all gets through with.

Rights and the document are tested with these: an operation without one fails the tests.
"""

from dataclasses import dataclass, field
from typing import Any

from tracker.api.app import OPERATIONS
from tracker.api.operations import Operation

FIELDS = [{"key": "source", "type": "text", "required": True}, {"key": "room", "type": "text"}]
ITEM = {"event_time": "2026-11-23T09:30:00Z", "version_id": "ver_nowhere"}
ANN = {"keyspace_discriminator": "com.pintag.keyspaces.web", "profile_key": "ann"}
ANN_MAIL = {"keyspace_discriminator": "email", "profile_key": "ann@example.com"}
VALUES = {"section": "shop", "event": "booking", "keyspace": "web", "key": "ann"}
"""What stands in the paths: the cast of conftest.py."""


@dataclass(frozen=True)
class Example:
    """path: values of parameters that are not in VALUES; status: what a client with all gets."""

    body: Any = None
    query: dict[str, str] = field(default_factory=dict)
    path: dict[str, str] = field(default_factory=dict)
    status: int = 200


_EVENTS = "/audience/sections/{section}/events"
_EVENT = _EVENTS + "/{event}"
_PROFILE = "/audience/keyspaces/{keyspace}/profiles/{key}"
EXAMPLES: dict[str, Example] = {
    "POST /oauth/token": Example({"grant_type": "client_credentials"}, status=400),
    "GET /audience/keyspaces": Example(),
    "GET /audience/sections": Example(),
    f"GET {_EVENTS}": Example(),
    f"POST {_EVENTS}": Example({"category": "signals", "name": "Vote"}, status=201),
    f"GET {_EVENT}": Example(),
    f"PATCH {_EVENT}": Example({"description": "Of a room", "based_on": 0}),
    f"POST {_EVENT}/hide": Example(status=204),
    f"PUT {_EVENT}/allowed-operations": Example({"deny": ["email:read"]}),
    f"PUT {_EVENT}/retention": Example({"ttl_days": 30}),
    f"GET {_EVENT}/diff": Example(query={"from": "1", "to": "1"}),
    f"POST {_EVENT}/check": Example({"fields": FIELDS}),
    f"GET {_EVENT}/pages": Example(),
    f"GET {_EVENT}/web-tracking": Example(),
    f"PUT {_EVENT}/web-tracking": Example({"on": True}),
    f"GET {_EVENT}/snippet": Example(),
    f"GET {_EVENT}/snippets": Example(),
    f"POST {_EVENT}/snippets/regenerate": Example({"rotate_key": True}),
    f"GET {_PROFILE}/sections/{{section}}/events": Example(),
    f"POST {_PROFILE}/sections/{{section}}/events": Example({"items": [ITEM]}, status=207),
    "PUT /audience/profiles/merges": Example({"profiles": [ANN, ANN_MAIL]}, status=204),
    "POST /audience/profiles/unmerges": Example(ANN, status=409),
    f"DELETE {_PROFILE}": Example(status=202),
    "GET /audience/erasures/{id}": Example(path={"id": "era_none"}, status=404),
    f"POST {_PROFILE}/exports": Example(status=202),
    "GET /audience/exports/{id}": Example(path={"id": "exp_none"}, status=404),
}


def url_of(operation: Operation, example: Example, **changes: str) -> str:
    """The operation's address, with the cast in its path but for what is changed."""
    return operation.path.format(**{**VALUES, **example.path, **changes})


def protected() -> list[Operation]:
    """The operations that need a token."""
    return [operation for operation in OPERATIONS if not operation.public]
