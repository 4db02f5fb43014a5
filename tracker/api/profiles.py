"""The API's profiles: timelines, posts of events, merges and unmerges."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

import msgspec

from tracker.actions import merging, posting, timelines
from tracker.actions.merging import RefusedMergeError
from tracker.actions.posting import IdempotencyKey, Posted
from tracker.api.admission import check_address
from tracker.api.operations import Answer, Call, Operation
from tracker.api.problems import ProblemError, TooEarlyProblem
from tracker.rules import allowed_operations, keyspaces
from tracker.rules.allowed_operations import Access
from tracker.rules.clients import Scope
from tracker.rules.errors import ErrorCode, FieldError
from tracker.rules.keyspaces import Identity
from tracker.rules.posts import MAX_ITEMS, Item
from tracker.stores.merges import Merge
from tracker.stores.profiles import Identifier
from tracker.stores.timelines import PAGE, BadCursorError, Filters, TimelineEvent, View

UNPROCESSABLE = HTTPStatus.UNPROCESSABLE_ENTITY
TIMELINE = "/audience/keyspaces/{keyspace}/profiles/{key}/sections/{section}/events"
MAX_IDEMPOTENCY_KEY = 255

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class TimelineQuery(msgspec.Struct):
    """Which page of a timeline; `from` is in the span of time, `to` is not.

    definition: a discriminator or slug; version: its id; cursor: the page before's `next_cursor`.
    """

    limit: Annotated[int, msgspec.Meta(ge=1, le=PAGE)] = PAGE
    cursor: str | None = None
    definition: str | None = None
    version: str | None = None
    since: Moment | None = msgspec.field(name="from", default=None)
    until: Moment | None = msgspec.field(name="to", default=None)


class TimelineView(msgspec.Struct):
    """A page of a profile's events, the newest first, with who it is and its newest merges.

    next_cursor: names the next page; null on the last.
    """

    created_at: datetime
    identifiers: list[Identifier]
    items: list[TimelineEvent]
    merges: list[Merge]
    next_cursor: str | None


class Post(msgspec.Struct, forbid_unknown_fields=True):
    """Events for a profile, up to a hundred."""

    items: Annotated[list[Item], msgspec.Meta(min_length=1, max_length=MAX_ITEMS)]


class _RawPost(msgspec.Struct, forbid_unknown_fields=True):
    items: Annotated[list[msgspec.Raw], msgspec.Meta(min_length=1, max_length=MAX_ITEMS)]


class ProfileName(msgspec.Struct, forbid_unknown_fields=True):
    """Names a profile by one of its keys; the keyspace may be its short name, too."""

    keyspace_discriminator: str
    profile_key: str


class Merging(msgspec.Struct):
    """The two profiles that are one person's. Other names, which clients send, say nothing."""

    profiles: Annotated[list[ProfileName], msgspec.Meta(min_length=2, max_length=2)]


def show_timeline(call: Call) -> Answer:
    """Left out: events of definitions that are hidden or may not be read by this keyspace;
    identifiers, claims and merges of keyspaces that the client may not see."""
    query: TimelineQuery = call.query
    denied = allowed_operations.name(call.keyspace, Access.READ)
    try:
        found = timelines.show(
            call.connection,
            call.section.id,
            *call.identity,
            filters=Filters(
                event=query.definition,
                version=query.version,
                since=query.since,
                until=query.until,
            ),
            cursor=query.cursor,
            limit=query.limit,
            view=View(keyspaces=frozenset(call.keyspaces), denied=denied, prefix=call.prefix),
        )
    except BadCursorError as error:
        wrong = FieldError("cursor", ErrorCode.BAD_FORMAT, str(error))
        raise ProblemError(UNPROCESSABLE, str(error), [wrong]) from None
    if found is None:
        keyspace, key = call.identity
        raise ProblemError(HTTPStatus.NOT_FOUND, f"No profile has the {keyspace} {key!r}.")
    return Answer(
        TimelineView(
            found.created_at, found.identifiers, found.events, found.merges, found.next_cursor
        )
    )


def post_events(call: Call) -> Answer:
    """Each item is validated at once, and told all that is wrong with it; the good are stored.

    A missing profile is made. An item with an `id` is stored once, however often it is sent; so
    is a whole post with an `Idempotency-Key`. 201: all were stored now; 207: see each `status`.
    """
    posted = posting.post(
        call.connection,
        call.vault,
        call.section.id,
        call.identity,
        [bytes(item) for item in _items(call.raw)],
        call.now,
        _idempotency_key(call),
    )
    return Answer(posted, HTTPStatus.CREATED if posted.stored else HTTPStatus.MULTI_STATUS)


def _items(body: bytes) -> list[msgspec.Raw]:
    try:
        return msgspec.json.decode(body, type=_RawPost).items
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        shape = isinstance(error, msgspec.ValidationError)
        code = ErrorCode.WRONG_TYPE if shape else ErrorCode.MALFORMED
        wrong = [FieldError("items" if shape else "", code, f"{error}.")]
        detail = f'Send {{"items": […]}} with 1 to {MAX_ITEMS} items, as JSON in UTF-8.'
        raise ProblemError(UNPROCESSABLE, detail, wrong) from None


def _idempotency_key(call: Call) -> IdempotencyKey | None:
    key = call.headers.get("idempotency-key")
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_IDEMPOTENCY_KEY:
        detail = f"An Idempotency-Key has 1 to {MAX_IDEMPOTENCY_KEY} characters."
        raise ProblemError(UNPROCESSABLE, detail)
    return IdempotencyKey(call.client.id, key)


def merge_profiles(call: Call) -> Answer:
    """Both keys then name one profile. Those that are missing are made.

    Where they are one already, nothing is done. Profiles that have different values of a keyspace
    of which each has one only stay two. What was done or refused is on both timelines.
    """
    body: Merging = call.body
    first, second = (_named(call, name, f"profiles[{i}].") for i, name in enumerate(body.profiles))
    try:
        merging.merge(
            call.connection,
            call.vault,
            call.section.id,
            (first, second),
            call.client.name,
            call.now,
        )
    except RefusedMergeError as error:
        seen = ", ".join(one for one in error.keyspaces if one in call.keyspaces)
        of = f"of {seen}" if seen else "in a keyspace of which a profile has one only"
        detail = f"The profiles have different values {of}: they stay two."
        raise ProblemError(HTTPStatus.CONFLICT, detail) from None
    return Answer(status=HTTPStatus.NO_CONTENT)


def unmerge_profile(call: Call) -> Answer:
    """The key, with the events that came by it, then has a profile of its own."""
    identity = _named(call, call.body, "")
    merging.unmerge(
        call.connection, call.vault, call.section.id, identity, call.client.name, call.now
    )
    return Answer(status=HTTPStatus.NO_CONTENT)


def _named(call: Call, name: ProfileName, path: str) -> Identity:
    """The identifier that a body names, if the client may address it."""
    sent = name.keyspace_discriminator
    keyspace = keyspaces.find(sent, call.prefix)
    if keyspace is None:
        message = f"There is no keyspace {sent[:MAX_IDEMPOTENCY_KEY]!r}."
        wrong = FieldError(f"{path}keyspace_discriminator", ErrorCode.BAD_FORMAT, message)
        raise ProblemError(UNPROCESSABLE, message, [wrong])
    check_address(call.client, keyspace)
    try:
        identity = keyspaces.identity(keyspace, name.profile_key)
    except keyspaces.BadKeyError as error:
        wrong = FieldError(f"{path}profile_key", ErrorCode.BAD_FORMAT, str(error))
        raise ProblemError(UNPROCESSABLE, str(error), [wrong]) from None
    call.count_key(call, identity)
    return identity


_ERASED = "The person was erased, for good."
OPERATIONS = (
    Operation(
        "GET",
        TIMELINE,
        Scope.PROFILES_READ,
        "Read a profile's timeline",
        show_timeline,
        query=TimelineQuery,
        answers={200: TimelineView},
    ),
    Operation(
        "POST",
        TIMELINE,
        Scope.EVENTS_WRITE,
        "Post events to a profile",
        post_events,
        body=Post,
        reads_raw=True,
        headers={"Idempotency-Key": "Names this post: sent again, it gets the same answer."},
        answers={201: Posted, 207: Posted, 409: TooEarlyProblem},
        problems={410: _ERASED},
    ),
    Operation(
        "PUT",
        "/audience/profiles/merges",
        Scope.PROFILES_MERGE,
        "Merge two profiles",
        merge_profiles,
        body=Merging,
        answers={204: None},
        problems={409: "They are two people's.", 410: _ERASED},
    ),
    Operation(
        "POST",
        "/audience/profiles/unmerges",
        Scope.PROFILES_MERGE,
        "Take a key out of its profile",
        unmerge_profile,
        body=ProfileName,
        answers={204: None},
        problems={
            404: "No profile has this key.",
            409: "The profile has no other key.",
            410: _ERASED,
        },
    ),
)
