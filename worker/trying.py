"""Hits for trying out: they go through all steps, and are dropped whatever those found.

What would have become of them is a trial, which the worker publishes once their batch is committed.
"""

from tracker.rules.errors import FieldError
from tracker.rules.hits import QueuedHit
from tracker.rules.keyspaces import Identity, Keyspace
from tracker.rules.outcomes import Outcome, Reason
from tracker.stores.trials import Trial
from worker.context import Context
from worker.steps import STEPS, Step, Verdict, Work, hold, run, take
from worker.steps import bury as bury_hit

MOST_ERRORS, MOST_TEXT, MOST_DATA = 100, 500, 4_000
"""Errors of a trial, and characters of its texts: Redis holds a thousand of them in memory."""
TEST = Verdict(Reason.TEST, [])


def judge(queued: QueuedHit, context: Context, steps: tuple[Step, ...] = STEPS) -> Work:
    """Take one hit through the steps; of one for trying out, note what it came to, and drop it."""
    return _tried(run(queued, context, steps), context, steps)


def bury(queued: QueuedHit, context: Context) -> Work:
    """End a hit that the worker process died on; one for trying out is dropped, like all others.

    In quarantine a replay could store it.
    """
    return _tried(bury_hit(queued, context), context, ())


def _tried(work: Work, context: Context, steps: tuple[Step, ...]) -> Work:
    if work.queued.sender.test:
        work.trial = _trial(work, context, steps)
        work.verdict = TEST
    return work


def _trial(work: Work, context: Context, steps: tuple[Step, ...]) -> Trial:
    outcome, due_at = work.outcome, None
    if outcome is Outcome.HELD and work.pinned is not None:
        due_at = work.pinned.usable_from
        take(work, context, steps[steps.index(hold) + 1 :])
    reason = work.verdict.reason if work.verdict else None
    key, received_ms = work.queued.key, work.received_ms
    if reason is Reason.ERASED:
        return Trial(key, received_ms, outcome, reason)
    errors = work.verdict.errors if work.verdict else []
    hit = work.hit
    return Trial(
        key=key,
        received_ms=received_ms,
        outcome=outcome,
        reason=reason,
        errors=[_short(error) for error in errors[:MOST_ERRORS]],
        more_errors=max(0, len(errors) - MOST_ERRORS),
        due_at=due_at,
        id=hit.id[:MOST_TEXT] if hit else "",
        at=hit.at if hit else None,
        whose=_whose(work),
        data=_data(work),
        page=hit.page[:MOST_TEXT] if hit and hit.page else None,
        agent=work.agent,
    )


def _short(error: FieldError) -> FieldError:
    return FieldError(error.field[:MOST_TEXT], error.code, error.message[:MOST_TEXT])


def _whose(work: Work) -> list[str]:
    visitor = work.hit.visitor if work.hit else None
    identities = work.identities or ([Identity(Keyspace.WEB, visitor)] if visitor else [])
    return [f"{one.keyspace}:{one.key}"[:MOST_TEXT] for one in identities]


def _data(work: Work) -> str:
    """As the event would have it, else as it came: the data, or all of what is no hit."""
    sent = bytes(work.hit.data) if work.hit else work.queued.raw
    return (work.data or sent)[: 4 * MOST_DATA].decode(errors="replace")[:MOST_DATA]
