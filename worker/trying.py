"""Hits for trying out: they go through all steps, and are dropped whatever those found.

What would have become of them is a trial, which the worker publishes once their batch is committed.
"""

from tracker.rules.hits import QueuedHit
from tracker.rules.outcomes import Outcome, Reason
from tracker.rules.told import ToldHit
from worker.context import Context
from worker.steps import STEPS, Step, Verdict, Work, hold, run, take
from worker.steps import bury as bury_hit
from worker.telling import told

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


def _trial(work: Work, context: Context, steps: tuple[Step, ...]) -> ToldHit:
    outcome = work.outcome
    if outcome is Outcome.HELD:
        take(work, context, steps[steps.index(hold) + 1 :])
    return told(work, context, outcome)
