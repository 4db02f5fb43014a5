"""`POST /oauth/token`: an access token for a client's secret."""

import binascii
import ipaddress
from base64 import b64decode
from http import HTTPStatus
from typing import Literal
from urllib.parse import parse_qsl, unquote_plus

import msgspec

from tracker.api import tokens
from tracker.api.operations import JSON, Answer, Call, Operation
from tracker.api.problems import ProblemError
from tracker.stores import clients
from tracker.stores.clients import ApiClient

FORM = "application/x-www-form-urlencoded"
GRANT = "client_credentials"
NEVER_STORE = {"Cache-Control": "no-store"}


class TokenRequest(msgspec.Struct):
    """What a client sends for a token; OAuth clients may send id and secret as Basic instead."""

    grant_type: Literal["client_credentials"]
    client_id: str
    client_secret: str


class Token(msgspec.Struct):
    """A token, valid for `expires_in` seconds, until `exp` in Unix seconds."""

    access_token: str
    token_type: Literal["bearer"]
    expires_in: int
    exp: int


def give_token(call: Call) -> Answer:
    """A token is good for 24 hours, and for as long as its client isn't revoked."""
    wanted = _request(call)
    if wanted.get("grant_type") != GRANT:
        raise _refused("unsupported_grant_type", f"`grant_type` must be {GRANT}.")
    public_id, secret = wanted.get("client_id"), wanted.get("client_secret")
    if not isinstance(public_id, str) or not isinstance(secret, str):
        raise _refused("invalid_request", "Send `client_id` and `client_secret`, as texts.")
    client = _client(call, public_id, secret)
    if client is None:
        raise ProblemError(
            HTTPStatus.UNAUTHORIZED,
            "No client has this id and secret. Make one: pintag client create NAME.",
            headers={"WWW-Authenticate": 'Basic realm="pintag"', **NEVER_STORE},
            error="invalid_client",
        )
    token, ends = tokens.mint(call.vault, client.public_id, call.now)
    seconds = int((ends - call.now).total_seconds())
    return Answer(Token(token, "bearer", seconds, int(ends.timestamp())), headers=NEVER_STORE)


def _client(call: Call, public_id: str, secret: str) -> ApiClient | None:
    """The client, if this is its secret, after the request was counted.

    Who does not know the secret counts for their address: they must not keep the client out. Its
    160 random bits need no limit against guessing.
    """
    found = None if "\0" in public_id else clients.find(call.connection, public_id)
    client = found if found and clients.has_secret(call.connection, found, secret) else None
    call.count_token(f"client {public_id}" if client else f"address {_network(call.address)}")
    return client


def _network(address: str) -> str:
    """An address as a limit may count it: one IPv6 host has a whole /64 of them."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def _request(call: Call) -> dict[str, object]:
    """What was asked for, as JSON or as a form. Raises ProblemError."""
    try:
        if call.headers.get("content-type", "").lower().startswith(FORM):
            sent: dict[str, object] = dict(parse_qsl(call.raw.decode()))
        else:
            sent = msgspec.json.decode(call.raw, type=dict[str, object])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise _refused("invalid_request", "The body is no JSON object, and no form.") from None
    return {**sent, **_basic(call)}


def _basic(call: Call) -> dict[str, str]:
    scheme, _, encoded = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        public_id, _, secret = b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise _refused("invalid_request", "The Basic authorization can't be read.") from None
    return {"client_id": unquote_plus(public_id), "client_secret": unquote_plus(secret)}


def _refused(error: str, detail: str) -> ProblemError:
    """The codes are those of RFC 6749, section 5.2, for OAuth clients."""
    return ProblemError(HTTPStatus.BAD_REQUEST, detail, headers=NEVER_STORE, error=error)


OPERATIONS = (
    Operation(
        "POST",
        "/oauth/token",
        None,
        "Get an access token",
        give_token,
        body=TokenRequest,
        body_types=(JSON, FORM),
        reads_raw=True,
        public=True,
        answers={200: Token},
        problems={
            400: "`grant_type`, `client_id` or `client_secret` is missing or wrong.",
            401: "No client has this id and secret, or it was revoked.",
        },
    ),
)
