"""How a route of the API is declared: an Operation; its handler takes a Call, returns an Answer.

    class Renamed(msgspec.Struct):
        name: str

    def rename(call: Call) -> Answer:
        '''Shown as the description in the OpenAPI document.'''
        definition = find_definition(call)                    # 404 unless the section has it
        return Answer(renaming.rename(call.connection, definition, call.body.name, call.now))

    OPERATIONS = (
        Operation(
            "PUT", f"{EVENTS}/{{event}}/name", Scope.DEFINITIONS_WRITE, "Rename a definition",
            rename, body=Renamed, answers={200: DefinitionView}, problems={409: "It is locked."},
        ),
    )

and the area's OPERATIONS join those of app.py. From a declaration come the route, its part of the
OpenAPI document, and its place in the tests of rights, of the docs and of Schemathesis: a new
operation needs an example in tests/api/examples.py and a row in docs/api.md.

Before a handler runs, serving.py has done all that each request needs: size of the body, token,
rates, scope, `{section}` (403 unless it is the client's own), `{keyspace}` (404 where there is
none, 403 for a client without it), `{key}` (422 where its keyspace can't have it; 429), query and
body (422). A handler raises ProblemError, or an error that problems.STATUS_OF knows. It runs in a
thread, with a connection in autocommit mode.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any

import msgspec
import psycopg
import redis
from psycopg_pool import ConnectionPool

from tracker.api.problems import ProblemError
from tracker.rules.clients import Scope, seen_keyspaces
from tracker.rules.keyspaces import Identity, Keyspace
from tracker.settings import Settings
from tracker.stores import audit_log, definitions, sections
from tracker.stores.clients import ApiClient
from tracker.stores.definitions import Definition
from tracker.stores.sections import Section
from tracker.vault import Vault

JSON = "application/json"
_PARAMETER = re.compile(r"{(\w+)}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler answers: plain values and structs, as JSON; None for an empty body.

    stream: for a long answer, in place of `content`: yields bytes. It borrows a connection for each
    part, and has none while it yields: whoever reads slowly must not keep one from the others.
    media_type: for a stream, or `content` that is bytes.
    """

    content: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    stream: Callable[[ConnectionPool], Iterator[bytes]] | None = None
    media_type: str = JSON


@dataclass(slots=True)
class Call:
    """A request that may be answered.

    address: where it comes from; count_token: counts a request for a token by a name;
    count_key: counts one for a profile that the body names;
    path: the path's parameters, as sent; query, body: as the operation declares them, decoded;
    raw: the body's bytes; identity: of `{keyspace}` and `{key}`, normalised; headers: by names in
    lower case.
    """

    connection: psycopg.Connection
    redis: redis.Redis
    settings: Settings
    vault: Vault
    now: datetime
    path: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes
    address: str
    count_token: Callable[[str], None]
    count_key: Callable[["Call", Identity], None]
    query: Any = None
    body: Any = None
    _client: ApiClient | None = None
    _section: Section | None = None
    _keyspace: Keyspace | None = None
    _identity: Identity | None = None

    @property
    def client(self) -> ApiClient:
        assert self._client is not None, "a public operation has no client"
        return self._client

    @property
    def section(self) -> Section:
        """The client's own section, whether the path names it or not."""
        assert self._section is not None, "a public operation has no section"
        return self._section

    @property
    def keyspace(self) -> Keyspace:
        assert self._keyspace is not None, "the path has no {keyspace}"
        return self._keyspace

    @property
    def identity(self) -> Identity:
        assert self._identity is not None, "the path has no {keyspace} and {key}"
        return self._identity

    @property
    def keyspaces(self) -> list[Keyspace]:
        """Those that the client may see: identifiers of others are left out of every answer."""
        return seen_keyspaces(self.client)

    def note(self, action: str, subject: str) -> None:
        """Write into the audit log what the client did in its section."""
        audit_log.add(
            self.connection, f"api:{self.client.name}", action, subject, self.now, self.section.id
        )

    @property
    def prefix(self) -> str:
        """The installation's first part of discriminators."""
        return sections.installation(self.connection).prefix


Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Operation:
    """A route. `scope` None: any client may.

    answers: what a status carries: a type, None for nothing, or a media type that is not JSON;
    body, query: structs; every field of `query` has a default; headers: those it reads, each with
    its meaning; problems: statuses of its own, each with when, beside those of every operation;
    reads_raw: the handler decodes `raw` itself, and `body` is for the document only;
    public: needs no token.
    """

    method: str
    path: str
    scope: Scope | None
    summary: str
    handler: Handler
    answers: Mapping[int, Any]
    body: Any = None
    query: type[msgspec.Struct] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[int, str] = field(default_factory=dict)
    reads_raw: bool = False
    public: bool = False
    body_types: tuple[str, ...] = (JSON,)

    @property
    def parameters(self) -> list[str]:
        """The names of the path's parameters."""
        return _PARAMETER.findall(self.path)

    @property
    def name(self) -> str:
        """`METHOD path`, as the documents write it."""
        return f"{self.method} {self.path}"


def find_definition(call: Call) -> Definition:
    """The definition that `{event}` names, by discriminator, slug or name; hidden ones are gone.

    Raises AmbiguousWordError.
    """
    name = call.path["event"]
    found = definitions.find(call.connection, call.section.id, name)
    if found is None or found.hidden_at is not None:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"{call.section.slug!r} has no event {name!r}.")
    return found
