"""What changed between two versions, and whether the old version's hits would fit the new one.

A hit knows keys only, no ids: whether hits fit is judged key by key, also where fields have
exchanged their keys. All changes fit exactly if every hit that is valid under the old fields is
valid under the new ones: tests/rules/test_diffs.py proves it against the Validator.
"""

from collections.abc import Iterator, Sequence

import msgspec

from tracker.rules.described import Described
from tracker.rules.fields import Field, FieldType
from tracker.rules.validation import SOURCE

_FITTING = {
    (FieldType.INTEGER, FieldType.DECIMAL),
    (FieldType.DATE, FieldType.TEXT),
}
"""Types of which the second takes every spelling that the first takes."""


_LABELS = {type_.value: type_.label for type_ in FieldType}


class ChangeKind(Described):
    """How a field can change from one version to another; `.meaning` says it in a sentence."""

    meaning: str

    ADDED = "added", "A field that the old version does not have."
    REMOVED = "removed", "A field that the new version does not have."
    RENAMED = "renamed", "The same field, by its id, has another key."
    RETYPED = "retyped", "The field has another type."
    REQUIRED = "required", "The field was optional, and is required now."
    OPTIONAL = "optional", "The field was required, and is optional now."
    RELABELLED = "relabelled", "The field has another label."
    REDESCRIBED = "redescribed", "The field has another description."
    REORDERED = "reordered", "The fields that both versions have are in another order."


class Change(msgspec.Struct, frozen=True):
    """One change: `field` is the key, the new one if the field has one ("" for all fields).

    fits: whether a hit that is valid under the old version would, as far as this change goes, be
    valid under the new one; sentence: the same for people; before and after: what changed, as text.
    """

    kind: ChangeKind
    field: str
    field_id: str
    fits: bool
    sentence: str
    before: str | None = None
    after: str | None = None

    @property
    def labelled(self) -> str:
        """The sentence with types as the pages name them."""
        if self.kind is not ChangeKind.RETYPED:
            return self.sentence
        old, new = (_LABELS[str(type_)] for type_ in (self.before, self.after))
        return _retyped(self.field, old, new, self.fits)


def compare(old: Sequence[Field], new: Sequence[Field]) -> list[Change]:
    """Every change from one version's fields to another's; none exactly if they are equal."""
    keys = _Keys(old, new)
    before = {field.id: field for field in old}
    after = {field.id for field in new}
    changes: list[Change] = []
    for field in new:
        if field.id in before:
            changes += _changes(before[field.id], field, keys)
        else:
            changes.append(_added(field, keys))
    changes += [_removed(field, keys) for field in old if field.id not in after]
    stayed = [field.id for field in old if field.id in after]
    if stayed != [field.id for field in new if field.id in before]:
        changes.append(_reordered(old, new))
    return changes


class _Keys:
    """Both versions by key: all that a hit can tell them apart by."""

    def __init__(self, old: Sequence[Field], new: Sequence[Field]) -> None:
        self.old = {field.key: field for field in old}
        self.new = {field.key: field for field in new}

    def fits(self, *keys: str) -> bool:
        return all(self._fits(self.old.get(key), self.new.get(key)) for key in keys)

    def _fits(self, old: Field | None, new: Field | None) -> bool:
        if new is None:
            return old is None
        if old is None:
            return not _must_send(new)
        return _takes(old.type, new.type) and (old.required or not _must_send(new))


def _must_send(field: Field) -> bool:
    return field.required and field.key != SOURCE


def _takes(old: FieldType, new: FieldType) -> bool:
    return old is new or (old, new) in _FITTING


def _added(field: Field, keys: _Keys) -> Change:
    fits = keys.fits(field.key)
    if field.key in keys.old:
        sentence = f"`{field.key}` is another field than before, under the same key: its values"
        sentence += " fit." if fits else " would not all fit."
    elif fits:
        sentence = f"`{field.key}` is new and optional: hits may leave it out."
    else:
        sentence = f"`{field.key}` is new and required: hits without it would be rejected."
    return Change(ChangeKind.ADDED, field.key, field.id, fits, sentence, after=field.type)


def _removed(field: Field, keys: _Keys) -> Change:
    fits = keys.fits(field.key)
    if field.key in keys.new:
        sentence = f"`{field.key}` is gone, and another field has its key: its values"
        sentence += " fit." if fits else " would not all fit."
    else:
        sentence = f"`{field.key}` is gone: hits that send it would be rejected."
    return Change(ChangeKind.REMOVED, field.key, field.id, fits, sentence, before=field.type)


def _changes(old: Field, new: Field, keys: _Keys) -> Iterator[Change]:
    """What became of a field that both versions have."""
    renamed = old.key != new.key
    fits = keys.fits(old.key, new.key)

    def change(kind: ChangeKind, fits: bool, sentence: str, before: str, after: str) -> Change:
        return Change(kind, new.key, new.id, fits, sentence, before, after)

    if renamed:
        said = _renamed(old.key, new.key, fits)
        yield change(ChangeKind.RENAMED, fits, said, old.key, new.key)
    if old.type is not new.type:
        # Under another key its values go elsewhere: the keys decide, as they do for the renaming.
        taken = fits if renamed else _takes(old.type, new.type)
        said = _retyped(new.key, old.type, new.type, taken)
        yield change(ChangeKind.RETYPED, taken, said, old.type, new.type)
    if old.required and not new.required:
        said = f"`{new.key}` is optional now: hits may leave it out."
        yield change(ChangeKind.OPTIONAL, True, said, "required", "optional")
    if new.required and not old.required:
        needless = fits if renamed else not _must_send(new)
        said = f"`{new.key}` is required now: "
        said += "hits have it." if needless else "hits without it would be rejected."
        yield change(ChangeKind.REQUIRED, needless, said, "optional", "required")
    if old.label != new.label:
        said = f"`{new.key}` has another label: hits carry none."
        yield change(ChangeKind.RELABELLED, True, said, old.label, new.label)
    if old.description != new.description:
        said = f"`{new.key}` has another description: hits carry none."
        yield change(ChangeKind.REDESCRIBED, True, said, old.description, new.description)


def _renamed(old: str, new: str, fits: bool) -> str:
    if fits:
        return f"`{old}` has the key `{new}` now: what hits send fits the fields with its keys."
    return f"`{old}` has the key `{new}` now: hits with the old key would be rejected."


def _retyped(key: str, old: str, new: str, fits: bool) -> str:
    if fits:
        return f"`{key}` was {old} and is {new} now, which takes the same values."
    return f"`{key}` was {old} and is {new} now: hits with what is no {new} would be rejected."


def _reordered(old: Sequence[Field], new: Sequence[Field]) -> Change:
    sentence = "The fields are in another order: hits may send them in any."
    before, after = (", ".join(field.key for field in fields) for fields in (old, new))
    return Change(ChangeKind.REORDERED, "", "", True, sentence, before, after)
