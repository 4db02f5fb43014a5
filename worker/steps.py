"""The steps that every hit goes through, in this order, to exactly one outcome.

A step looks at one hit, writes down what it found, and returns a verdict when the hit ends there.
A hit that no step ended is stored. Steps are pure: they touch no store.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from tracker.rules import agents, clocks, tags
from tracker.rules.claims import Claims
from tracker.rules.claims import read as read_claims
from tracker.rules.errors import ErrorCode, FieldError
from tracker.rules.hits import MAX_TIME_MS, MAX_VISITOR, Hit, QueuedHit
from tracker.rules.ids import is_near, read_uuid7
from tracker.rules.keyspaces import Identity, Keyspace
from tracker.rules.mentions import without
from tracker.rules.outcomes import Outcome, Reason
from tracker.rules.told import ToldHit
from tracker.stores.catalog import PinnedVersion
from tracker.stores.hit_queue import NO_KEY
from worker.context import Context

SOURCE = "Website"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a hit is not stored, with everything that is wrong with it; held without a reason."""

    reason: Reason | None
    errors: list[FieldError]


class Work(msgspec.Struct, gc=False):
    """A hit on its way through the steps, with what they have found so far.

    revision: that of the rules it is judged by; agent: what is kept of the sender's; identities:
    whose it is, none where only a visitor id says it; received_ms: read once out of the stream id,
    which somebody may have chosen by hand: a time beyond all that Python and PostgreSQL can say
    becomes the last one; names_erased: it names an erased person, whom its event leaves out; bare:
    PostgreSQL refused even the quarantine's row; duplicate: it was there already, as its row was to
    be written; trial: of a hit for trying out, what it came to.
    """

    queued: QueuedHit
    revision: int
    pinned: PinnedVersion | None = None
    agent: str | None = None
    id: UUID | None = None
    hit: Hit | None = None
    data: bytes = b""
    identities: Sequence[Identity] = ()
    claims: str | None = None
    verdict: Verdict | None = None
    names_erased: bool = False
    bare: bool = False
    duplicate: bool = False
    trial: ToldHit | None = None
    received_ms: int = 0

    def __post_init__(self) -> None:
        self.received_ms = min(self.queued.received_ms, MAX_TIME_MS)

    @property
    def outcome(self) -> Outcome:
        """What becomes of the hit, unless it turns out to be a duplicate."""
        if self.verdict is None:
            return Outcome.STORED
        return self.verdict.reason.outcome if self.verdict.reason else Outcome.HELD


Step = Callable[[Work, Context], Verdict | None]


def drop_bots(work: Work, context: Context) -> Verdict | None:
    """Drop hits of bots, and of pages that a browser fetched before anybody saw them."""
    sender = work.queued.sender
    if sender.kept:
        work.agent = sender.agent or None
        return None
    agent = agents.read(sender.agent)
    work.agent = agent.kept
    return BOT if agent.is_bot or sender.prefetch else None


BOT = Verdict(Reason.BOT, [])


def find_snippet(work: Work, context: Context) -> Verdict | None:
    """Find the version that the hit's snippet is pinned to."""
    if work.queued.key == NO_KEY:
        message = "No collector appended this to the hit queue: it lacks the fields of a hit."
        return _end(Reason.MALFORMED, "", ErrorCode.MALFORMED, message)
    work.pinned = context.pinned.get(work.queued.key)
    if work.pinned is None:
        message = f"No snippet has the key {work.queued.key!r}."
        return _end(Reason.UNKNOWN_SNIPPET, "", ErrorCode.MALFORMED, message)
    return None


def drop_hidden(work: Work, context: Context) -> Verdict | None:
    """Drop hits of a definition that was hidden while they were queued."""
    assert work.pinned is not None
    return Verdict(Reason.HIDDEN, []) if work.pinned.hidden else None


def check_tag(work: Work, context: Context) -> Verdict | None:
    """Where the section wants signed tags, refuse hits from pages that it did not serve."""
    assert work.pinned is not None
    trust = context.trusts[work.pinned.section_id]
    if not trust.signed_tags:
        return None
    queued = work.queued
    error = tags.error(queued.sender.tag, trust, queued.key, work.received_ms)
    return Verdict(Reason.BAD_TAG, [error]) if error else None


HOLD = Verdict(None, [])


def hold(work: Work, context: Context) -> Verdict | None:
    """Hold hits of a version that can't be used yet: they go through all steps once it can."""
    assert work.pinned is not None
    return HOLD if work.pinned.usable_from > context.now else None


class _Head(msgspec.Struct):
    id: str = ""


_decode = msgspec.json.Decoder(Hit).decode
_decode_head = msgspec.json.Decoder(_Head).decode
_encode = msgspec.json.Encoder().encode
_ESCAPED_NUL = b"\\u0000"  # as JSON can't hold the character itself
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def decode(work: Work, context: Context) -> Verdict | None:
    """Read the hit's own parts; its data is read later, against the version."""
    try:
        hit = _decode(work.queued.raw)
    except _UNREADABLE as error:
        return _end(Reason.MALFORMED, "", ErrorCode.MALFORMED, f"This is no hit: {error}.")
    work.hit = hit
    work.id = read_uuid7(hit.id)
    errors = _shape_errors(work, hit)
    if hit.claims is not None:
        try:
            work.claims = _encode(hit.claims).decode()
        except UnicodeDecodeError as error:  # msgspec.Raw is not looked into
            errors.append(FieldError("claims", ErrorCode.MALFORMED, f"Not UTF-8: {error}."))
    return Verdict(Reason.MALFORMED, errors) if errors else None


def _shape_errors(work: Work, hit: Hit) -> list[FieldError]:
    errors = []
    if work.id is None:
        errors.append(FieldError("id", ErrorCode.BAD_FORMAT, "A hit's id must be a UUIDv7."))
    if not 0 <= hit.at <= MAX_TIME_MS:
        message = "`at` must be Unix milliseconds, up to the end of year 9999."
        errors.append(FieldError("at", ErrorCode.OUT_OF_RANGE, message))
    if hit.visitor is not None and len(hit.visitor) > MAX_VISITOR:
        message = f"A visitor id has at most {MAX_VISITOR} characters."
        errors.append(FieldError("visitor", ErrorCode.TOO_LONG, message))
    if _ESCAPED_NUL in work.queued.raw:
        for name in ("visitor", "page", "referrer"):
            if "\0" in (getattr(hit, name) or ""):
                errors.append(FieldError(name, ErrorCode.NUL, "NUL characters can't be stored."))
    return errors


def read_hit(raw: bytes) -> Hit | None:
    """The parts of a hit that ended before it was decoded; None for what is no hit."""
    try:
        return _decode(raw)
    except _UNREADABLE:
        return None


def read_id(raw: bytes) -> UUID | None:
    """The id of a hit that was not decoded, if it has one: sent again, it is known by that.

    Safe with a hit that killed a worker: the collector has looked at it in the same way.
    """
    try:
        id_ = _decode_head(raw).id
    except _UNREADABLE:
        return None
    return read_uuid7(id_)


def check_id_time(work: Work, context: Context) -> Verdict | None:
    """Refuse ids from too far away: events are kept in tables by the time in their ids.

    By the sender's own clock it may be near, though that clock is days off.
    """
    assert work.id is not None
    if is_near(work.id, work.received_ms):
        return None
    off = clocks.estimate(work.queued.sent, work.received_ms)
    if off and is_near(work.id, work.received_ms - off):
        return None
    message = (
        "The id was made more than 30 days before, or one day after, the hit's receipt,"
        " by the sender's clock, too."
    )
    return _end(Reason.ID_TIME, "id", ErrorCode.OUT_OF_RANGE, message)


NOBODYS = Verdict(Reason.NO_IDENTIFIER, [])
ERASED = Verdict(Reason.ERASED, [])


def identify(work: Work, context: Context) -> Verdict | None:
    """Find the identifiers, the event's first: without any it could be nobody's event."""
    hit, pinned = work.hit, work.pinned
    assert hit is not None
    assert pinned is not None
    if hit.claims is None and pinned.section_id not in context.erased:
        return None if hit.visitor else NOBODYS
    trust = context.trusts[pinned.section_id]
    claims = read_claims(hit.claims or {}, trust, context.prefix, work.received_ms)
    visitor = [Identity(Keyspace.WEB, hit.visitor)] if hit.visitor else []
    work.identities = [*claims.proven.values(), *visitor]
    erased = context.erased_in(pinned.section_id, work.queued.raw)
    work.names_erased = bool(erased)
    if erased.intersection(work.identities or claims.unproven.values()):
        return ERASED
    if errors := claims.errors or (not work.identities and claims.expired):
        return Verdict(Reason.BAD_CLAIM, errors)
    work.claims = _kept_claims(hit, claims, erased, context.prefix)
    return None if work.identities else NOBODYS


def _kept_claims(hit: Hit, claims: Claims, erased: set[Identity], prefix: str) -> str | None:
    """A hit's claims as the event keeps them: of proven ones the key, as a signature is a secret
    until it expires; of erased people nothing.
    """
    if hit.claims is None:
        return None
    kept = dict(hit.claims)
    for name, identity in claims.proven.items():
        kept[name] = msgspec.Raw(_encode(identity.key))
    return without(_encode(kept).decode(), erased, prefix)


def validate(work: Work, context: Context) -> Verdict | None:
    """Validate the data against the version, and fill in the source."""
    assert work.hit is not None
    assert work.pinned is not None
    result = context.validator(work.pinned).validate(bytes(work.hit.data), SOURCE)
    if isinstance(result, list):
        return Verdict(Reason.INVALID_DATA, result)
    work.data = result
    return None


STEPS: tuple[Step, ...] = (
    drop_bots,
    find_snippet,
    drop_hidden,
    check_tag,
    hold,
    decode,
    identify,
    check_id_time,
    validate,
)


def run(queued: QueuedHit, context: Context, steps: tuple[Step, ...] = STEPS) -> Work:
    """Take one hit through the steps; an exception in a step is our bug, and ends only this hit."""
    work = Work(queued, context.revision)
    take(work, context, steps)
    if context.erased:
        _drop_erased(work, context)
    return work


def take(work: Work, context: Context, steps: Sequence[Step]) -> None:
    """Take a hit through these steps, until one of them ends it."""
    verdict = None
    for step in steps:
        try:
            verdict = step(work, context)
        except Exception as error:
            verdict = internal_error(f"{step.__name__}: {error!r}")
        if verdict is not None:
            break
    work.verdict = verdict


_WHOLE = (Outcome.QUARANTINED, Outcome.HELD)


def _drop_erased(work: Work, context: Context) -> None:
    """Keep no hit whole that names an erased person: it would be a trace."""
    if work.outcome in _WHOLE and names_erased(work, context):
        work.verdict = ERASED


def names_erased(work: Work, context: Context) -> bool:
    """Whether a hit names an erased person anywhere.

    One of an unknown snippet may be of any section. If this fails, the hit's own error stands.
    """
    sections = [work.pinned.section_id] if work.pinned else context.erased
    try:
        return any(context.erased_in(section_id, work.queued.raw) for section_id in sections)
    except Exception:
        return False


def internal_error(what: str) -> Verdict:
    """The verdict on a hit that our own code failed on."""
    return _end(Reason.INTERNAL_ERROR, "", ErrorCode.MALFORMED, what)


def bury(queued: QueuedHit, context: Context) -> Work:
    """End a hit that the worker process died on, with its version: of the steps only the first."""
    work = run(queued, context, (find_snippet,))
    message = "The worker process ended while it ran this hit alone."
    work.verdict = _end(Reason.DEAD_LETTER, "", ErrorCode.MALFORMED, message)
    _drop_erased(work, context)
    return work


def refuse(work: Work, why: str) -> None:
    """End a hit that PostgreSQL would not store: as our bug, kept whole unless that is a trace."""
    work.verdict = ERASED if work.names_erased else internal_error(why)


def _end(reason: Reason, field: str, code: ErrorCode, message: str) -> Verdict:
    return Verdict(reason, [FieldError(field, code, message)])
