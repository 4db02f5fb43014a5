"""The quarantine of a section: groups, one hit whole, replays and discarding."""

from http import HTTPStatus

from starlette.responses import Response

from tracker.actions import following, quarantining
from tracker.pages.page import Page
from tracker.pages.visit import MissingError, Visit
from tracker.rules.accounts import Role
from tracker.rules.outcomes import Reason
from tracker.stores import jobs, quarantine

ROOT = "/sections/{section}/quarantine"
LARGEST_ID = 2**63 - 1


def overview(visit: Visit) -> Response:
    """`…/quarantine`: the section's rejected hits, grouped by what is wrong with them."""
    return _overview(visit)


def _overview(visit: Visit, status: int = HTTPStatus.OK, wrong: str = "") -> Response:
    return visit.render(
        "quarantine.html",
        status,
        overview=quarantining.overview(visit.connection, visit.section.id),
        processes=visit.if_redis(lambda: jobs.processes(visit.redis)),
        wrong=wrong,
    )


def hit_page(visit: Visit) -> Response:
    """`…/quarantine/<id>`: one hit, with every error beside its field, and as it came."""
    id_ = _number(visit.path["id"])
    hit = quarantine.get(visit.connection, id_)
    if hit is None or hit.section_id != visit.section.id:
        raise MissingError(f"There is no hit {id_} in quarantine of this section.")
    return visit.render(
        "quarantined_hit.html",
        hit=hit,
        reason=Reason(hit.reason),  # type: ignore[call-arg]
        parts=quarantining.parts(hit),
        raw=quarantining.text(hit.raw),
    )


def replay(visit: Visit) -> Response:
    """Starts a replay, or with `dry_run` a trial of one, and shows how far it is."""
    ids = _chosen(visit)
    if not ids:
        return _nothing(visit)
    dry_run = bool(visit.get("dry_run"))
    did = "tried a replay of quarantined hits" if dry_run else "replayed quarantined hits"
    with visit.connection.transaction():  # without Redis nothing is noted, as nothing is done
        visit.note(did, _many(len(ids)))
        job = quarantining.replay(visit.redis, visit.section.id, ids, dry_run=dry_run)
    return visit.go(f"{visit.root}/jobs/{job}")


def discard(visit: Visit) -> Response:
    """Deletes hits for good; the page has asked."""
    ids = _chosen(visit)
    if not ids:
        return _nothing(visit)
    if not visit.get("sure"):
        wrong = "Nothing was discarded: say that you are sure."
        return _overview(visit, HTTPStatus.UNPROCESSABLE_ENTITY, wrong)
    with visit.connection.transaction():
        count = quarantining.discard(visit.connection, ids)
        visit.note("discarded quarantined hits", _many(count))
    return visit.go(f"{visit.root}/quarantine", f"{_many(count)} discarded, for good.")


def _chosen(visit: Visit) -> list[int]:
    """The section's hits that a form names: a `group`, a `hit`, or those of a dry run's `job`.

    A group is meant as it was shown: hits that came in since stay out of it.
    """
    section_id, wanted = visit.section.id, [_number(visit.get("hit"))]
    if visit.get("group"):
        up_to = _number(visit.get("up_to"))
        wanted = quarantining.hits_of_group(visit.connection, section_id, visit.get("group"), up_to)
    elif visit.get("job"):
        job = following.follow(
            visit.connection, visit.redis, section_id, visit.get("job"), visit.now
        )
        wanted = list(job.hits) if job else []
    return quarantine.of_section(visit.connection, section_id, wanted)


def _nothing(visit: Visit) -> Response:
    """Somebody else was quicker."""
    wrong = "These hits are not in quarantine any more."
    return _overview(visit, HTTPStatus.UNPROCESSABLE_ENTITY, wrong)


def _number(text: str) -> int:
    """The id that a text names, 0 if none: ids begin at 1."""
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0
    return number if number <= LARGEST_ID else 0


def _many(count: int) -> str:
    return f"{count:,} hit" if count == 1 else f"{count:,} hits"


PAGES = (
    Page("GET", ROOT, Role.VIEWER, overview),
    Page("POST", ROOT + "/replay", Role.EDITOR, replay),
    Page("POST", ROOT + "/discard", Role.EDITOR, discard),
    Page("GET", ROOT + "/{id}", Role.VIEWER, hit_page),
)
