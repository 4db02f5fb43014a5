"""The API's erasures: a profile is deleted with every trace, by a job that can be polled."""

from datetime import datetime
from http import HTTPStatus

import msgspec

from tracker.actions import erasing
from tracker.api.operations import Answer, Call, Operation
from tracker.api.problems import ProblemError
from tracker.rules.clients import Scope
from tracker.stores import erasures
from tracker.stores.erasures import Erasure


class ErasureView(msgspec.Struct):
    """An erasure; `state` is `waiting`, `running` (nobody finds the person any more), `finished`.

    erased: how many of what are deleted so far.
    """

    id: str
    state: str
    asked_at: datetime
    finished_at: datetime | None
    erased: dict[str, int]


def erase_profile(call: Call) -> Answer:
    """For good, with every trace: identifiers, events, quarantined and held hits, merges, exports,
    and claims in other people's events. Keyed hashes remain, by which late hits are dropped."""
    asked = erasing.ask(
        call.connection,
        call.redis,
        call.section.id,
        call.identity,
        call.now,
        note=lambda id_: call.note("erased a profile", id_),
    )
    if asked is None:
        keyspace, key = call.identity
        raise ProblemError(HTTPStatus.NOT_FOUND, f"No profile has the {keyspace} {key!r}.")
    return Answer(_shown(_found(call, asked.id)), HTTPStatus.ACCEPTED)


def show_erasure(call: Call) -> Answer:
    """How far it is. Whose it was is not kept."""
    return Answer(_shown(_found(call, call.path["id"])))


def _found(call: Call, id_: str) -> Erasure:
    found = erasures.get(call.connection, id_)
    if found is None or found.section_id != call.section.id:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"There is no erasure {id_!r}.")
    return found


def _shown(erasure: Erasure) -> ErasureView:
    return ErasureView(
        erasure.id, erasure.state, erasure.asked_at, erasure.finished_at, erasure.erased
    )


OPERATIONS = (
    Operation(
        "DELETE",
        "/audience/keyspaces/{keyspace}/profiles/{key}",
        Scope.PROFILES_ERASE,
        "Erase a profile",
        erase_profile,
        answers={202: ErasureView},
    ),
    Operation(
        "GET",
        "/audience/erasures/{id}",
        Scope.PROFILES_ERASE,
        "Ask how far an erasure is",
        show_erasure,
        answers={200: ErasureView},
        problems={404: "The section has no such erasure."},
    ),
)
