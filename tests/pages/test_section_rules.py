"""The rules of a section, changed by its owner."""

import html
import re
from dataclasses import replace
from threading import Thread

import psycopg
import pytest
from redis import Redis
from starlette.testclient import TestClient

from tests.embedded.waiting import until
from tests.pages.conftest import Person, SignIn
from tests.pages.test_accounts import done
from tests.pages.typed import Typed
from tracker.actions import section_settings
from tracker.settings import Settings
from tracker.stores import audit_log, database, key_table, sections
from tracker.stores.sections import Section, SectionChanges

RULES = "/sections/shop/rules"


def shop(db: psycopg.Connection) -> Section:
    return sections.choose(db, "shop")


def test_what_is_shown_can_be_saved_and_changes_nothing(
    owner: Person, db: psycopg.Connection
) -> None:
    before = shop(db)
    typed = Typed(owner, RULES).press()
    assert "The rules were so already" in typed.text
    assert shop(db) == before
    assert audit_log.newest(db) == []


def test_rules_are_changed_together_and_noted(
    owner: Person, db: psycopg.Connection, redis: Redis
) -> None:
    typed = Typed(owner, RULES).untick("honour_signals")
    typed.form |= {
        "origins": ["https://a.example\r\nHTTPS://*.B.example/"],
        "consent_required": ["1"],
        "visitor_days": ["30"],
        "addresses": ["truncated"],
    }
    typed.press()
    assert "Saved: Origins, Consent, Signals, Visitor ids, IP addresses." in typed.text
    after = shop(db)
    assert after.allowed_origins == ["https://a.example", "https://*.b.example"]
    assert (after.consent_required, after.honour_signals) == (True, False)
    assert (after.visitor_days, after.addresses) == (30, "truncated")
    account, action, subject = done(db)
    assert (account, action) == ("owner of shop", "changed the rules")
    assert "Origins: only from https://a.example" in subject
    assert key_table.published_revision(redis) is not None


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("origins", "https://a.example\nshop.example", "shop.example"),
        ("visitor_days", "0", "A visitor id is good for"),
        ("visitor_days", "many", "A visitor id is good for"),
        ("addresses", "some", "keep addresses"),
    ],
)
def test_what_is_wrong_stands_beside_it_and_nothing_typed_is_lost(
    owner: Person, db: psycopg.Connection, name: str, value: str, says: str
) -> None:
    before = shop(db)
    typed = Typed(owner, RULES)
    typed.form |= {"strict_origin": ["1"], name: [value]}
    typed.press()
    assert typed.status == 422
    assert says in html.unescape(typed.errors[name])
    assert typed.form["strict_origin"] == ["1"]
    assert value in typed.text or name == "addresses"
    assert shop(db) == before


def test_signed_tags_need_a_secret_which_is_shown_once(
    owner: Person, db: psycopg.Connection
) -> None:
    typed = Typed(owner, RULES)
    typed.form["signed_tags"] = ["1"]
    typed.press()
    assert typed.status == 409
    assert "make a signing secret first" in typed.errors["signed_tags"]
    _, text = owner.post(f"{RULES}/secret")
    (secret,) = re.findall(r">([0-9a-f]{64})<", text)
    assert done(db) == ("owner of shop", "made a new signing secret", "")
    assert shop(db).has_secret
    assert secret not in owner.get(RULES)[1]
    typed = Typed(owner, RULES)
    typed.form["signed_tags"] = ["1"]
    typed.press()
    assert shop(db).signed_tags


def test_the_signing_secret_before_ends_in_a_day_or_at_once(owner: Person) -> None:
    assert "what the one before signed" not in owner.post(f"{RULES}/secret")[1]
    assert "signed is refused in a day." in owner.post(f"{RULES}/secret")[1]
    assert "signed is refused from now on." in owner.post(f"{RULES}/secret", at_once="1")[1]


def test_without_a_secret_key_no_secret_is_made(stranger: TestClient, owner: Person) -> None:
    state = stranger.app.state  # type: ignore[attr-defined]
    state.settings = replace(state.settings, secret_key="")
    status, text = owner.post(f"{RULES}/secret")
    assert status == 409
    assert "PINTAG_SECRET_KEY must be set" in text


def test_nobodys_change_is_taken_back_unseen(
    owner: Person, db: psycopg.Connection, redis: Redis
) -> None:
    typed = Typed(owner, RULES)
    section_settings.change(db, redis, shop(db), SectionChanges(addresses="whole"))
    typed.form["consent_required"] = ["1"]
    typed.press()
    assert typed.status == 409
    assert "Somebody else changed these rules" in typed.text
    assert (shop(db).addresses, shop(db).consent_required) == ("whole", False)
    assert typed.form["consent_required"] == ["1"]
    typed.press()
    assert (shop(db).addresses, shop(db).consent_required) == ("none", True)


def test_who_is_no_owner_sees_rules_but_changes_none(sign_in: SignIn, booking: None) -> None:
    _, text = sign_in("editor").get("/sections/shop/settings")
    assert "hits may come from every website" in text
    assert RULES not in text


def test_snippets_that_must_be_pasted_again_are_named(owner: Person, booking: None) -> None:
    typed = Typed(owner, RULES)
    typed.form["consent_required"] = ["1"]
    typed.press()
    assert "paste them again, of booking." in typed.text


def test_rules_that_change_while_they_are_saved_are_not_undone(
    owner: Person, db: psycopg.Connection, settings: Settings
) -> None:
    typed, heard = Typed(owner, RULES), []
    with database.connect(settings.database_url) as other, other.transaction():
        other.execute("UPDATE section SET consent_required = true WHERE slug = 'shop'")
        saving = Thread(target=lambda: heard.append(typed.press().text))
        saving.start()
        waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s"
        until(lambda: db.execute(waiting, (db.info.dbname,)).fetchone() is not None)
    saving.join(60)
    assert "nothing was saved" in heard[0]
    assert shop(db).consent_required
    typed.press()
    assert not shop(db).consent_required
