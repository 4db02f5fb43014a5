"""The API's web tracking: the switch, and the snippets to paste."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

import msgspec

from tracker.actions import comparing, regenerating
from tracker.api.events import EVENT
from tracker.api.operations import Answer, Call, Operation, find_definition
from tracker.api.problems import ProblemError
from tracker.rules.clients import Scope
from tracker.rules.definitions import current_version
from tracker.rules.errors import ErrorCode, FieldError
from tracker.snippets import forms, tracking
from tracker.snippets.config import NONCE
from tracker.snippets.forms import FormName
from tracker.snippets.texts import gzip_size
from tracker.stores import definitions, losses, snippets
from tracker.stores.definitions import Definition
from tracker.stores.snippets import PinnedSnippet


class Switch(msgspec.Struct, forbid_unknown_fields=True):
    """The switch for web tracking."""

    on: bool


class Tracking(msgspec.Struct):
    """Whether web tracking is on; the key of the current version's snippet, null when off."""

    on: bool
    snippet_key: str | None


class SnippetQuery(msgspec.Struct):
    """version: by number or id; left out, it is the current one. nonce: of the page's
    Content-Security-Policy, or what stands in its place; test: for trying out; attributes:
    with the script that reads `data-pintag-*`.
    """

    form: FormName = FormName.INLINE
    version: str | None = None
    nonce: Annotated[str, msgspec.Meta(pattern=f"^{NONCE}$")] | None = None
    test: bool = False
    attributes: bool = False


class SnippetView(msgspec.Struct):
    """The text of the form (`html`, whatever it is), and its size as browsers load it.

    csp: the directives of a Content-Security-Policy that it needs; integrity: the hash of the
    script that it loads or is, null where there is none.
    """

    form: FormName
    version_id: str
    html: str
    gzip_bytes: int
    csp: list[str]
    integrity: str | None


class Regeneration(msgspec.Struct, forbid_unknown_fields=True):
    """rotate_key: replace the keys; grace_days: how long those that were replaced work on.

    key: with `rotate_key`, replace or end this key alone, of whatever version.
    """

    rotate_key: bool = False
    grace_days: Annotated[int, msgspec.Meta(ge=0, le=regenerating.MAX_GRACE_DAYS)] = (
        regenerating.GRACE_DAYS
    )
    key: str | None = None


class SnippetList(msgspec.Struct):
    items: list[PinnedSnippet]


def show_tracking(call: Call) -> Answer:
    """The key is that of the snippet for the current version."""
    return Answer(_tracking(call, find_definition(call)))


def switch_tracking(call: Call) -> Answer:
    """Idempotent: on, there is a snippet; off, the collector answers its snippets 410."""
    definition, wanted = find_definition(call), call.body

    def note() -> None:
        to = "on" if wanted.on else "off"
        call.note(f"switched {to} web tracking of", definition.name)

    if wanted.on:
        tracking.switch_on(call.connection, call.redis, definition, call.now, note)
    else:
        tracking.switch_off(call.connection, call.redis, definition, note)
    return Answer(_tracking(call, find_definition(call)))


def _tracking(call: Call, definition: Definition) -> Tracking:
    version = current_version(definition.versions, call.now)
    if version is None or not definition.web_tracking:
        return Tracking(definition.web_tracking, None)
    snippet = definitions.snippet_of(call.connection, version.id)
    return Tracking(True, snippet.key if snippet else None)


def show_snippet(call: Call) -> Answer:
    """A snippet goes on sending its version, also when a newer one can be used."""
    definition, query = find_definition(call), call.query
    version = (
        comparing.version(definition, query.version)
        if query.version
        else current_version(definition.versions, call.now)
    )
    config = tracking.snippet_config(
        call.connection,
        call.settings,
        definition,
        call.now,
        version,
        nonce=query.nonce,
        test=query.test,
        attributes=query.attributes,
    )
    tracking.keep_scripts(call.connection)
    rendered = forms.render(config, query.form)
    version_id = version.public_id if version else ""
    size = gzip_size(rendered.text)
    view = SnippetView(
        query.form, version_id, rendered.text, size, list(rendered.csp), rendered.integrity
    )
    return Answer(view)


def list_snippets(call: Call) -> Answer:
    """Those of all versions, the newest first; keys that were replaced have `retires_at`."""
    found = snippets.every(call.connection, find_definition(call).id)
    return Answer(SnippetList(losses.counted(call.redis, found)))


def regenerate_snippets(call: Call) -> Answer:
    """With `rotate_key`, the current version and those after it get new keys.

    Without, snippets that are lacking are made. A key that was replaced works for the grace
    period, or to an earlier end that it had; then the collector answers 410 `rotated`.
    """
    sent = call.body
    if sent.key is not None and not sent.rotate_key:
        message = "A `key` goes with `rotate_key`."
        wrong = FieldError("key", ErrorCode.BAD_FORMAT, message)
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, message, [wrong])
    grace = timedelta(days=sent.grace_days) if sent.rotate_key else None
    definition = find_definition(call)
    made = regenerating.regenerate(
        call.connection, call.redis, definition, now=call.now, grace=grace, key=sent.key
    )
    call.note("regenerated the snippets of", definition.name)
    return Answer(SnippetList(made))


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
        problems={409: "Web tracking is off, or the version has no snippet; the detail says why."},
    ),
    Operation(
        "GET",
        f"{EVENT}/snippets",
        _READ,
        "List the snippets of all versions",
        list_snippets,
        answers={200: SnippetList},
    ),
    Operation(
        "POST",
        f"{EVENT}/snippets/regenerate",
        _WRITE,
        "Regenerate the snippets, with new keys if need be",
        regenerate_snippets,
        body=Regeneration,
        answers={200: SnippetList},
        problems={409: "Web tracking is off."},
    ),
)
