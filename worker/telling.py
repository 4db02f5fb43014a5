"""From a hit that went through the steps to what people are told of it: bounded, no traces."""

from tracker.rules.hits import Hit
from tracker.rules.keyspaces import Identity, Keyspace
from tracker.rules.outcomes import Outcome, Reason
from tracker.rules.told import MOST_ERRORS, MOST_TEXT, ToldHit, cut, text
from worker.context import Context
from worker.steps import Work, names_erased, read_hit

_UNREADABLE = (Reason.MALFORMED, Reason.INTERNAL_ERROR, Reason.DEAD_LETTER)


def told(work: Work, context: Context, outcome: Outcome) -> ToldHit:
    """What people are told of a hit; of one that names an erased person only the outcome."""
    reason = work.verdict.reason if work.verdict else None
    if reason is Reason.ERASED or (context.erased and names_erased(work, context)):
        return ToldHit(work.queued.key, work.received_ms, outcome, reason)
    errors = work.verdict.errors if work.verdict else []
    hit = work.hit
    if hit is None and reason not in _UNREADABLE:
        hit = read_hit(work.queued.raw)
    return ToldHit(
        key=work.queued.key,
        received_ms=work.received_ms,
        outcome=outcome,
        reason=reason,
        errors=cut(errors),
        more_errors=max(0, len(errors) - MOST_ERRORS),
        due_at=work.pinned.usable_from if work.pinned and outcome is Outcome.HELD else None,
        id=hit.id[:MOST_TEXT] if hit else "",
        at=hit.at if hit else None,
        whose=_whose(work, hit),
        data=_data(work, hit),
        page=hit.page[:MOST_TEXT] if hit and hit.page else None,
        agent=work.agent,
    )


def _whose(work: Work, hit: Hit | None) -> list[str]:
    visitor = hit.visitor if hit else None
    identities = work.identities or ([Identity(Keyspace.WEB, visitor)] if visitor else [])
    return [f"{one.keyspace}:{one.key}"[:MOST_TEXT] for one in identities]


def _data(work: Work, hit: Hit | None) -> str:
    """As the event would have it, else as it came: the data, or all of what is no hit."""
    sent = bytes(hit.data) if hit else work.queued.raw
    return text(work.data or sent)
