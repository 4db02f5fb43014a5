"""The API's definitions of Custom Events: create, list, show, web tracking and snippets."""

from http import HTTPStatus
from typing import Literal

import msgspec

from tracker.actions import saving
from tracker.actions.views import DefinitionView, shown
from tracker.api.operations import Answer, Call, Operation, find_definition
from tracker.api.problems import ProblemError
from tracker.rules.clients import Scope
from tracker.rules.definitions import Draft
from tracker.rules.drafts import parse_draft
from tracker.snippets import tracking
from tracker.snippets.render import gzip_size
from tracker.stores import definitions
from tracker.stores.definitions import Definition

EVENTS = "/audience/sections/{section}/events"
EVENT = f"{EVENTS}/{{event}}"


class DefinitionList(msgspec.Struct):
    items: list[DefinitionView]


class Switch(msgspec.Struct):
    """The switch for web tracking."""

    on: bool


class Tracking(msgspec.Struct):
    """Whether web tracking is on; the key of the current version's snippet, null when off."""

    on: bool
    snippet_key: str | None


class SnippetQuery(msgspec.Struct):
    form: Literal["inline", "hosted"] = "inline"


class SnippetView(msgspec.Struct):
    """The HTML to paste, and its size as browsers load it."""

    form: str
    html: str
    gzip_bytes: int


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
    try:
        made = saving.create(call.connection, call.section.id, draft, call.now)
    except definitions.NameTakenError:
        detail = f"{call.section.slug!r} has an event named {draft.name!r} already."
        raise ProblemError(HTTPStatus.CONFLICT, detail) from None
    return Answer(view(call, made), HTTPStatus.CREATED)


def show_tracking(call: Call) -> Answer:
    """The key is that of the snippet for the current version."""
    return Answer(_tracking(call, find_definition(call)))


def switch_tracking(call: Call) -> Answer:
    """Idempotent: on, there is a snippet; off, the collector answers its snippets 410."""
    definition, wanted = find_definition(call), call.body
    if wanted.on:
        tracking.switch_on(call.connection, call.redis, definition, call.now)
    else:
        tracking.switch_off(call.connection, call.redis, definition)
    return Answer(_tracking(call, find_definition(call)))


def _tracking(call: Call, definition: Definition) -> Tracking:
    if not definition.web_tracking:
        return Tracking(False, None)
    config = tracking.snippet_config(call.connection, call.settings, definition, call.now)
    return Tracking(True, config.key)


def show_snippet(call: Call) -> Answer:
    """The snippet of the current version."""
    definition, form = find_definition(call), call.query.form
    config = tracking.snippet_config(call.connection, call.settings, definition, call.now)
    html = tracking.render_form(config, form)
    return Answer(SnippetView(form, html, gzip_size(html)))


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
        "GET",
        f"{EVENT}/web-tracking",
        _READ,
        "See whether web tracking is on",
        show_tracking,
        answers={200: Tracking},
    ),
    Operation(
        "PUT",
        f"{EVENT}/web-tracking",
        _WRITE,
        "Switch web tracking on or off",
        switch_tracking,
        body=Switch,
        answers={200: Tracking},
        problems={409: "It can't be tracked; the detail says why."},
    ),
    Operation(
        "GET",
        f"{EVENT}/snippet",
        _READ,
        "Get the snippet to paste",
        show_snippet,
        query=SnippetQuery,
        answers={200: SnippetView},
        problems={409: "Web tracking is off."},
    ),
)
