"""The rules of a section, for its owners: who may send hits, consent, privacy, what is signed."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus

from starlette.responses import Response

from tracker.actions import section_settings, signing
from tracker.actions.refusals import InvalidDraftError
from tracker.actions.section_settings import (
    ADDRESSES,
    MOST_VISITOR_DAYS,
    ChangedMeanwhileError,
    NoSecretError,
)
from tracker.pages.page import Page
from tracker.pages.visit import Visit
from tracker.rules.accounts import Role
from tracker.settings import SettingsError
from tracker.stores.sections import Section, SectionChanges
from tracker.vault import Vault

ROOT = "/sections/{section}/rules"
SWITCHES = ("strict_origin", "consent_required", "honour_signals", "signed_tags", "trusts_pages")
"""The rules that are on or off."""

CONFLICT = (
    "Somebody else changed these rules while you did: nothing was saved. The overview has"
    " theirs; yours are below, and saving them once more puts them in their place."
)

Typed = Mapping[str, object]
"""What stands in the form, by the rules' names."""


def rules(visit: Visit) -> Response:
    """`…/rules`: the form, with the rules as they are."""
    return _page(visit, _of_section(visit.section))


def save(visit: Visit) -> Response:
    """Save what was typed, all or nothing."""
    typed, before = _read(visit), visit.section
    try:
        if visit.get("seen") != _digest(before):
            raise ChangedMeanwhileError
        after = section_settings.change(
            visit.connection,
            visit.redis,
            before,
            _changes(typed),
            lambda: _note(visit, before),
            only_as_seen=True,
        )
    except ChangedMeanwhileError:
        return _page(visit, typed, HTTPStatus.CONFLICT, {"": [CONFLICT]})
    except InvalidDraftError as error:
        wrongs: dict[str, list[str]] = defaultdict(list)
        for one in error.errors:
            wrongs[one.field.partition("[")[0]].append(one.message)
        return _page(visit, typed, HTTPStatus.UNPROCESSABLE_ENTITY, wrongs)
    except NoSecretError:
        wrong = "Nobody could sign a tag: make a signing secret first, at the end of this page."
        return _page(visit, typed, HTTPStatus.CONFLICT, {"signed_tags": [wrong]})
    return visit.go(visit.address, _said(visit, before, after))


def new_secret(visit: Visit) -> Response:
    """Make a signing secret, which is shown this once; the one before ends, at once or in a day."""
    typed = _of_section(visit.section)
    try:
        vault = Vault(visit.settings)
    except SettingsError as error:
        return _page(visit, typed, HTTPStatus.CONFLICT, {"secret": [str(error)]})
    with visit.connection.transaction():
        grace = timedelta(days=0 if visit.get("at_once") else signing.GRACE_DAYS)
        secret = signing.renew_secret(visit.connection, vault, visit.section.id, visit.now, grace)
        visit.note("made a new signing secret")
    when = "in a day" if grace else "from now on"
    return _page(visit, typed, secret=secret, ends=when if visit.section.has_secret else "")


def _of_section(section: Section) -> Typed:
    switches = {name: getattr(section, name) for name in SWITCHES}
    return {
        **switches,
        "origins": "\n".join(section.allowed_origins),
        "visitor_days": section.visitor_days,
        "addresses": section.addresses,
    }


def _read(visit: Visit) -> Typed:
    switches = {name: bool(visit.get(name)) for name in SWITCHES}
    names = ("origins", "visitor_days", "addresses")
    return {**switches, **{name: visit.get(name) for name in names}}


def _changes(typed: Typed) -> SectionChanges:
    days = str(typed["visitor_days"]).strip()
    return SectionChanges(
        allowed_origins=str(typed["origins"]).split(),
        visitor_days=int(days) if days.isascii() and days.isdecimal() and len(days) < 9 else 0,
        addresses=str(typed["addresses"]),
        **{name: bool(typed[name]) for name in SWITCHES},
    )


def _note(visit: Visit, before: Section) -> None:
    after = section_settings.of(visit.connection, before)
    if changed := section_settings.changed(before, after):
        visit.note("changed the rules", section_settings.changed_words(changed))


def _said(visit: Visit, before: Section, after: Section) -> str:
    changed = section_settings.changed(before, after)
    if not changed:
        return "The rules were so already: nothing was changed."
    said = f"Saved: {', '.join(changed)}."
    slugs = section_settings.to_paste_again(visit.connection, before, after)
    if slugs:
        said += (
            " Snippets that were pasted go by the rules from before: paste them again, of"
            f" {', '.join(slugs)}."
        )
    return said


def _digest(section: Section) -> str:
    """What the form was made from, so that nobody's change is taken back unseen."""
    return hashlib.sha256(repr(section).encode()).hexdigest()[:16]


def _page(
    visit: Visit,
    typed: Typed,
    status: int = HTTPStatus.OK,
    wrong: Mapping[str, list[str]] | None = None,
    secret: str = "",
    ends: str = "",
) -> Response:
    """secret: one that was just made; ends: when the one before does."""
    section = section_settings.of(visit.connection, visit.section)
    return visit.render(
        "section_rules.html",
        status,
        typed=typed,
        wrong=wrong or {},
        seen=_digest(section),
        has_secret=section.has_secret,
        secret=secret,
        ends=ends,
        addresses=ADDRESSES,
        most_days=MOST_VISITOR_DAYS,
    )


PAGES = (
    Page("GET", ROOT, Role.OWNER, rules),
    Page("POST", ROOT, Role.OWNER, save),
    Page("POST", ROOT + "/secret", Role.OWNER, new_secret),
)
