"""The API's profile routes: a profile's timeline."""

from http import HTTPStatus

import msgspec

from tracker.actions import timelines
from tracker.api.operations import Answer, Call, Operation
from tracker.api.problems import ProblemError
from tracker.rules.clients import Scope
from tracker.stores.profiles import Identifier
from tracker.stores.timelines import TimelineEvent


class Timeline(msgspec.Struct):
    """A profile's identifiers, and its newest hundred events, the newest first."""

    identifiers: list[Identifier]
    items: list[TimelineEvent]


def show_timeline(call: Call) -> Answer:
    """Identifiers in keyspaces that the client may not see are left out."""
    keyspace, key = call.identity
    profile = timelines.show(call.connection, call.section.id, keyspace, key)
    if profile is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"No profile has the {keyspace} {key!r}.")
    seen = [one for one in profile.identifiers if one.keyspace in call.keyspaces]
    return Answer(Timeline(seen, profile.events))


OPERATIONS = (
    Operation(
        "GET",
        "/audience/keyspaces/{keyspace}/profiles/{key}/sections/{section}/events",
        Scope.PROFILES_READ,
        "Read a profile's timeline",
        show_timeline,
        answers={200: Timeline},
    ),
)
