"""Claims in hits: whose event it becomes, which identifiers are joined, and what ends elsewhere."""

import itertools
import json
import time
from dataclasses import replace
from typing import Any

import pytest

from tests.worker import cast
from tests.worker.cast import ANN, BEN, Harbour, by_hand, drain, track
from tests.worker.test_replay import replayed
from tracker.rules.claims import sign
from tracker.rules.keyspaces import Identity, Keyspace
from tracker.settings import Settings, SettingsError
from tracker.stores import catalog
from tracker.vault import Vault
from worker.context import Context
from worker.loop import Worker

SECRET = "only the harbour's servers know it"
CRM, MAIL, PHONE = Keyspace.CRM_ID, Keyspace.EMAIL, Keyspace.MOBILE
_times = itertools.count(1)
Person = list[tuple[str, str]]
"""The identifiers of a profile, in order."""


@pytest.fixture(autouse=True)
def signing(harbour: Harbour) -> None:
    """Harbour has a signing secret."""
    secret = Vault(harbour.settings).encrypt(SECRET)
    harbour.db.execute("UPDATE section SET signing_secret = %s", (secret,))


def hit(visitor: str | None = ANN, **changes: Any) -> dict[str, Any]:
    """A good hit, which happened after those before it."""
    return cast.hit(visitor, at=next(_times), **changes)


def signed(keyspace: Keyspace, key: str, seconds: int = 86_400) -> dict[str, Any]:
    expires = int(time.time()) + seconds
    signature = sign(SECRET, "harbour", keyspace, key, expires)
    return {"key": key, "expires": expires, "signature": signature}


def good(**claims: str) -> dict[str, Any]:
    """Claims that Harbour signed: `good(crm_id="A-1")`."""
    names = {name.replace("_", "-"): key for name, key in claims.items()}
    return {one: signed(one, names[one]) for one in Keyspace if one in names}


def people(harbour: Harbour) -> list[Person]:
    """Who there is: each profile by its identifiers."""
    rows = harbour.rows(
        "SELECT array_agg(keyspace || ' ' || key ORDER BY keyspace, key) FROM profile p"
        " LEFT JOIN identifier i ON i.profile_id = p.id AND i.section_id = p.section_id"
        " GROUP BY p.id ORDER BY 1"
    )
    return [[tuple(one.split(" ", 1)) for one in person] for (person,) in rows]


def owners(harbour: Harbour) -> list[str]:
    """The identifiers that events belong to, in the order of the events."""
    rows = harbour.rows(
        "SELECT keyspace || ' ' || key FROM event e JOIN identifier i ON i.id = e.identifier_id"
        " ORDER BY event_time"
    )
    return [owner for (owner,) in rows]


def come(harbour: Harbour, *hits: dict[str, Any]) -> None:
    """Hits that come one after another, each in a batch of its own."""
    with by_hand(harbour) as hand:
        for one in hits:
            harbour.send(one)
            hand.turn()


@pytest.mark.parametrize("at_once", [True, False], ids=["one batch", "batch by batch"])
@pytest.mark.parametrize(
    ("hits", "owner", "expected"),
    [
        pytest.param(
            [(ANN, good(email="Ann@example.com"))],
            "email ann@example.com",
            [[("email", "ann@example.com"), ("web", ANN)]],
            id="signed",
        ),
        pytest.param(
            [(None, good(crm_id="A-1"))], "crm-id A-1", [[("crm-id", "A-1")]], id="no visitor"
        ),
        pytest.param(
            [(ANN, {"email": "ann@example.com"})], f"web {ANN}", [[("web", ANN)]], id="unsigned"
        ),
        pytest.param(
            [(ANN, {"email": signed(MAIL, "ann@example.com", -5)})],
            f"web {ANN}",
            [[("web", ANN)]],
            id="expired, but with a visitor",
        ),
        pytest.param(
            [(None, {**good(crm_id="A-1"), "email": signed(MAIL, "ann@example.com", -5)})],
            "crm-id A-1",
            [[("crm-id", "A-1")]],
            id="expired, but with another claim",
        ),
        pytest.param(
            [(ANN, None), (ANN, good(crm_id="A-1"))],
            "crm-id A-1",
            [[("crm-id", "A-1"), ("web", ANN)]],
            id="an anonymous profile becomes somebody's",
        ),
        pytest.param(
            [(None, good(crm_id="A-1")), (ANN, None), (ANN, good(crm_id="A-1"))],
            "crm-id A-1",
            [[("crm-id", "A-1"), ("web", ANN)]],
            id="an anonymous profile is taken over",
        ),
        pytest.param(
            [(ANN, good(crm_id="A-1")), (ANN, good(crm_id="B-1"))],
            "crm-id B-1",
            [[("crm-id", "A-1"), ("web", ANN)], [("crm-id", "B-1")]],
            id="a shared computer",
        ),
        pytest.param(
            [(ANN, good(email="ann@example.com")), (ANN, good(crm_id="B-1"))],
            "crm-id B-1",
            [[("crm-id", "B-1")], [("email", "ann@example.com"), ("web", ANN)]],
            id="a shared computer, in another keyspace",
        ),
        pytest.param(
            [(ANN, good(mobile="+46 70 123 45 67", email="ann@example.com", crm_id="A-1"))],
            "crm-id A-1",
            [
                [
                    ("crm-id", "A-1"),
                    ("email", "ann@example.com"),
                    ("mobile", "46701234567"),
                    ("web", ANN),
                ]
            ],
            id="three claims",
        ),
        pytest.param(
            [
                (ANN, good(email="ann@example.com")),
                (ANN, good(crm_id="A-1", email="ann@example.com")),
            ],
            "crm-id A-1",
            [[("crm-id", "A-1"), ("email", "ann@example.com"), ("web", ANN)]],
            id="a second claim leads to the profile",
        ),
        pytest.param(
            [
                (ANN, good(crm_id="A-1", email="ann@example.com")),
                (ANN, good(crm_id="A-1", email="ann@work.example")),
            ],
            "crm-id A-1",
            [[("crm-id", "A-1"), ("email", "ann@example.com"), ("web", ANN)]],
            id="the slot is taken",
        ),
        pytest.param(
            [
                (None, good(email="ben@example.com")),
                (None, good(crm_id="A-1")),
                (ANN, good(crm_id="A-1", email="ben@example.com")),
            ],
            "crm-id A-1",
            [[("crm-id", "A-1"), ("web", ANN)], [("email", "ben@example.com")]],
            id="the second claim is somebody else's",
        ),
        pytest.param(
            [(ANN, good(crm_id="A-1")), (BEN, good(crm_id="A-1")), (BEN, None)],
            f"web {BEN}",
            [[("crm-id", "A-1"), ("web", ANN), ("web", BEN)]],
            id="two browsers of one person",
        ),
    ],
)
def test_whose_event_it_is_and_who_is_joined(
    harbour: Harbour,
    hits: list[tuple[str | None, dict[str, Any] | None]],
    owner: str,
    expected: list[Person],
    at_once: bool,
) -> None:
    sent = [hit(visitor, claims=claims) for visitor, claims in hits]
    if at_once:
        harbour.send(*sent)
        drain(harbour)
    else:
        come(harbour, *sent)
    assert people(harbour) == expected
    assert owners(harbour)[-1] == owner
    assert harbour.balanced() == {"stored": len(hits)}


def test_a_taken_over_profile_brings_all_its_visitors_and_events(harbour: Harbour) -> None:
    come(harbour, hit(ANN), hit(BEN))
    harbour.db.execute("UPDATE identifier SET profile_id = 1")
    harbour.db.execute("DELETE FROM profile WHERE id <> 1")
    come(harbour, hit(None, claims=good(crm_id="A-1")), hit(BEN, claims=good(crm_id="A-1")))
    assert people(harbour) == [[("crm-id", "A-1"), ("web", ANN), ("web", BEN)]]
    assert owners(harbour) == [f"web {ANN}", f"web {BEN}", "crm-id A-1", "crm-id A-1"]


@pytest.mark.parametrize(
    ("visitor", "claims", "code"),
    [
        (ANN, {"email": {**signed(MAIL, "ann@example.com"), "key": "ben@b.eu"}}, "bad_signature"),
        (ANN, {"email": {**signed(MAIL, "ann@example.com"), "expires": 2**32}}, "bad_signature"),
        (ANN, {"mobile": signed(MAIL, "46701234567")}, "bad_signature"),
        (ANN, {"email": signed(MAIL, "ann")}, "bad_format"),
        (None, {"email": signed(MAIL, "ann@example.com", -1)}, "expired"),
        (None, {"email": signed(MAIL, "ann@example.com", -1), "mobile": "46701234567"}, "expired"),
    ],
)
def test_bad_claims(
    harbour: Harbour, visitor: str | None, claims: dict[str, Any], code: str
) -> None:
    harbour.send(hit(visitor, claims=claims))
    drain(harbour)
    ((reason, errors),) = harbour.rows("SELECT reason, errors FROM quarantine")
    assert reason == "bad_claim"
    assert [error["code"] for error in errors] == [code]
    assert people(harbour) == []
    assert harbour.balanced() == {"quarantined": 1}


def test_a_claim_of_another_section_is_bad(harbour: Harbour) -> None:
    _, elsewhere = track(harbour.db, harbour.redis, "elsewhere")
    harbour.send(hit(claims=good(crm_id="A-1")), key=elsewhere)
    drain(harbour)
    assert harbour.quarantined() == ["bad_claim"]


def test_only_unsigned_claims_are_no_identifier(harbour: Harbour) -> None:
    harbour.send(hit(None, claims={"email": "ann@example.com"}))
    drain(harbour)
    assert harbour.audit().reasons == {("dropped", "no_identifier"): 1}


def test_a_section_that_trusts_its_pages(harbour: Harbour) -> None:
    harbour.db.execute("UPDATE section SET trusts_pages = true")
    harbour.send(
        hit(ANN, claims={"email": "Ann@example.com"}),
        hit(None, claims={"mobile": signed(PHONE, "+46701234567", -5)}),
        hit(BEN, claims={"email": "none", "crm-id": ["B-1"]}),
    )
    drain(harbour)
    assert owners(harbour) == ["email ann@example.com", "mobile 46701234567", f"web {BEN}"]
    assert people(harbour)[0] == [("email", "ann@example.com"), ("web", ANN)]


def test_what_an_event_keeps_of_its_claims(harbour: Harbour) -> None:
    """Unsigned ones as they were sent; of proven ones the key, as the signature is still good."""
    expired = signed(PHONE, "+46701234567", -5)
    sent = {"x": [1.0], "email": signed(MAIL, "Ann@example.com"), "mobile": expired}
    harbour.send(hit(claims=sent), hit(claims={"email": "Ann@example.com", "x": None}))
    drain(harbour)
    kept = [
        json.loads(text) for (text,) in harbour.rows("SELECT claims FROM event ORDER BY event_time")
    ]
    assert kept[0] == {"x": [1.0], "email": "ann@example.com", "mobile": expired}
    assert kept[1] == {"email": "Ann@example.com", "x": None}


def test_a_duplicate_is_one_with_claims_too(harbour: Harbour) -> None:
    one = hit(claims=good(crm_id="A-1"))
    harbour.send(one, one)
    drain(harbour)
    assert harbour.balanced() == {"stored": 1, "duplicate": 1}


def test_a_replay_joins_too(harbour: Harbour) -> None:
    harbour.db.execute("UPDATE section SET signing_secret = NULL")
    harbour.send(hit(ANN), hit(ANN, claims=good(crm_id="A-1")), hit(BEN, claims=good(crm_id="B-1")))
    drain(harbour)
    assert harbour.quarantined() == ["bad_claim", "bad_claim"]
    secret = Vault(harbour.settings).encrypt(SECRET)
    harbour.db.execute("UPDATE section SET signing_secret = %s", (secret,))
    assert replayed(harbour) == {"stored": 2}
    assert people(harbour) == [
        [("crm-id", "A-1"), ("web", ANN)],
        [("crm-id", "B-1"), ("web", BEN)],
    ]


# -- erased people


def erase(harbour: Harbour, keyspace: Keyspace, key: str) -> None:
    hash_ = Vault(harbour.settings).erased_hash(harbour.booking.section_id, Identity(keyspace, key))
    harbour.db.execute(
        "INSERT INTO erased (section_id, hash, erased_at) SELECT id, %s, now() FROM section"
        " WHERE slug = 'harbour'",
        (hash_,),
    )


@pytest.mark.parametrize(
    ("visitor", "claims", "changes"),
    [
        (ANN, None, {}),
        (ANN, None, {"data": {}}),
        (ANN, None, {"id": "01000000-0000-7000-8000-000000000000"}),
        (ANN, good(crm_id="B-1"), {}),
        (ANN, {"crm-id": {**signed(CRM, "B-1"), "key": "C-1"}}, {}),
        (BEN, good(email="Ann@example.com"), {}),
        (None, good(crm_id="B-1", email="ann@example.com"), {}),
        (None, {"email": signed(MAIL, "ann@example.com", -5)}, {}),
    ],
)
def test_hits_of_somebody_who_was_erased(
    harbour: Harbour, visitor: str | None, claims: dict[str, Any] | None, changes: dict[str, Any]
) -> None:
    erase(harbour, Keyspace.WEB, ANN)
    erase(harbour, MAIL, "ann@example.com")
    harbour.send(hit(visitor, claims=claims, **changes))
    drain(harbour)
    assert harbour.audit().reasons == {("dropped", "erased"): 1}
    assert harbour.balanced() == {"dropped": 1}
    assert people(harbour) == []


def test_others_can_not_name_who_was_erased(harbour: Harbour) -> None:
    erase(harbour, MAIL, "ann@example.com")
    harbour.send(
        hit(BEN, claims={"email": "ANN@example.com", "crm-id": "B-1"}),
        hit(BEN, claims={"email": signed(MAIL, "ann@example.com", -5)}),
        hit(BEN, claims={"e-mail": ["ann@example.com"], "x": "y"}),
    )
    drain(harbour)
    kept = harbour.rows("SELECT claims FROM event ORDER BY event_time")
    assert kept == [('{"crm-id":"B-1"}',), (None,), ('{"x":"y"}',)]
    assert harbour.balanced() == {"stored": 3}


def test_an_erasure_is_of_one_section(harbour: Harbour) -> None:
    _, elsewhere = track(harbour.db, harbour.redis, "elsewhere")
    erase(harbour, Keyspace.WEB, ANN)
    harbour.send(hit(ANN), key=elsewhere)
    harbour.send(hit(BEN))
    drain(harbour)
    assert harbour.balanced() == {"stored": 2}


def test_hashes_are_made_only_where_somebody_was_erased(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = Context(Settings())  # without a secret key
    harbour.db.execute("UPDATE section SET signing_secret = NULL")
    context.refresh(harbour.db)
    assert catalog.erased(harbour.db) == {}
    assert context.erased_in(1, json.dumps(hit(ANN)).encode()) == set()


def test_a_worker_without_the_secret_key_takes_no_hit(harbour: Harbour) -> None:
    """It could not tell good claims from bad ones: it ends, and hits wait."""
    harbour.send(hit(claims=good(crm_id="A-1")))
    for key in ("", "another-secret-key-than-the-one-before"):
        settings = replace(harbour.settings, secret_key=key)
        with pytest.raises(SettingsError, match="PINTAG_SECRET_KEY"):
            Worker(settings).run()
    assert harbour.audit().queued == 1
    drain(harbour)
    assert harbour.balanced() == {"stored": 1}
