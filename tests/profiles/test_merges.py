"""Merges and unmerges: identifiers move, and their events with them."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from tests.profiles.cast import ANN, ANN_CRM, ANN_WEB, BEN, BEN_WEB, Harbour
from tracker.actions.merging import NoProfileError, OnlyIdentifierError, RefusedMergeError
from tracker.actions.refusals import ErasedError
from tracker.rules.keyspaces import Identity, Keyspace
from tracker.stores import database


def records(harbour: Harbour, identity: Identity) -> list[tuple[str, str, str]]:
    merges = harbour.show(identity).merges
    assert {merge.made_by for merge in merges} <= {"the crm"}
    return [(one.kind, one.first.key, one.second.key if one.second else "") for one in merges]


def profiles(harbour: Harbour) -> int:
    return len(harbour.rows("SELECT FROM profile"))


def test_a_merge_brings_both_timelines_together(harbour: Harbour) -> None:
    for identity, hour in ((ANN, 1), (ANN_WEB, 2), (BEN, 3)):
        harbour.post(identity, harbour.item(hours=hour))
    [of_ann], [of_web] = harbour.shown(ANN), harbour.shown(ANN_WEB)
    assert harbour.merge(ANN, ANN_WEB)
    assert harbour.shown(ANN) == harbour.shown(ANN_WEB) == [of_web, of_ann]
    assert harbour.known_as(ANN_WEB) == [ANN, ANN_WEB]
    assert len(harbour.shown(BEN)) == 1
    assert profiles(harbour) == 2
    for identity in (ANN, ANN_WEB):
        assert records(harbour, identity) == [("merged", ANN.key, ANN_WEB.key)]
    harbour.post(ANN_WEB, harbour.item())
    assert len(harbour.shown(ANN)) == 3
    assert harbour.balanced() == {"stored": 4}


@pytest.mark.parametrize("there", [(), (ANN,), (ANN_CRM,)], ids=str)
def test_missing_ones_are_made(harbour: Harbour, there: tuple[Identity, ...]) -> None:
    for identity in there:
        harbour.post(identity, harbour.item())
    assert harbour.merge(ANN, ANN_CRM)
    assert set(harbour.known_as(ANN)) == {ANN, ANN_CRM}
    assert profiles(harbour) == 1
    assert len(harbour.shown(ANN_CRM)) == len(there)


def test_those_who_are_one_stay_so(harbour: Harbour) -> None:
    assert harbour.merge(ANN, ANN_WEB)
    for pair in ((ANN, ANN_WEB), (ANN_WEB, ANN), (ANN, ANN)):
        assert not harbour.merge(*pair)
    assert len(records(harbour, ANN)) == 1


@pytest.mark.parametrize("pair", [(ANN, BEN), (ANN_WEB, BEN_WEB), (ANN_WEB, BEN)], ids=str)
def test_two_people_stay_two(harbour: Harbour, pair: tuple[Identity, Identity]) -> None:
    """Whichever of their identifiers are named: each has an address of its own."""
    harbour.merge(ANN, ANN_WEB)
    harbour.merge(BEN, BEN_WEB)
    with pytest.raises(RefusedMergeError, match="email") as refused:
        harbour.merge(*pair)
    assert refused.value.keyspaces == [Keyspace.EMAIL]
    assert profiles(harbour) == 2
    for identity in pair:
        assert records(harbour, identity)[0] == ("refused", pair[0].key, pair[1].key)


def test_one_profile_may_have_many_visitors(harbour: Harbour) -> None:
    assert harbour.merge(ANN_WEB, BEN_WEB)
    assert harbour.known_as(ANN_WEB) == [ANN_WEB, BEN_WEB]


def test_an_unmerge_takes_the_events_out_again(harbour: Harbour) -> None:
    for identity in (ANN, ANN_WEB):
        harbour.post(identity, harbour.item())
    before = harbour.shown(ANN), harbour.shown(ANN_WEB)
    harbour.merge(ANN, ANN_WEB)
    harbour.unmerge(ANN_WEB)
    assert (harbour.shown(ANN), harbour.shown(ANN_WEB)) == before
    assert (harbour.known_as(ANN), harbour.known_as(ANN_WEB)) == ([ANN], [ANN_WEB])
    for identity in (ANN, ANN_WEB):
        assert records(harbour, identity)[0] == ("unmerged", ANN_WEB.key, ANN.key)
    assert harbour.merge(ANN, ANN_WEB)
    assert harbour.balanced() == {"stored": 2}


def test_what_cannot_be_unmerged(harbour: Harbour) -> None:
    with pytest.raises(NoProfileError, match="No profile has the email"):
        harbour.unmerge(ANN)
    harbour.post(ANN, harbour.item())
    with pytest.raises(OnlyIdentifierError, match="only identifier"):
        harbour.unmerge(ANN)
    assert records(harbour, ANN) == []


@pytest.mark.parametrize("pair", [(ANN, BEN_WEB), (BEN_WEB, ANN)], ids=str)
def test_the_erased_are_not_merged(harbour: Harbour, pair: tuple[Identity, Identity]) -> None:
    harbour.erase(ANN)
    with pytest.raises(ErasedError):
        harbour.merge(*pair)
    with pytest.raises(ErasedError):
        harbour.unmerge(ANN)
    assert profiles(harbour) == 0


def test_sections_have_people_of_their_own(harbour: Harbour) -> None:
    harbour.post(ANN, harbour.item())
    harbour.db.execute("UPDATE identifier SET section_id = 77")
    harbour.db.execute("UPDATE profile SET section_id = 77")
    harbour.merge(ANN, ANN_WEB)
    assert harbour.shown(ANN) == []
    assert profiles(harbour) == 2


def test_merges_that_cross(harbour: Harbour) -> None:
    """Each pair both ways at once, round and round, with unmerges and posts between."""
    visitors = [Identity(Keyspace.WEB, f"visitor-{n}") for n in range(4)]
    pairs = [(a, b) for a in visitors for b in visitors if a != b]

    def cross(pair: tuple[Identity, Identity]) -> None:
        with database.connect(harbour.settings.database_url) as connection:
            own = harbour.on(connection)
            own.post(pair[0], own.item())
            own.merge(*pair)
            with suppress(OnlyIdentifierError):
                own.unmerge(pair[1])
            own.merge(*pair)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(cross, pairs * 3))
    for pair in pairs:
        harbour.merge(*pair)
    assert set(harbour.known_as(visitors[0])) == set(visitors)
    assert profiles(harbour) == 1
    assert len(harbour.shown(visitors[0])) == 36
    assert harbour.balanced() == {"stored": 36}


def test_two_merges_into_each_other_leave_one_profile(harbour: Harbour) -> None:
    for turn in range(10):
        first, second = (Identity(Keyspace.WEB, f"{turn}-{name}") for name in "ab")

        def merge(*pair: Identity) -> bool:
            with database.connect(harbour.settings.database_url) as connection:
                return harbour.on(connection).merge(*pair)

        with ThreadPoolExecutor(2) as threads:
            done = list(threads.map(merge, (first, second), (second, first)))
        assert sorted(done) == [False, True]
        assert len(records(harbour, first)) == 1
        assert profiles(harbour) == turn + 1
