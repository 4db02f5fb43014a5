"""The API's web tracking: the switch, and the snippets to paste."""

from typing import Literal

import msgspec

from tracker.api.events import EVENT
from tracker.api.operations import Answer, Call, Operation, find_definition
from tracker.rules.clients import Scope
from tracker.snippets import tracking
from tracker.snippets.render import gzip_size
from tracker.stores.definitions import Definition


class Switch(msgspec.Struct, forbid_unknown_fields=True):
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
