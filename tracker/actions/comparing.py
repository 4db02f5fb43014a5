"""Comparing two versions of a definition."""

from dataclasses import dataclass

from tracker.actions.refusals import NoSuchVersionError
from tracker.rules.diffs import Change, compare
from tracker.stores.definitions import Definition, Version


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed from one version to another."""

    old: Version
    new: Version
    changes: list[Change]

    @property
    def fits(self) -> bool:
        """Whether every hit that is valid under the old version is valid under the new one."""
        return all(change.fits for change in self.changes)


def diff(definition: Definition, old: str | None = None, new: str | None = None) -> Comparison:
    """Compare two versions, each given by its number or id; left out, they are the two newest.

    With `old` alone, it is compared with the newest. Raises NoSuchVersionError.
    """
    newest = definition.versions[0]
    after = newest if new is None else version(definition, new)
    if old is not None:
        before = version(definition, old)
    else:
        earlier = (v for v in definition.versions if v.number < after.number)
        before = next(earlier, after)
        if before is after:
            raise NoSuchVersionError(
                f"{definition.name!r} has no version before {after.number}: name two versions."
            )
    return Comparison(before, after, compare(before.fields, after.fields))


def version(definition: Definition, name: str) -> Version:
    """The version of a number (`2`) or id (`ver_…`). Raises NoSuchVersionError."""
    for one in definition.versions:
        if name in (str(one.number), one.public_id):
            return one
    there_are = ", ".join(str(v.number) for v in reversed(definition.versions))
    raise NoSuchVersionError(
        f"{definition.name!r} has no version {name!r}. The versions are: {there_are}."
    )
