"""Claims: the identifiers that a hit names beside its visitor, and which of them are proven.

A claim is a text (unsigned), or `{"key", "expires", "signature"}`. The signature is an HMAC with
the section's signing secret, which only the section's own servers know. What is neither, or is in
no keyspace that can be claimed, is data of the event like an unsigned claim.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from tracker.rules import keyspaces, signing
from tracker.rules.errors import ErrorCode, FieldError
from tracker.rules.hits import MAX_TIME_MS
from tracker.rules.keyspaces import BadKeyError, Identity, Keyspace
from tracker.rules.signing import Secrets

PREFERENCE = (Keyspace.CRM_ID, Keyspace.EMAIL, Keyspace.MOBILE)
"""Whose event it is where several claims are proven: the first one's of these."""


class Trust(NamedTuple):
    """Whom a section believes: who has its signing secret, and its pages if it trusts them.

    signed_tags: it believes no hit whose address has no signed tag.
    """

    slug: str
    secrets: Secrets | None = None
    trusts_pages: bool = False
    signed_tags: bool = False

    def good(self, received_ms: int) -> Iterable[str]:
        """The secrets that a hit may be signed with that was received at this time."""
        return self.secrets.good(received_ms) if self.secrets else ()


class SignedClaim(msgspec.Struct):
    """A claim as a server signs it; `expires` in Unix seconds, the signature in hexadecimal."""

    key: str
    expires: int
    signature: str


@dataclass(slots=True)
class Claims:
    """What a hit's claims come to.

    proven: by preference, at most one a keyspace, with the names that they were sent under;
    unproven: claims that only say who it is, by the same; expired: among those, claims whose
    signature was good until then; errors: what is wrong with signed claims.
    """

    proven: dict[str, Identity] = field(default_factory=dict)
    unproven: dict[str, Identity] = field(default_factory=dict)
    expired: list[FieldError] = field(default_factory=list)
    errors: list[FieldError] = field(default_factory=list)


def sign(secret: str, section: str, keyspace: Keyspace, key: str, expires: int) -> str:
    """The signature of a claim on a key, as it will be sent; `section` is the section's slug."""
    return signing.signature(secret, "pintag-claim-v1", section, keyspace, expires, key)


def read(sent: Mapping[str, msgspec.Raw], trust: Trust, prefix: str, received_ms: int) -> Claims:
    """Sort a hit's claims into proven ones and others. They expire by the hit's receipt."""
    claims = Claims()
    for name, raw in sent.items():
        keyspace = keyspaces.find(name, prefix)
        claim = _decoded(raw)
        if keyspace is None or claim is None:
            continue
        if isinstance(claim, str) or keyspace is Keyspace.WEB:
            key = claim if isinstance(claim, str) else claim.key
            _take_unsigned(claims, name, keyspace, key, trust)
        else:
            _take_signed(claims, name, keyspace, claim, trust, received_ms)
    claims.proven = dict(sorted(claims.proven.items(), key=_preference))
    return claims


_decoder = msgspec.json.Decoder(str | SignedClaim)


def _decoded(raw: msgspec.Raw) -> str | SignedClaim | None:
    try:
        claim: str | SignedClaim = _decoder.decode(raw)
        return claim
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _take_unsigned(claims: Claims, name: str, keyspace: Keyspace, key: str, trust: Trust) -> None:
    try:
        identity = keyspaces.identity(keyspace, key)
    except BadKeyError:
        return
    if trust.trusts_pages and keyspace is not Keyspace.WEB:
        _take_proven(claims, name, identity)
    else:
        claims.unproven[name] = identity


def _take_signed(
    claims: Claims,
    name: str,
    keyspace: Keyspace,
    claim: SignedClaim,
    trust: Trust,
    received_ms: int,
) -> None:
    try:
        if not _is_signed(keyspace, claim, trust, received_ms):
            claims.errors.append(_error(name, ErrorCode.BAD_SIGNATURE, "It isn't the section's."))
            return
        identity = keyspaces.identity(keyspace, claim.key)
    except BadKeyError as error:
        claims.errors.append(_error(name, ErrorCode.BAD_FORMAT, str(error)))
        return
    if not 0 <= claim.expires <= MAX_TIME_MS // 1000:
        message = "`expires` is in Unix seconds, up to the end of year 9999."
        claims.errors.append(_error(name, ErrorCode.OUT_OF_RANGE, message))
    elif received_ms < claim.expires * 1000 or trust.trusts_pages:
        _take_proven(claims, name, identity)
    else:
        message = f"It expired at {claim.expires} (Unix seconds); the hit came later."
        claims.expired.append(_error(name, ErrorCode.EXPIRED, message))
        claims.unproven[name] = identity


def _is_signed(keyspace: Keyspace, claim: SignedClaim, trust: Trust, received_ms: int) -> bool:
    return any(
        signing.is_same(
            sign(secret, trust.slug, keyspace, claim.key, claim.expires), claim.signature
        )
        for secret in trust.good(received_ms)
    )


def _take_proven(claims: Claims, name: str, identity: Identity) -> None:
    """Take a claim for proven, unless another in its keyspace came before it."""
    if all(other.keyspace is not identity.keyspace for other in claims.proven.values()):
        claims.proven[name] = identity
    else:
        claims.unproven[name] = identity


def _preference(item: tuple[str, Identity]) -> int:
    return PREFERENCE.index(item[1].keyspace)


def _error(name: str, code: ErrorCode, message: str) -> FieldError:
    return FieldError(f"claims.{name}", code, message)
