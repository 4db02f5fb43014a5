"""What is done to an event stands in the audit log, or neither is done."""

import psycopg
import pytest
from redis import Redis

from tests.pages.conftest import Person
from tests.pages.test_event_form import EDIT, NEW, find
from tests.pages.typed import Typed
from tracker.stores import audit_log, definitions, sections

PAGE = "/sections/shop/events/booking"


def noted(db: psycopg.Connection) -> list[str]:
    """What was done, the newest last."""
    return [one.action for one in reversed(audit_log.newest(db))]


def test_a_refused_edit_leaves_no_note(
    owner: Person, booking: None, db: psycopg.Connection
) -> None:
    late = Typed(owner, EDIT)
    Typed(owner, EDIT).type(description="First").press()
    assert late.type(description="Second").press().status == 409
    late.form["based_on"] = ["1"]
    assert late.press().status == 409
    assert late.type(f1_key="?").press().status == 422
    assert find(db, "booking").description == "First"
    assert noted(db) == ["edited the event"]


def test_what_is_hidden_or_switched_already_is_not_noted_again(
    owner: Person, booking: None, db: psycopg.Connection, redis: Redis
) -> None:
    owner.post(f"{PAGE}/tracking", to="on")
    assert noted(db) == []
    for _ in range(2):
        owner.post(f"{PAGE}/hide")
    assert noted(db) == ["hid the event"]


@pytest.mark.parametrize(
    ("address", "form"),
    [
        (NEW, {"name": "Poll", "row": "0", "f0-key": "source", "f0-required": "1"}),
        (EDIT, {"name": "Reservation", "based_on": "0", "row": "0", "f0-key": "source"}),
        (f"{PAGE}/rights", {}),
        (f"{PAGE}/tracking", {"to": "off", "sure": "yes"}),
        (f"{PAGE}/hide", {}),
    ],
)
def test_what_can_t_be_noted_is_not_done(
    owner: Person, booking: None, db: psycopg.Connection, address: str, form: dict[str, str]
) -> None:
    typed = {"f0-type": "text", "f0-required": "1", **form}
    before = definitions.visible(db, sections.choose(db, "shop").id)
    db.execute("ALTER TABLE audit_log ADD CHECK (action = '') NOT VALID")
    with pytest.raises(psycopg.errors.CheckViolation):
        owner.post(address, **typed)
    assert definitions.visible(db, sections.choose(db, "shop").id) == before
    db.execute("ALTER TABLE audit_log DROP CONSTRAINT audit_log_action_check")
    owner.post(address, **typed)
    assert definitions.visible(db, sections.choose(db, "shop").id) != before
    assert len(noted(db)) == 1
