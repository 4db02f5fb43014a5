"""Which identifiers a hit or an event's claims mention, however badly they are written.

What is erased must be found in hits that no step would take, too: what can't be read as a hit is
searched for quoted texts that could be keys.
"""

import re
from collections.abc import Collection, Iterator

import msgspec

from tracker.rules import keyspaces
from tracker.rules.keyspaces import BadKeyError, Identity, Keyspace

_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
# Runs to the end of the JSON where a quote is missing, so that each byte is looked at once.
_QUOTED = re.compile(rb'"((?:[^"\\]++|\\.)*+)(?:"|\\?\Z)(\s*+:)?', re.DOTALL)


class _Claim(msgspec.Struct):
    key: str


_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_text = msgspec.json.Decoder(str).decode
_decode_visitor = msgspec.json.Decoder(str | None).decode
_decode_claim = msgspec.json.Decoder(str | _Claim).decode


def mentioned(raw: bytes, prefix: str) -> set[Identity]:
    """Who a hit's JSON names as its visitor or in its claims; `prefix` is the installation's."""
    try:
        hit = _decode_object(raw)
    except _UNREADABLE:
        return set(_anything_quoted(raw))
    return {*_visitor(hit), *_claimed(hit.get("claims"), prefix)}


def without(claims: str, erased: Collection[Identity], prefix: str) -> str | None:
    """An event's claims without those that name one of these; None where no claim is left."""
    try:
        every = _decode_object(claims)
    except _UNREADABLE:
        return None if set(_anything_quoted(claims.encode())) & set(erased) else claims
    kept = {
        name: raw
        for name, raw in every.items()
        if not any(identity in erased for identity in _claim(name, raw, prefix))
    }
    if len(kept) == len(every):
        return claims
    return msgspec.json.encode(kept).decode() if kept else None


def _visitor(hit: dict[str, msgspec.Raw]) -> Iterator[Identity]:
    raw = hit.get("visitor")
    if raw is None:
        return
    try:
        visitor = _decode_visitor(raw)
    except _UNREADABLE:
        yield from _anything_quoted(bytes(raw))
        return
    if visitor:
        yield Identity(Keyspace.WEB, visitor)


def _claimed(raw: msgspec.Raw | None, prefix: str) -> Iterator[Identity]:
    if raw is None:
        return
    try:
        claims = _decode_object(raw)
    except _UNREADABLE:
        yield from _anything_quoted(bytes(raw))
        return
    for name, claim in claims.items():
        yield from _claim(name, claim, prefix)


def _claim(name: str, raw: msgspec.Raw, prefix: str) -> Iterator[Identity]:
    """A claim in no keyspace may be of any."""
    keyspace = keyspaces.find(name, prefix)
    try:
        claim = _decode_claim(raw)
    except _UNREADABLE:
        yield from _anything_quoted(bytes(raw))
        return
    key = claim if isinstance(claim, str) else claim.key
    yield from _possible(key, [keyspace] if keyspace else list(Keyspace))


def _anything_quoted(json: bytes) -> Iterator[Identity]:
    """Every quoted text that is no property's name, as a key of any keyspace."""
    for match in _QUOTED.finditer(json):
        if match[2] is None:
            try:
                text = _decode_text(b'"%b"' % match[1])
            except _UNREADABLE:
                continue
            yield from _possible(text, list(Keyspace))


def _possible(key: str, among: Collection[Keyspace]) -> Iterator[Identity]:
    for keyspace in among:
        try:
            yield keyspaces.identity(keyspace, key)
        except BadKeyError:
            continue
