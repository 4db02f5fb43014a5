"""The API's definitions of Custom Events: create, list, show, edit, hide, rights, retention."""

from contextlib import suppress
from http import HTTPStatus

import msgspec
import redis

from tracker.actions import editing, governing, hiding, saving
from tracker.actions.views import DefinitionView, shown
from tracker.api.operations import Answer, Call, Operation, find_definition
from tracker.api.problems import EditProblem, ProblemError
from tracker.rules.clients import Scope
from tracker.rules.definitions import Draft, Edit
from tracker.rules.drafts import parse_draft
from tracker.rules.edits import Changes
from tracker.stores import definitions
from tracker.stores.definitions import Definition

EVENTS = "/audience/sections/{section}/events"
EVENT = f"{EVENTS}/{{event}}"


class DefinitionList(msgspec.Struct):
    items: list[DefinitionView]


class Edited(msgspec.Struct):
    """What an edit did. Where it changed nothing, nothing was saved and nothing is locked.

    version_id: of the new version, null where the fields stayed as they were.
    """

    event: DefinitionView
    saved: bool
    version_id: str | None
    changes: Changes


class Operations(msgspec.Struct, forbid_unknown_fields=True):
    """Operations such as `email:read`; those in neither list stay as they are."""

    deny: list[str] = []
    allow: list[str] = []


class Retention(msgspec.Struct, forbid_unknown_fields=True):
    """Days until events are deleted, null for never."""

    ttl_days: int | None


def view(call: Call, definition: Definition) -> DefinitionView:
    """A definition as the client may see it."""
    return shown(definition, call.prefix, call.now, call.keyspaces)


def list_events(call: Call) -> Answer:
    """All of the section that are not hidden."""
    found = definitions.visible(call.connection, call.section.id)
    prefix, keyspaces = call.prefix, call.keyspaces
    return Answer(DefinitionList([shown(one, prefix, call.now, keyspaces) for one in found]))


def show_event(call: Call) -> Answer:
    """`{event}` is a discriminator, slug or name."""
    return Answer(view(call, find_definition(call)))


def create_event(call: Call) -> Answer:
    """Version 1 can be used at once. Everything that is wrong with a definition is in `errors`."""
    draft = parse_draft(call.raw)
    if isinstance(draft, list):
        detail = "The definition was not saved: see `errors`."
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, detail, draft)
    with call.connection.transaction():
        made = saving.create(call.connection, call.section.id, draft, call.now)
        call.note("created the event", made.name)
    return Answer(view(call, made), HTTPStatus.CREATED)


def edit_event(call: Call) -> Answer:
    """Parts that are left out stay as they are; `fields` are all of them, in order.

    After an edit the definition is locked for an hour; a change of fields makes a new version,
    which can be used after that hour. Send `based_on`, the `edits` that you saw, and an edit that
    somebody else made since is not lost.
    """
    cooldown, definition = call.settings.cooldown, find_definition(call)
    done = editing.edit(
        call.connection,
        call.redis,
        definition,
        call.raw,
        now=call.now,
        cooldown=cooldown,
        note=lambda: call.note("edited the event", definition.name),
    )
    version_id = done.version.public_id if done.version else None
    event = view(call, done.definition)
    return Answer(Edited(event, bool(done.changes), version_id, done.changes))


def hide_event(call: Call) -> Answer:
    """This can't be undone. Nothing is deleted; what its snippets send is refused from now on."""
    # It is hidden for good by then: a worker tells the collectors when Redis is back.
    definition = find_definition(call)
    with suppress(redis.RedisError):
        hiding.hide(
            call.connection,
            call.redis,
            definition,
            now=call.now,
            note=lambda: call.note("hid the event", definition.name),
        )
    return Answer(status=HTTPStatus.NO_CONTENT)


def set_allowed_operations(call: Call) -> Answer:
    """Whether events may be read or written when a profile is addressed by a keyspace."""
    definition = find_definition(call)
    with call.connection.transaction():
        changed = governing.set_operations(
            call.connection, definition, deny=call.body.deny, allow=call.body.allow
        )
        denied = ", ".join(changed.denied_operations) or "none"
        call.note("set the allowed operations of", f"{changed.name}: denied are {denied}")
    return Answer(view(call, changed))


def set_retention(call: Call) -> Answer:
    """Events that are older are deleted, those of earlier versions too."""
    definition = find_definition(call)
    days = call.body.ttl_days
    with call.connection.transaction():
        changed = governing.set_retention(call.connection, definition, days)
        lives = "for ever" if days is None else f"{days:,} days"
        call.note("set how long events live of", f"{changed.name}: {lives}")
    return Answer(view(call, changed))


_READ, _WRITE = Scope.DEFINITIONS_READ, Scope.DEFINITIONS_WRITE
OPERATIONS = (
    Operation(
        "GET",
        EVENTS,
        _READ,
        "List the definitions",
        list_events,
        answers={200: DefinitionList},
    ),
    Operation(
        "POST",
        EVENTS,
        _WRITE,
        "Save a new definition",
        create_event,
        body=Draft,
        reads_raw=True,
        answers={201: DefinitionView},
        problems={409: "The section has an event of this name already."},
    ),
    Operation(
        "GET",
        EVENT,
        _READ,
        "Show a definition",
        show_event,
        answers={200: DefinitionView},
    ),
    Operation(
        "PATCH",
        EVENT,
        _WRITE,
        "Edit a definition",
        edit_event,
        body=Edit,
        reads_raw=True,
        answers={200: Edited, 409: EditProblem},
    ),
    Operation(
        "POST",
        f"{EVENT}/hide",
        _WRITE,
        "Hide a definition, for good",
        hide_event,
        answers={204: None},
    ),
    Operation(
        "PUT",
        f"{EVENT}/allowed-operations",
        _WRITE,
        "Set its allowed operations",
        set_allowed_operations,
        body=Operations,
        answers={200: DefinitionView},
    ),
    Operation(
        "PUT",
        f"{EVENT}/retention",
        _WRITE,
        "Set how long its events live",
        set_retention,
        body=Retention,
        answers={200: DefinitionView},
    ),
)
