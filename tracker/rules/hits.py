"""Protocol v1's shapes: the envelope that the collector takes, the hits that the worker reads.

docs/protocol.md is the specification. The collector looks no further into a hit than it must
to choose its partition; what is wrong inside a hit is for the worker to say.
"""

import re
import zlib

import msgspec

MAX_BODY = 100_000
MAX_HITS = 100
MAX_VISITOR = 200
MAX_TIME_MS = 253_402_300_799_999  # the end of year 9999, PostgreSQL and Python agree on it


class BadEnvelopeError(Exception):
    """The request's body is no envelope of protocol v1; the message says what is wrong."""


class Envelope(msgspec.Struct):
    """What one POST carries: `sent` in Unix ms by the sender's clock, and 1 to 100 hits."""

    hits: list[msgspec.Raw]
    sent: int = 0
    lost: int = 0


class Hit(msgspec.Struct, gc=False):
    """One hit, as far as its shape goes; `data` is JSON still to be validated."""

    id: str
    at: int
    visitor: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"{}")
    page: str | None = None
    referrer: str | None = None
    claims: dict[str, msgspec.Raw] | None = None


class _Head(msgspec.Struct):
    visitor: str | None = None
    id: str = ""
    claims: msgspec.Raw = msgspec.Raw(b"null")


class _ClaimHead(msgspec.Struct):
    key: str


class Sender(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True, gc=False):
    """What the collector saw of a request, beside its body.

    address: as much of the IP address as the section keeps; agent: the User-Agent header, or of a
    hit that was `kept` (held or in quarantine) what was kept of it; tag: the signed tag in the
    snippet's address; test: the snippet is one for trying out; prefetch: the browser fetched the
    page before anybody saw it.
    """

    address: str | None = None
    agent: str = ""
    tag: str = ""
    test: bool = False
    prefetch: bool = False
    kept: bool = False


NOBODY = Sender()


class QueuedHit(msgspec.Struct, frozen=True, gc=False):
    """One entry of the hit queue, or a hit that was held.

    stream_id: `<receipt in Unix ms>-<number>` by the clock of Redis; key: the snippet's;
    sent: the envelope's; raw: the hit's JSON as it came; held_id: of a held hit, its row;
    sender: what the collector saw of the request.
    """

    partition: int
    stream_id: str
    key: str
    sent: int
    raw: bytes
    held_id: int | None = None
    sender: Sender = NOBODY

    @property
    def received_ms(self) -> int:
        return int(self.stream_id.partition("-")[0])

    @property
    def mark(self) -> str:
        """What tells it from all other hits of its partition."""
        return self.stream_id if self.held_id is None else f"held-{self.held_id}"


_envelope = msgspec.json.Decoder(Envelope)
_head = msgspec.json.Decoder(_Head)
_claim_heads = msgspec.json.Decoder(dict[str, str | _ClaimHead] | None)
_MALFORMED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def parse_envelope(body: bytes) -> Envelope:
    """The envelope in a request's body. Raises BadEnvelopeError."""
    try:
        envelope = _envelope.decode(body)
    except _MALFORMED as error:
        envelope = _parse_mended(body, error)
    if not 1 <= len(envelope.hits) <= MAX_HITS:
        raise BadEnvelopeError(f"`hits` must hold 1 to {MAX_HITS} hits, not {len(envelope.hits)}.")
    if not 0 <= envelope.sent <= MAX_TIME_MS or envelope.lost < 0:
        raise BadEnvelopeError("`sent` (Unix milliseconds) or `lost` (a count) is out of range.")
    return envelope


def _parse_mended(body: bytes, error: Exception) -> Envelope:
    """A second try for bodies in which lone surrogates were the fault."""
    mended = replace_lone_surrogates(body)
    if mended == body:
        raise BadEnvelopeError(_why(error)) from None
    try:
        return _envelope.decode(mended)
    except _MALFORMED as second:
        raise BadEnvelopeError(_why(second)) from None


def _why(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "The JSON is nested too deeply."
    return f"The body is not an envelope of protocol v1: {error}."


# Pairs match, too, so that no half of one is taken for a lone one; other escapes don't, as a
# hostile body can hold 50,000 of them.
_SURROGATES = re.compile(
    rb"(?<!\\)((?:\\\\)*)\\u[dD]"
    rb"(?:([89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|[89a-fA-F][0-9a-fA-F]{2})"
)


def replace_lone_surrogates(json: bytes) -> bytes:
    r"""JSON in which escaped lone surrogates are `\ufffd`, as in Web IDL's USVString.

    Browsers write half an emoji that a page cut off as `\ud83d`; it is no character and no
    store takes it, yet the rest of the request should not be lost with it.
    """
    return _SURROGATES.sub(lambda m: m[0] if m[2] else m[1] + b"\\ufffd", json)


def partition_of(raw: bytes, partitions: int) -> int:
    """The partition of a hit, from which its person's other hits should not differ.

    By visitor, else by the first claim's key, else by hit id, else (a malformed hit) by its bytes.
    """
    try:
        head = _head.decode(raw)
        name = (head.visitor or _first_claimed(head.claims) or head.id).encode() or raw
    except _MALFORMED:
        name = raw
    return zlib.crc32(name) % partitions


def visitor_of(raw: bytes | memoryview) -> str:
    """A hit's visitor id, as far as it can be read; empty where there is none."""
    try:
        return _head.decode(raw).visitor or ""
    except _MALFORMED:
        return ""


def _first_claimed(claims: msgspec.Raw) -> str:
    """The key of the first claim; nothing where there is none, or they are of no known shape."""
    try:
        first = next(iter((_claim_heads.decode(claims) or {}).values()), "")
    except _MALFORMED:
        return ""
    return first if isinstance(first, str) else first.key
