"""Allowed operations and hiding, by form."""

import psycopg
from redis import Redis

from tests.pages.conftest import Person, SignIn
from tests.pages.test_event_form import find
from tests.pages.typed import Typed
from tracker.actions import governing
from tracker.rules.accounts import Role
from tracker.stores import audit_log

RIGHTS = "/sections/shop/events/booking/rights"
HIDE = "/sections/shop/events/booking/hide"


def test_rights_are_taken_and_given_back(
    owner: Person, booking: None, db: psycopg.Connection
) -> None:
    governing.set_operations(db, find(db, "booking"), deny=["web:read"])
    Typed(owner, RIGHTS).untick("email:read").press()
    assert find(db, "booking").denied_operations == ["email:read", "web:read"]
    typed = Typed(owner, RIGHTS)
    assert "email:read" not in typed.form
    assert "write only" in typed.text
    typed.type(**{"email:read": "1"}).untick("mobile:write").untick("crm-id:write").press()
    assert "saved: not allowed: mobile:write, crm-id:write." in typed.text
    assert find(db, "booking").denied_operations == ["crm-id:write", "mobile:write", "web:read"]
    entry = audit_log.newest(db)[0]
    assert entry.action == "set the allowed operations of"
    assert entry.subject == "Booking: denied are mobile:write, crm-id:write"


def test_what_somebody_else_denied_meanwhile_stays_denied(
    owner: Person, booking: None, db: psycopg.Connection
) -> None:
    open_form = Typed(owner, RIGHTS)
    governing.set_operations(db, find(db, "booking"), deny=["email:read"])
    text = open_form.untick("mobile:write").press().text
    assert find(db, "booking").denied_operations == ["email:read", "mobile:write"]
    assert "saved: not allowed: email:read, mobile:write." in text


def test_hiding_is_asked_for_once_more(
    owner: Person, booking: None, db: psycopg.Connection, redis: Redis
) -> None:
    _, text = owner.get(HIDE)
    assert "Are you sure you want to proceed? This action cannot be undone." in text
    assert find(db, "booking").hidden_at is None
    _, text = owner.post(HIDE)
    assert "“Booking” is hidden." in text
    assert "events/booking" not in text
    assert find(db, "booking").hidden_at is not None
    assert audit_log.newest(db)[0].action == "hid the event"
    for address in (HIDE, RIGHTS, "/sections/shop/events/booking/edit"):
        status, text = owner.post(address)
        assert status == 404
        assert "was hidden" in text


def test_editors_are_not_offered_to_hide(sign_in: SignIn, booking: None) -> None:
    _, text = sign_in(Role.EDITOR).get("/sections/shop/data-model")
    assert "booking/edit" in text
    assert "booking/hide" not in text
