"""Whatever is merged, unmerged and posted: everybody is on one profile, and no event is lost."""

import itertools
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.profiles.cast import Harbour
from tracker.actions.merging import OnlyIdentifierError, RefusedMergeError
from tracker.rules.keyspaces import Identity, Keyspace

PEOPLE = [
    (Keyspace.WEB, "w1"),
    (Keyspace.WEB, "w2"),
    (Keyspace.EMAIL, "a@example.com"),
    (Keyspace.EMAIL, "b@example.com"),
    (Keyspace.CRM_ID, "7"),
]
_turns = itertools.count()
_one = st.integers(0, len(PEOPLE) - 1)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("merge"), _one, _one),
        st.tuples(st.just("unmerge"), _one, _one),
        st.tuples(st.just("post"), _one, _one),
    ),
    max_size=14,
)


class Model:
    """Who is one person, as sets, and how many events came by each identifier."""

    def __init__(self, cast: list[Identity]) -> None:
        self.cast = cast
        self.groups: list[set[Identity]] = [{one} for one in cast]
        self.events: Counter[Identity] = Counter()

    def group(self, identity: Identity) -> set[Identity]:
        return next(group for group in self.groups if identity in group)

    def clash(self, first: Identity, second: Identity) -> bool:
        one, other = self.group(first), self.group(second)
        values = {i.keyspace for i in one} & {i.keyspace for i in other}
        return one is not other and any(not keyspace.many for keyspace in values)

    def merge(self, first: Identity, second: Identity) -> None:
        one, other = self.group(first), self.group(second)
        if one is not other:
            one |= other
            self.groups.remove(other)

    def unmerge(self, identity: Identity) -> None:
        self.group(identity).remove(identity)
        self.groups.append({identity})


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS)
def test_profiles_are_as_sets_of_identifiers(harbour: Harbour, steps: list[Any]) -> None:
    turn = next(_turns)
    cast = [Identity(keyspace, f"{turn}-{key}") for keyspace, key in PEOPLE]
    model, before = Model(cast), len(harbour.rows("SELECT FROM profile"))
    for one in cast:
        take(harbour, model, "post", one, one)
    for what, first, second in steps:
        take(harbour, model, what, cast[first], cast[second])
    for one in cast:
        group = model.group(one)
        assert set(harbour.known_as(one)) == group
        assert len(harbour.shown(one)) == sum(model.events[other] for other in group)
    assert len(harbour.rows("SELECT FROM profile")) - before == len(model.groups)
    harbour.balanced()


def take(harbour: Harbour, model: Model, what: str, first: Identity, second: Identity) -> None:
    """Take a step in both, which must be refused in both or in none."""
    if what == "post":
        harbour.post(first, harbour.item())
        model.events[first] += 1
    elif what == "unmerge" and len(model.group(first)) == 1:
        with pytest.raises(OnlyIdentifierError):
            harbour.unmerge(first)
    elif what == "unmerge":
        harbour.unmerge(first)
        model.unmerge(first)
    elif model.clash(first, second):
        with pytest.raises(RefusedMergeError):
            harbour.merge(first, second)
    else:
        assert harbour.merge(first, second) == (model.group(first) is not model.group(second))
        model.merge(first, second)
