"""A section's new signing secret: what the one before signed is good for a time of grace."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.worker.cast import Harbour, drain, hit
from tracker.actions import signing
from tracker.rules import claims, tags
from tracker.rules.hits import Sender
from tracker.rules.keyspaces import Keyspace
from tracker.vault import Vault

DAY = timedelta(days=1)
NONE = timedelta()


def renewed(harbour: Harbour, grace: timedelta, ago: timedelta = NONE) -> str:
    """A new secret, made some time ago; the one before was good for so long from then on."""
    now = datetime.now(UTC) - ago
    section_id = harbour.booking.section_id
    return signing.renew_secret(harbour.db, Vault(harbour.settings), section_id, now, grace)


def come(harbour: Harbour, name: str, secret: str) -> None:
    """A hit whose claim was signed by a secret."""
    expires = int(time.time()) + 3_600
    signature = claims.sign(secret, "harbour", Keyspace.CRM_ID, name, expires)
    claim = {"key": name, "expires": expires, "signature": signature}
    harbour.send(hit(f"visitor of {name}", claims={"crm-id": claim}))


def believed(harbour: Harbour) -> set[str]:
    drain(harbour)
    rows = harbour.rows("SELECT key FROM identifier WHERE keyspace = 'crm-id'")
    return {key for (key,) in rows}


@pytest.mark.parametrize(
    ("grace", "ago", "both"),
    [
        (DAY, NONE, True),
        (DAY, DAY - timedelta(minutes=1), True),
        (DAY, DAY + timedelta(minutes=1), False),
        (NONE, NONE, False),
    ],
)
def test_the_one_before(harbour: Harbour, grace: timedelta, ago: timedelta, both: bool) -> None:
    old = renewed(harbour, NONE)
    new = renewed(harbour, grace, ago)
    come(harbour, "old", old)
    come(harbour, "new", new)
    come(harbour, "nobody", "")
    assert believed(harbour) == ({"old", "new"} if both else {"new"})
    harbour.balanced()


def test_of_three_the_first_has_ended(harbour: Harbour) -> None:
    first, second, third = (renewed(harbour, DAY) for _ in range(3))
    for name, secret in (("first", first), ("second", second), ("third", third)):
        come(harbour, name, secret)
    assert believed(harbour) == {"second", "third"}


def test_one_that_nobody_can_read_any_more_has_ended(harbour: Harbour) -> None:
    harbour.db.execute("UPDATE section SET signing_secret = 'of another key'")
    come(harbour, "new", renewed(harbour, DAY))
    assert believed(harbour) == {"new"}


def test_tags_too(harbour: Harbour) -> None:
    old = renewed(harbour, NONE)
    renewed(harbour, DAY)
    harbour.db.execute("UPDATE section SET signed_tags = true")
    tag = tags.sign(old, "harbour", harbour.key, int(time.time()) + 3_600)
    harbour.send(hit(), sender=Sender(None, "", tag))
    drain(harbour)
    assert harbour.balanced() == {"stored": 1}
