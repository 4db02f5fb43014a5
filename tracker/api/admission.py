"""Whether a request may go on: token, rates, scope, section, keyspace and key."""

import time
from dataclasses import dataclass
from http import HTTPStatus
from threading import Lock

from tracker.api import tokens
from tracker.api.operations import Call, Operation
from tracker.api.problems import ProblemError
from tracker.rules import keyspaces
from tracker.rules.clients import may, may_address
from tracker.rules.errors import ErrorCode, FieldError
from tracker.rules.keyspaces import Identity, Keyspace
from tracker.rules.rates import AtMost
from tracker.stores import clients, sections


@dataclass(frozen=True, slots=True)
class Limits:
    """How often each may ask; 429 beyond that. They are counted by each web process."""

    client_per_second: int = 100
    key_per_second: int = 10
    tokens_per_minute: int = 10


class Gate:
    """Lets requests through, and counts them. Its methods run in several threads."""

    def __init__(self, limits: Limits) -> None:
        self._clients = AtMost(limits.client_per_second, 1)
        self._keys = AtMost(limits.key_per_second, 1)
        self._tokens = AtMost(limits.tokens_per_minute, 60)
        self._lock = Lock()

    def admit(self, call: Call, operation: Operation) -> None:
        """Fill in who calls and whom the path names. Raises ProblemError."""
        client = call._client = _client(call)
        self._take(self._clients, client.public_id, "this client")
        section = call._section = sections.of_id(call.connection, client.section_id)
        if operation.scope and not may(client, operation.scope):
            detail = f"This client has no scope {operation.scope.value!r}."
            raise ProblemError(HTTPStatus.FORBIDDEN, detail)
        if call.path.get("section", section.slug) != section.slug:
            raise ProblemError(HTTPStatus.FORBIDDEN, f"This client opens {section.slug!r} only.")
        if "keyspace" in call.path:
            self._address(call)

    def count_token(self, name: str) -> None:
        """Count a request for a token, by client id or address. Raises ProblemError."""
        self._take(self._tokens, name, "tokens")

    def count_key(self, call: Call, identity: Identity) -> None:
        """Count a request for a profile, whether path or body names it. Raises ProblemError."""
        name = f"{call.section.id} {identity.keyspace} {identity.key}"
        self._take(self._keys, name, "this profile key")

    def _address(self, call: Call) -> None:
        name = call.path["keyspace"]
        keyspace = call._keyspace = keyspaces.find(name, call.prefix)
        if keyspace is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, f"There is no keyspace {name!r}.")
        check_address(call.client, keyspace)
        if "key" in call.path:
            try:
                call._identity = keyspaces.identity(keyspace, call.path["key"])
            except keyspaces.BadKeyError as error:
                wrong = FieldError("key", ErrorCode.BAD_FORMAT, str(error))
                status = HTTPStatus.UNPROCESSABLE_ENTITY
                raise ProblemError(status, "The path's key is none.", [wrong]) from None
            self.count_key(call, call._identity)

    def _take(self, rates: AtMost, name: str, what: str) -> None:
        with self._lock:
            wait = rates.take(name, time.monotonic())
        if wait:
            detail = f"Too many requests for {what}: try again in {wait} s."
            headers = {"Retry-After": str(wait)}
            raise ProblemError(HTTPStatus.TOO_MANY_REQUESTS, detail, headers=headers)


def check_address(client: clients.ApiClient, keyspace: Keyspace) -> None:
    """See that a client may address profiles by a keyspace. Raises ProblemError."""
    if not may_address(client, keyspace):
        detail = f"This client may not address profiles by {keyspace.value!r}."
        raise ProblemError(HTTPStatus.FORBIDDEN, detail)


def _client(call: Call) -> clients.ApiClient:
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise _unauthorized("Send `Authorization: Bearer <token>`, a token of POST /oauth/token.")
    try:
        public_id = tokens.client_id_of(call.vault, token.strip(), call.now)
    except tokens.BadTokenError as error:
        raise _unauthorized(str(error), 'error="invalid_token"') from None
    client = clients.find(call.connection, public_id)
    if client is None:
        raise _unauthorized("The client was revoked.", 'error="invalid_token"')
    return client


def _unauthorized(detail: str, more: str = 'realm="pintag"') -> ProblemError:
    headers = {"WWW-Authenticate": f"Bearer {more}"}
    return ProblemError(HTTPStatus.UNAUTHORIZED, detail, headers=headers)
