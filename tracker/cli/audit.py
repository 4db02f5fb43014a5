"""`pintag audit`: proves that every hit has exactly one outcome, or says where not."""

import typer
from rich.console import Console

from tracker.actions import auditing
from tracker.cli.store import JsonOption, print_json
from tracker.cli.store import stores as opened
from tracker.stores import queues


def audit(as_json: JsonOption = False) -> None:
    """Prove from Redis's counts, the ledger and the rows that no hit was lost or counted twice."""
    with opened() as stores, queues.connect(stores.settings, stores.redis) as queue:
        result = auditing.audit(stores.database, stores.redis, queue)
    if as_json:
        print_json(
            {
                "balanced": not result.problems,
                "queued": result.queued,
                "states": dict(result.states),
                "reasons": {f"{s}/{r}": n for (s, r), n in result.reasons.items()},
                "refused": result.refused,
                "lost": result.lost,
                "losses": result.losses,
                "problems": result.problems,
            }
        )
    else:
        _print(result)
    if result.problems:
        raise typer.Exit(1)


def _print(result: auditing.Audit) -> None:
    console = Console(highlight=False)
    console.print(f"{result.queued:>12,}  queued")
    for state, hits in sorted(result.states.items()):
        console.print(f"{hits:>12,}  {state}")
    if result.reasons:
        heading = "All that ever came there for a reason, with what has left since:"
        console.print(heading, style="dim")
    for (state, reason), hits in sorted(result.reasons.items()):
        console.print(f"{hits:>12,}  {state} as {reason}", style="dim")
    for refusal, count in sorted(result.refused.items()):
        console.print(f"{count:>12,}  requests refused: {refusal}", style="dim")
    if result.lost:
        console.print(f"{result.lost:>12,}  hits given up by their senders, at least", style="dim")
    for loss in result.losses:
        console.print(loss, style="yellow")
    for problem in result.problems:
        console.print(problem, style="bold red")
    if not result.problems:
        console.print("The ledger balances.", style="green")
