"""What is set on a definition beside its edits: its allowed operations, and its retention."""

from collections.abc import Sequence

import psycopg

from tracker.actions.refusals import HiddenError, InvalidDraftError
from tracker.rules import allowed_operations
from tracker.rules.allowed_operations import BadOperationError
from tracker.rules.errors import ErrorCode, FieldError
from tracker.stores import definitions, sections
from tracker.stores.definitions import Definition

MOST_DAYS = 36_500


def set_operations(
    connection: psycopg.Connection,
    definition: Definition,
    *,
    deny: Sequence[str] = (),
    allow: Sequence[str] = (),
) -> Definition:
    """Deny and allow operations such as `email:read`; those not named stay as they are.

    Keyspaces by short name or discriminator. Raises InvalidDraftError and HiddenError.
    """
    prefix = sections.installation(connection).prefix
    errors: list[FieldError] = []
    denied = _read("deny", deny, prefix, errors)
    allowed = _read("allow", allow, prefix, errors)
    for name in sorted(set(denied) & set(allowed)):
        message = f"{name} can't be both denied and allowed: choose one."
        errors.append(FieldError("allow", ErrorCode.DUPLICATE, message))
    if errors:
        raise InvalidDraftError("The allowed operations were not changed:", errors)
    if not definitions.set_denied(connection, definition.id, denied, allowed):
        raise HiddenError(definition.name)
    return definitions.get(connection, definition.id)


def _read(field: str, names: Sequence[str], prefix: str, errors: list[FieldError]) -> Sequence[str]:
    read = []
    for index, name in enumerate(names):
        try:
            read.append(allowed_operations.parse(name, prefix))
        except BadOperationError as error:
            errors.append(FieldError(f"{field}[{index}]", ErrorCode.BAD_FORMAT, str(error)))
    return read


def set_retention(
    connection: psycopg.Connection, definition: Definition, days: int | None
) -> Definition:
    """Let events live for so many days, None: for ever. Raises InvalidDraftError, HiddenError."""
    if days is not None and not 1 <= days <= MOST_DAYS:
        message = f"Events live for 1 to {MOST_DAYS:,} days, or for ever."
        error = FieldError("ttl_days", ErrorCode.OUT_OF_RANGE, message)
        raise InvalidDraftError("The retention was not changed:", [error])
    if not definitions.set_ttl(connection, definition.id, days):
        raise HiddenError(definition.name)
    return definitions.get(connection, definition.id)
