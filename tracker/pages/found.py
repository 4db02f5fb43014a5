"""What the address of a page names."""

from tracker.pages.visit import MissingError, Visit
from tracker.stores import definitions
from tracker.stores.definitions import Definition


def event(visit: Visit) -> Definition:
    """The event that `{slug}` names, if it is not hidden. Raises MissingError."""
    slug = visit.path["slug"]
    found = definitions.by_slug(visit.connection, visit.section.id, slug) if _can_be(slug) else None
    if found is None:
        raise MissingError(f"This section has no event {slug!r}.")
    if found.hidden_at is not None:
        raise MissingError(f"{found.name!r} was hidden, which can't be undone.")
    return found


def _can_be(slug: str) -> bool:
    return "\0" not in slug  # PostgreSQL has no such text
