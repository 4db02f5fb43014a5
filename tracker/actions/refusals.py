"""Why something can't be done with a definition now: errors that say it, and carry its data."""

from collections.abc import Sequence
from datetime import datetime

from tracker.rules.edits import Changes, told
from tracker.rules.errors import FieldError
from tracker.rules.keyspaces import Identity
from tracker.rules.moments import in_words


class RefusedError(Exception):
    """What was asked for is refused; the message says why, and what to do."""


class InvalidDraftError(RefusedError):
    """What was sent is wrong in itself; `errors` say where."""

    def __init__(self, message: str, errors: Sequence[FieldError]) -> None:
        lines = [f"  {error.field or '(the whole)'}: {error.message}" for error in errors]
        super().__init__("\n".join([message, *lines]))
        self.errors = list(errors)


class LockedError(RefusedError):
    """The definition was edited a short time ago; `until` is when it can be edited again."""

    def __init__(self, name: str, until: datetime, now: datetime) -> None:
        again = f"{name!r} can be edited again {in_words(until, now)}"
        super().__init__(f"{again}: each edit locks it for a while.")
        self.until = until


class EditConflictError(RefusedError):
    """Somebody else edited the definition meanwhile.

    `changes` are those since the edit that was seen, `edits` is the number of edits by now, and
    `until` when it can be edited again, None for now.
    """

    def __init__(
        self, name: str, changes: Changes, edits: int, until: datetime | None, now: datetime
    ) -> None:
        again = f" It can be edited again {in_words(until, now)}." if until else ""
        first = f"{name!r} was edited meanwhile: nothing was saved.{again}"
        super().__init__("\n".join([first, *told(changes)]))
        self.changes = changes
        self.edits = edits
        self.until = until


class HiddenError(RefusedError):
    """The definition was hidden, for good."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} was hidden, which can't be undone: make another event.")


class NoSuchVersionError(RefusedError):
    """The definition has no version of this number or id, or too few for a comparison."""


class ErasedError(RefusedError):
    """The person whom an identifier belonged to was erased, for good."""

    def __init__(self, identity: Identity) -> None:
        super().__init__(f"The {identity.keyspace} {identity.key!r} was erased, for good.")
