"""What an owner does with a profile: exports it, or erases it with every trace."""

from collections.abc import Callable
from http import HTTPStatus

import redis
from rq.job import Job
from starlette.responses import Response

from tracker.actions import erasing, exporting
from tracker.actions.exporting import TooManyExportsError
from tracker.pages import profiles
from tracker.pages.page import Page
from tracker.pages.visit import Visit
from tracker.rules.accounts import Role


def export(visit: Visit) -> Response:
    """Starts an export of all that is known of a person; shows how far it is."""
    identity = profiles.identity_of(visit)
    try:
        with visit.connection.transaction():
            id_ = exporting.write_down(
                visit.connection, visit.section.id, identity, visit.now, account_id=visit.who.id
            )
            if id_ is None:
                raise profiles.nobody(visit)
            # The log never says whom: it stays when they are erased.
            visit.note("exported a profile", id_)
    except TooManyExportsError as error:
        return profiles.shown(visit, HTTPStatus.TOO_MANY_REQUESTS, refused=str(error))
    return _begin(visit, exporting.enqueue, id_)


def erase(visit: Visit) -> Response:
    """Starts the erasure of a person, whose key must have been typed; shows how far it is."""
    identity = profiles.identity_of(visit)
    if _as_seen(visit.get("typed")) not in map(_as_seen, (profiles.key_of(visit), identity.key)):
        wrong = "This is not the key. Nothing was erased."
        return profiles.shown(
            visit, HTTPStatus.UNPROCESSABLE_ENTITY, typed=visit.get("typed"), wrong=wrong
        )
    with visit.connection.transaction():
        id_ = erasing.write_down(visit.connection, visit.section.id, identity, visit.now)
        if id_ is None:
            raise profiles.nobody(visit)
        visit.note("erased a profile", id_)
    return _begin(visit, erasing.enqueue, id_)


def _as_seen(key: str) -> str:
    """A key as a browser shows it, which is how it is typed: visitor ids may have any spaces."""
    return " ".join(key.split())


def _begin(visit: Visit, enqueue: Callable[[redis.Redis, str], Job], id_: str) -> Response:
    """On to the job's page; without Redis to the profiles: what is written down will be done."""
    try:
        return visit.go(f"{visit.root}/jobs/{enqueue(visit.redis, id_).id}")
    except redis.RedisError:
        said = "Redis is away. It is written down, and begins once a jobs process starts again."
        return visit.go(f"{visit.root}/profiles", said)


PAGES = (
    Page("POST", profiles.PROFILE + "/export", Role.OWNER, export),
    Page("POST", profiles.PROFILE + "/erase", Role.OWNER, erase),
)
