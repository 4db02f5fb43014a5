"""Making and editing an event: one form, whose buttons for rows work without JavaScript, too."""

from datetime import timedelta
from http import HTTPStatus
from urllib.parse import quote

from starlette.responses import Response

from tracker.actions import editing, saving
from tracker.actions.editing import Edited
from tracker.actions.refusals import (
    EditConflictError,
    InvalidDraftError,
    LockedError,
    RefusedError,
)
from tracker.pages import event_draft, found
from tracker.pages.event_draft import EventDraft
from tracker.pages.page import Page
from tracker.pages.visit import Visit
from tracker.rules import edits
from tracker.rules.accounts import Role
from tracker.rules.definitions import Category, premade_fields
from tracker.rules.drafts import MAX_FIELDS, parse_draft
from tracker.rules.fields import FieldType
from tracker.rules.moments import in_words, span
from tracker.stores.definitions import Definition, NameTakenError

NEW = "/sections/{section}/events/new"
EDIT = "/sections/{section}/events/{slug}/edit"


def category_of(visit: Visit) -> Category:
    """The category that a query or form names, or else the first one."""
    wanted = visit.get("category")
    return next((one for one in Category if one == wanted), Category.TRANSACTIONS)


def row_address(visit: Visit, definition: Definition) -> str:
    """Where an event is listed, among those of its category."""
    return f"{visit.root}/data-model?category={definition.category}#event-{quote(definition.slug)}"


def new(visit: Visit) -> Response:
    """`…/events/new?category=…`: the form, with the pre-made fields."""
    fields = premade_fields(category_of(visit))
    return _new_page(visit, event_draft.of_fields("", "", fields))


def create(visit: Visit) -> Response:
    """Save what was typed, or do what a row's button says."""
    typed = event_draft.read(visit.form)
    if typed.act(visit.get("action")):
        return _new_page(visit, typed)
    draft = parse_draft({**typed.sent, "category": category_of(visit).value})
    if isinstance(draft, list):
        typed.refuse(draft)
        return _new_page(visit, typed, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        with visit.connection.transaction():
            made = saving.create(visit.connection, visit.section.id, draft, visit.now)
            visit.note("created the event", made.name)
    except NameTakenError as error:
        typed.errors["name"], typed.focus = str(error), "name"
        return _new_page(visit, typed, HTTPStatus.UNPROCESSABLE_ENTITY)
    return visit.go(
        row_address(visit, made),
        f"“{made.name}” is saved: version 1, which can be used at once."
        " Open it to switch web tracking on and get its snippet.",
    )


def edit(visit: Visit) -> Response:
    """`…/events/{slug}/edit`: the form, with what is saved; closed while the event is locked."""
    definition = found.event(visit)
    newest = editing.snapshot(definition)
    draft = event_draft.of_fields(newest.name, newest.description, newest.fields)
    return _edit_page(visit, definition, draft)


def save(visit: Visit) -> Response:
    """Save what was typed, or do what a row's button says."""
    definition = found.event(visit)
    # A field that somebody else removed meanwhile is a new one, if it is still wanted.
    typed = event_draft.read(visit.form, (one.id for one in definition.versions[0].fields))
    based_on = visit.get("based_on")[:9]
    seen = int(based_on) if based_on.isdecimal() else -1
    if typed.act(visit.get("action")):
        return _edit_page(visit, definition, typed, edits_seen=seen)
    try:
        edited = editing.edit(
            visit.connection,
            visit.redis,
            definition,
            {**typed.sent, "based_on": seen},
            now=visit.now,
            cooldown=visit.settings.cooldown,
            note=lambda: visit.note("edited the event", typed.name),
        )
    except InvalidDraftError as error:
        typed.refuse(error.errors)
    except NameTakenError as error:
        typed.errors["name"], typed.focus = str(error), "name"
    except EditConflictError as error:
        return _conflict(visit, typed, error)
    except RefusedError as error:
        # The page says by the viewer's clock how long it is locked.
        why = "It was not saved: it is locked." if isinstance(error, LockedError) else str(error)
        typed.errors[""] = f"{why} What you typed is below, unsaved."
        return _edit_page(visit, definition, typed, HTTPStatus.CONFLICT, edits_seen=seen)
    else:
        return visit.go(row_address(visit, edited.definition), _stands(visit, edited))
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return _edit_page(visit, definition, typed, status, edits_seen=seen)


def _stands(visit: Visit, edited: Edited) -> str:
    """What an edit came to, and when the event can be used and edited."""
    definition = edited.definition
    if not edited.changes:
        return f"“{definition.name}” is like that already: nothing was saved, nothing is locked."
    # Its row says the same by the viewer's clock.
    pause = span(((definition.locked_until or visit.now) - visit.now).total_seconds())
    if edited.version:
        usable = f"Version {edited.version.number} can be used in {pause}"
        return f"“{definition.name}” is saved. {usable}, and then it can be edited again."
    same = f"It is still version {definition.versions[0].number}: its fields are the same."
    return f"“{definition.name}” is saved. {same} It can be edited again in {pause}."


def _conflict(visit: Visit, typed: EventDraft, error: EditConflictError) -> Response:
    """What the other one changed, above what was typed; saving that once more puts it in place."""
    fresh = found.event(visit)
    typed.errors[""] = "Somebody else edited this event meanwhile: nothing of yours was saved."
    kept = event_draft.read(visit.form, (one.id for one in fresh.versions[0].fields))
    typed.rows = kept.rows
    return _edit_page(
        visit,
        fresh,
        typed,
        HTTPStatus.CONFLICT,
        edits_seen=error.edits,
        theirs=edits.told(error.changes, labelled=True),
    )


def _new_page(visit: Visit, draft: EventDraft, status: int = HTTPStatus.OK) -> Response:
    return _page(
        visit,
        draft,
        status,
        event=None,
        category=category_of(visit),
        closed=False,
        locked=None,
        theirs=(),
    )


def _edit_page(
    visit: Visit,
    definition: Definition,
    draft: EventDraft,
    status: int = HTTPStatus.OK,
    *,
    edits_seen: int | None = None,
    theirs: object = (),
) -> Response:
    locked = edits.locked(definition.locked_until, visit.now)
    return _page(
        visit,
        draft,
        status,
        event=definition,
        category=definition.category,
        based_on=definition.edits if edits_seen is None else edits_seen,
        locked=locked,
        locked_words=in_words(locked, visit.now) if locked else "",
        closed=locked is not None and edits_seen is None,
        next_number=definition.versions[0].number + 1,
        pause=span(timedelta(seconds=visit.settings.cooldown).total_seconds()),
        theirs=theirs,
    )


def _page(visit: Visit, draft: EventDraft, status: int, **values: object) -> Response:
    return visit.render(
        "event_form.html",
        status,
        {},
        draft=draft,
        types=list(FieldType),
        most=MAX_FIELDS,
        blank=event_draft.Row(event_draft.TEMPLATE),
        **values,
    )


PAGES = (
    Page("GET", NEW, Role.EDITOR, new),
    Page("POST", NEW, Role.EDITOR, create),
    Page("GET", EDIT, Role.EDITOR, edit),
    Page("POST", EDIT, Role.EDITOR, save),
)
