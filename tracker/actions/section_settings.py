"""A section's rules: what its collectors take, and what its snippets may do on the pages."""

from collections.abc import Callable, Mapping, Sequence

import msgspec
import psycopg
import redis

from tracker.actions.refusals import InvalidDraftError, RefusedError
from tracker.rules import origins
from tracker.rules.definitions import slugify
from tracker.rules.drafts import check_name
from tracker.rules.errors import ErrorCode, FieldError
from tracker.rules.ip_addresses import NONE, TRUNCATED, WHOLE
from tracker.snippets import publishing
from tracker.stores import definitions, sections
from tracker.stores.sections import Section, SectionChanges

MOST_VISITOR_DAYS = 3_650

ADDRESSES = {
    WHOLE: "the senders' are kept with their hits",
    TRUNCATED: "the senders' are kept without their end: of IPv4 24 bits stay, of IPv6 48",
    NONE: "none is kept",
}
"""What may be kept of IP addresses, in plain words."""


class NoSecretError(RefusedError):
    """The section has no signing secret, so nobody could sign a tag."""

    def __init__(self, slug: str) -> None:
        super().__init__(
            f"The section {slug!r} has no signing secret to sign tags with: nothing was changed.\n"
            f"Make one first: pintag section new-secret --section {slug}"
        )


class ChangedMeanwhileError(RefusedError):
    """Somebody else changed the rules since they were read."""

    def __init__(self) -> None:
        super().__init__("Somebody else has just changed these rules: look at them again.")


def create(
    connection: psycopg.Connection, name: str, allowed: Sequence[str] = (), strict: bool = False
) -> str:
    """Make a section, with origins as people write them; returns its slug.

    Raises InvalidDraftError, also where there is one of this slug already.
    """
    name, slug = name.strip(), slugify(name, "section")
    patterns, errors = origins.read_patterns(allowed)
    errors = [*check_name(name), *errors]
    if not errors and not sections.create(connection, slug, name, patterns, strict):
        message = f"There is a section {slug!r} already: choose another name."
        errors = [FieldError("name", ErrorCode.DUPLICATE, message)]
    if errors:
        raise InvalidDraftError("The section was not made:", errors)
    return slug


def change(
    connection: psycopg.Connection,
    client: redis.Redis,
    section: Section,
    changes: SectionChanges,
    note: Callable[[], None] = lambda: None,
    *,
    only_as_seen: bool = False,
) -> Section:
    """Change a section's rules; origins as people write them.

    only_as_seen: change nothing where they are not those of `section` any more. When this returns,
    collectors refuse no longer what is let in now; what is let in or kept no longer, they know
    within a second. `note` is called in the transaction that changes.
    Raises InvalidDraftError, NoSecretError and ChangedMeanwhileError.
    """
    checked = _checked(changes)
    with connection.transaction():
        if only_as_seen and sections.locked(connection, section.id) != section:
            raise ChangedMeanwhileError
        if not sections.change(connection, section.id, checked):
            raise NoSecretError(section.slug)
        note()
    publishing.publish(connection, client)
    return of(connection, section)


def of(connection: psycopg.Connection, section: Section) -> Section:
    """The section with its rules as they are by now."""
    return sections.of_id(connection, section.id)


def _checked(changes: SectionChanges) -> SectionChanges:
    errors: list[FieldError] = []
    if changes.allowed_origins is not None:
        patterns, errors = origins.read_patterns(changes.allowed_origins)
        changes = msgspec.structs.replace(changes, allowed_origins=patterns)
    days = changes.visitor_days
    if days is not None and not 1 <= days <= MOST_VISITOR_DAYS:
        message = f"A visitor id is good for 1 to {MOST_VISITOR_DAYS:,} days."
        errors.append(FieldError("visitor_days", ErrorCode.OUT_OF_RANGE, message))
    if changes.addresses is not None and changes.addresses not in ADDRESSES:
        message = f"There is no {changes.addresses!r}: keep addresses {', '.join(ADDRESSES)}."
        errors.append(FieldError("addresses", ErrorCode.BAD_FORMAT, message))
    if errors:
        raise InvalidDraftError("The section was not changed:", errors)
    return changes


def to_paste_again(
    connection: psycopg.Connection, before: Section, after: Section
) -> list[str] | None:
    """The slugs of the events whose snippets must be pasted again after a change.

    None: the change is nothing that snippets are rendered from.
    """
    if _rendered(before) == _rendered(after):
        return None
    return [one.slug for one in definitions.visible(connection, after.id) if one.web_tracking]


def _rendered(section: Section) -> tuple[bool, bool, int]:
    """The rules that stand in the snippets themselves: see tracking.snippet_config."""
    return section.consent_required, section.honour_signals, section.visitor_days


def told(section: Section) -> dict[str, str]:
    """A section's rules in plain words, by what they are about."""
    every = "hits may come from every website"
    return {
        "Origins": f"only from {', '.join(section.allowed_origins)}"
        if section.allowed_origins
        else every,
        "Without Origin": "hits without an Origin header, as servers and images send, are"
        f" {'refused' if section.strict_origin else 'let in'}",
        "Consent": _consent(section),
        "Signals": _signals(section),
        "Visitor ids": _visitor_ids(section.visitor_days),
        "IP addresses": ADDRESSES[section.addresses],
        "Signed tags": "are needed: hits whose tag is missing, wrong or expired go to quarantine"
        if section.signed_tags
        else "are not needed",
        "Signing secret": "there is one" if section.has_secret else "there is none",
        "Unsigned claims": "are believed, as if they were signed"
        if section.trusts_pages
        else "are data of the event, and find nobody",
    }


def changed(before: Section, after: Section) -> dict[str, str]:
    """The rules that differ, as they are after, by what they are about."""
    old = told(before)
    return {about: rule for about, rule in told(after).items() if rule != old[about]}


def changed_words(changes: Mapping[str, str]) -> str:
    """Changed rules on one line, for the audit log."""
    return "; ".join(f"{about}: {rule}" for about, rule in changes.items())


def _consent(section: Section) -> str:
    if section.consent_required:
        return "snippets store and send nothing until the page calls pintag('consent', true)"
    return "is assumed, until the page calls pintag('consent', false)"


def _signals(section: Section) -> str:
    if section.consent_required:
        return "of browsers make no difference, as consent is asked for anyway"
    if section.honour_signals:
        return "Do Not Track and Global Privacy Control mean no, until the page says otherwise"
    return "Do Not Track and Global Privacy Control are ignored"


def _visitor_ids(days: int) -> str:
    return f"are good for {days:,} day{'' if days == 1 else 's'}, then a new one is made"
