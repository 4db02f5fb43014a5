"""The quarantine of a section, or of hits of no section: groups, one hit, replays, discarding."""

from http import HTTPStatus

from starlette.responses import Response

from tracker.actions import following, quarantining, replaying
from tracker.actions.following import Followed
from tracker.actions.replaying import NotReplayableError
from tracker.pages.page import Page
from tracker.pages.visit import MissingError, Visit
from tracker.rules.accounts import Role
from tracker.rules.outcomes import Reason
from tracker.stores import jobs, quarantine
from tracker.stores.quarantine import Offered

ROOT = "/quarantine"
LARGEST_ID = 2**63 - 1


def overview(visit: Visit) -> Response:
    """`…/quarantine`: rejected hits, grouped by what is wrong with them."""
    return _overview(visit)


def _overview(visit: Visit, status: int = HTTPStatus.OK, wrong: str = "") -> Response:
    found = quarantining.overview(visit.connection, visit.section_id)
    return visit.render(
        "quarantine.html",
        status,
        overview=found,
        later=replaying.later(visit.connection, [one.pin for one in found.groups], visit.now),
        processes=visit.if_redis(lambda: jobs.processes(visit.redis)),
        wrong=wrong,
    )


def hit_page(visit: Visit) -> Response:
    """`…/quarantine/<id>`: one hit, with every error beside its field, and as it came."""
    id_ = _number(visit.path["id"])
    hit = quarantine.get(visit.connection, id_)
    if hit is None or hit.section_id != visit.section_id:
        raise MissingError(f"There is no hit {id_} in this quarantine.")
    return visit.render(
        "quarantined_hit.html",
        hit=hit,
        reason=Reason(hit.reason),  # type: ignore[call-arg]
        parts=quarantining.parts(hit),
        later=replaying.later(visit.connection, [hit.pin], visit.now),
        raw=quarantining.text(hit.raw),
    )


def replay(visit: Visit) -> Response:
    """Starts a replay, or with `dry_run` a trial of one, and shows how far it is.

    `version`: the number of a later one that the hits are to be tried against.
    """
    trial = _trial(visit)
    ids = _chosen(visit, trial)
    if not ids:
        return _nothing(visit)
    try:
        version = _version(visit, ids, trial)
    except NotReplayableError as error:
        wrong = f"Nothing was replayed. {error}"
        return _overview(visit, HTTPStatus.UNPROCESSABLE_ENTITY, wrong)
    dry_run = bool(visit.get("dry_run"))
    did = "tried a replay of quarantined hits" if dry_run else "replayed quarantined hits"
    against = f" against version {version.number}" if version else ""
    with visit.connection.transaction():  # without Redis nothing is noted, as nothing is done
        visit.note(did, f"{_many(len(ids))}{against}")
        job = replaying.replay(
            visit.redis, ids, dry_run=dry_run, version=version, section=visit.section_id
        )
    return visit.go(f"{visit.root}/jobs/{job.id}")


def _version(visit: Visit, ids: list[int], trial: Followed | None) -> Offered | None:
    """The version that a form or its dry run names, None for their own."""
    if trial:
        number = trial.version
    else:
        number = _number(visit.get("version")) if visit.get("version") else None
    return None if number is None else replaying.choose(visit.connection, ids, number, visit.now)


def discard(visit: Visit) -> Response:
    """Deletes hits for good; the page has asked."""
    ids = _chosen(visit, _trial(visit))
    if not ids:
        return _nothing(visit)
    if not visit.get("sure"):
        wrong = "Nothing was discarded: say that you are sure."
        return _overview(visit, HTTPStatus.UNPROCESSABLE_ENTITY, wrong)
    with visit.connection.transaction():
        count = quarantining.discard(visit.connection, ids)
        visit.note("discarded quarantined hits", _many(count))
    return visit.go(f"{visit.root}/quarantine", f"{_many(count)} discarded, for good.")


def _trial(visit: Visit) -> Followed | None:
    """The dry run that a form names by its `job`."""
    job = visit.get("job")
    if not job:
        return None
    return following.follow(visit.connection, visit.redis, visit.section_id, job, visit.now)


def _chosen(visit: Visit, trial: Followed | None) -> list[int]:
    """The hits of this page's that a form names: a `group`, a `hit`, or those of a dry run.

    A group is meant as it was shown: hits that came in since stay out of it.
    """
    section_id, wanted = visit.section_id, [_number(visit.get("hit"))]
    if visit.get("group"):
        up_to = _number(visit.get("up_to"))
        wanted = quarantining.hits_of_group(visit.connection, section_id, visit.get("group"), up_to)
    elif trial:
        wanted = list(trial.hits)
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


_SECTION = "/sections/{section}"
PAGES = (
    Page("GET", _SECTION + ROOT, Role.VIEWER, overview),
    Page("POST", _SECTION + ROOT + "/replay", Role.EDITOR, replay),
    Page("POST", _SECTION + ROOT + "/discard", Role.EDITOR, discard),
    Page("GET", _SECTION + ROOT + "/{id}", Role.VIEWER, hit_page),
    Page("GET", ROOT, Role.VIEWER, overview, everywhere=True),
    Page("POST", ROOT + "/replay", Role.EDITOR, replay, everywhere=True),
    Page("POST", ROOT + "/discard", Role.EDITOR, discard, everywhere=True),
    Page("GET", ROOT + "/{id}", Role.VIEWER, hit_page, everywhere=True),
)
