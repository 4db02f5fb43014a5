"""Identifiers that several workers join, or make, at the same moment."""

import threading

from tests.embedded.waiting import until
from tests.worker.cast import ANN, BEN, Harbour, by_hand, hit, working
from tests.worker.processes import owners
from tracker.stores import database, event_locks, identities
from tracker.stores.identities import Name


def trust(harbour: Harbour) -> None:
    harbour.db.execute("UPDATE section SET trusts_pages = true")


def people(harbour: Harbour) -> list[list[str]]:
    rows = harbour.rows(
        "SELECT array_agg(key ORDER BY key) FROM profile p LEFT JOIN identifier i"
        " ON i.profile_id = p.id GROUP BY p.id ORDER BY 1"
    )
    return [person for (person,) in rows]


def test_a_visitor_id_that_is_made_while_a_batch_waits_to_join_it(harbour: Harbour) -> None:
    trust(harbour)
    section_id = harbour.booking.section_id
    harbour.send(hit(ANN, claims={"crm-id": "A-1"}), hit(BEN))
    with by_hand(harbour) as hand, database.connect(harbour.settings.database_url) as other:
        with other.transaction():
            event_locks.lock_identities(other, [section_id])
            thread = threading.Thread(target=hand.turn)
            thread.start()
            waiting = "SELECT FROM pg_locks WHERE classid = 7364 AND NOT granted"
            until(lambda: harbour.rows(waiting), "the batch waits")
            identities.ids(other, {Name(section_id, "web", ANN), Name(section_id, "web", BEN)})
        thread.join(60)
    assert people(harbour) == [["A-1", ANN], [BEN]]
    assert harbour.balanced() == {"stored": 2}


def test_a_batch_of_people_who_are_joined_already_needs_no_lock(harbour: Harbour) -> None:
    trust(harbour)
    known = {"crm-id": "A-1", "email": "ann@example.com"}
    with by_hand(harbour) as hand:
        harbour.send(hit(ANN, claims=known))
        hand.turn()
        harbour.send(hit(ANN, claims=known), hit(BEN))
        with harbour.db.transaction():
            event_locks.lock_identities(harbour.db, [harbour.booking.section_id])
            hand.turn()
    assert harbour.balanced() == {"stored": 3}


def test_two_workers_that_see_the_same_people(harbour: Harbour) -> None:
    """Twenty people with three browsers each, whose hits are all over the partitions."""
    trust(harbour)
    with working(harbour.settings), working(harbour.settings):
        until(lambda: list(owners(harbour).values()) == [4, 4], "both have partitions")
        for number in range(600):
            person = number % 20
            visitor, browser = f"v-{person}-{number % 3}", number * 7 % 8
            claims = {"crm-id": f"A-{person}"} if number % 7 else None
            harbour.send(hit(visitor, claims=claims), to=browser)
        harbour.until_empty()
    assert harbour.balanced() == {"stored": 600}
    expected = [[f"A-{n}", *(f"v-{n}-{browser}" for browser in range(3))] for n in range(20)]
    assert people(harbour) == sorted(expected)
