"""An event's page: versions, web tracking, the snippet in its forms, trying it out, its pages."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape

import msgspec
import psycopg
import pytest
from redis import Redis

from tests.pages.conftest import Person, SignIn
from tests.worker.cast import Harbour, drain, hit
from tracker.actions import editing, saving
from tracker.rules.accounts import Role
from tracker.rules.definitions import Category, Draft, FieldDraft
from tracker.rules.fields import FieldType
from tracker.rules.hits import Sender
from tracker.settings import Settings
from tracker.snippets import forms, tracking
from tracker.snippets.forms import FORMS, FormName
from tracker.stores import audit_log, definitions, sections, trials
from tracker.stores.definitions import Definition

PAGE = "/sections/shop/events/booking"
HOSTILE = '"><script>alert(1)</script>'
TEST = Sender(test=True)

Edited = Callable[..., Definition]


@pytest.fixture
def edit(db: psycopg.Connection, redis: Redis, event: Definition) -> Edited:
    """Save new fields, some time ago, with an hour until they can be used."""

    def make(*fields: FieldDraft, ago: timedelta = timedelta()) -> Definition:
        now, read = datetime.now(UTC) - ago, definitions.get(db, event.id)
        sent = {"fields": msgspec.to_builtins(fields)}
        return editing.edit(db, redis, read, sent, now=now, cooldown=3_600).definition

    return make


def field(key: str, required: bool = False, type: FieldType = FieldType.TEXT) -> FieldDraft:
    return FieldDraft(key=key, type=type, required=required)


def shown(text: str, id: str) -> str:
    """The text of the code block with an id."""
    found = re.search(rf'<code id="{id}">(.*?)</code>', text, re.DOTALL)
    assert found is not None
    return unescape(found[1])


def send(settings: Settings, db: psycopg.Connection, redis: Redis, event: Definition) -> Harbour:
    snippet = definitions.snippet_of(db, event.versions[-1].id)
    assert snippet is not None
    return Harbour(settings, db, redis, event, snippet.key)


def test_the_head_says_what_it_is(owner: Person, event: Definition) -> None:
    status, text = owner.get(PAGE)
    assert status == 200
    assert f"<code>{event.discriminator}</code>" in text
    assert "Booking <small>transaction</small>" in text
    assert "1, 4 fields" in text
    assert f'action="{PAGE}/tracking"' in text
    assert f'data-trials="{PAGE}/trials"' in text
    assert len(text.encode()) < 50_000


def test_an_address_has_the_slug_even_if_another_one_has_that_name(
    owner: Person, db: psycopg.Connection, redis: Redis, event: Definition
) -> None:
    now, sent = datetime.now(UTC), {"name": "Old booking"}
    editing.edit(db, redis, event, sent, now=now, cooldown=0)
    draft = Draft(category=Category.SIGNALS, name="booking")
    assert saving.create(db, event.section_id, draft, now).slug == "booking-2"
    assert "Old booking <small>transaction</small>" in owner.get(PAGE)[1]
    assert "booking <small>signal</small>" in owner.get(f"{PAGE}-2")[1]
    assert owner.get("/sections/shop/events/Old%20booking")[0] == 404


def test_types_have_the_names_of_the_form(owner: Person, edit: Edited) -> None:
    edit(field("source", True), field("reference", type=FieldType.TIMESTAMP))
    _, text = owner.get(PAGE)
    assert "<code>reference</code> <span>Time stamp</span>" in text
    assert "<code>reference</code> was Text and is Time stamp now" in text
    assert "<span>Number with decimals</span>" in text


def test_versions_say_what_changed_and_what_fits(owner: Person, edit: Edited) -> None:
    edit(field("source", True), field("reference", True), field("mood"))
    _, text = owner.get(PAGE)
    assert "Version 2 can be used from" in text
    assert "Locked after the last edit until" in text
    assert text.index("Version 2 <span") < text.index("Since version 1") < text.index("Version 1 <")
    fits = re.findall(r'<span class="tag (on|off)">[^<]*</span>\s*<code>(\w+)</code>', text)
    assert ("on", "mood") in fits
    assert ("off", "reference") in fits
    assert ("off", "amount") in fits
    assert '<span class="tag on">added</span>' in text


def test_only_the_newest_versions_are_there_until_asked_for(
    owner: Person, edit: Edited, db: psycopg.Connection, event: Definition
) -> None:
    for number in range(5):
        edit(field("source", True), field(f"f{number}"), ago=timedelta(hours=20 - 3 * number))
    _, text = owner.get(PAGE)
    assert "Version 2 <" not in text
    assert "Show 2 older" in text
    assert "Version 1 <" in owner.get(f"{PAGE}?versions=all")[1]


@pytest.mark.parametrize("form", FormName)
def test_the_snippet_in_every_form(
    owner: Person, event: Definition, db: psycopg.Connection, settings: Settings, form: FormName
) -> None:
    _, text = owner.get(f"{PAGE}?form={form}")
    assert f'aria-current="true">{FORMS[form].title} <code>{form}</code></a>' in unescape(text)
    config = tracking.snippet_config(db, settings, event, datetime.now(UTC))
    rendered = forms.render(config, form)
    assert shown(text, "snippet-text") == rendered.text
    if rendered.csp:
        assert shown(text, "policy-text") == "; ".join(rendered.csp)
    assert (rendered.integrity or "") in unescape(text)
    assert f"{len(rendered.text.encode()):,} bytes" in text
    assert FORMS[form].usage.format(slug="booking", suffix=FORMS[form].suffix) in unescape(text)
    example = forms.example(config, form)
    assert ('id="call-text"' in text) == bool(example)
    assert not example or shown(text, "call-text") == example


def test_a_version_that_can_t_be_used_yet_says_from_when(owner: Person, edit: Edited) -> None:
    later = edit(field("source", True))
    _, text = owner.get(f"{PAGE}?version=2")
    usable = f"{later.versions[0].usable_from:%Y-%m-%d %H:%M} UTC</time>: until then"
    assert usable in text
    assert "version 2" in shown(text, "snippet-text")
    _, text = owner.get(PAGE)
    assert "version 1" in shown(text, "snippet-text")
    at = f'<time datetime="{later.versions[0].usable_from.isoformat()}" data-at'
    assert f"<td>offered from {at}" in text
    assert f">usable from {at}" in text
    assert owner.get(f"{PAGE}?version=7")[0] == 404


def test_a_nonce_and_attributes(owner: Person, event: Definition) -> None:
    _, text = owner.get(f"{PAGE}?nonce=abc123&attributes=1")
    assert 'nonce="abc123"' in shown(text, "snippet-text")
    assert "'nonce-abc123'" in shown(text, "policy-text")
    assert "data-pintag" in shown(text, "snippet-text")
    answer = owner.client.get(PAGE, params={"nonce": HOSTILE})
    assert answer.status_code == 422
    text = answer.text
    assert "A nonce has 1 to 200 characters" in text
    assert f'value="{HOSTILE}' not in text


def test_the_switch_is_idempotent_and_in_the_audit_log(
    owner: Person, event: Definition, db: psycopg.Connection
) -> None:
    for to, said in (
        ("off", "answers 410"),
        ("off", "410"),
        ("on", "ready to paste"),
        ("on", "on"),
    ):
        status, text = owner.post(f"{PAGE}/tracking", to=to, sure="yes")
        assert status == 200
        assert f"Web tracking is {to}" in text
        assert said in text
        assert ("snippet-text" in text) is (to == "on")
    noted = [(one.action, one.subject) for one in audit_log.newest(db)]
    assert [one for one in noted if "tracking" in one[0]] == [
        ("switched on web tracking of", "Booking"),
        ("switched off web tracking of", "Booking"),
    ]
    assert owner.post(f"{PAGE}/tracking", to="maybe")[0] == 404


def test_switching_off_is_asked_for_once_more(
    owner: Person, event: Definition, db: psycopg.Connection
) -> None:
    _, text = owner.get(PAGE)
    assert "the collector answers 410 to all snippets of this event" in text
    status, text = owner.post(f"{PAGE}/tracking", to="off")
    assert status == 422
    assert '<details class="ask" open>' in text
    assert "It is still on: say that you are sure." in text
    assert definitions.get(db, event.id).web_tracking
    assert 'href="?' not in text


def test_a_viewer_reads_and_does_not_switch(sign_in: SignIn, event: Definition) -> None:
    viewer = sign_in(Role.VIEWER)
    _, text = viewer.get(PAGE)
    assert "snippet-text" in text
    assert "/tracking" not in text
    assert viewer.post(f"{PAGE}/tracking", to="off")[0] == 403


def test_a_hidden_event_is_not_there(
    owner: Person, event: Definition, db: psycopg.Connection
) -> None:
    db.execute("UPDATE definition SET hidden_at = now() WHERE id = %s", (event.id,))
    assert owner.get(PAGE)[0] == 404
    assert owner.post(f"{PAGE}/tracking", to="on")[0] == 404


def test_the_panel_says_that_a_section_takes_no_hits_from_this_machine(
    owner: Person, event: Definition, settings: Settings, db: psycopg.Connection, redis: Redis
) -> None:
    db.execute("UPDATE section SET allowed_origins = '{https://shop.example}'")
    shop = send(settings, db, redis, event)
    shop.send(hit(page="http://localhost/"), sender=TEST)
    drain(shop)
    _, text = owner.get(f"{PAGE}/trials?after=0-0")
    assert 'data-lit="wrong" data-verdict="would be refused"' in text
    assert "The section takes no hits from http://localhost, but for trying out." in text


def test_the_panel_names_every_wrong_field(
    owner: Person, event: Definition, settings: Settings, db: psycopg.Connection, redis: Redis
) -> None:
    _, text = owner.get(PAGE)
    assert "Waiting for the first hit" in text
    again = re.search(rf'href="{PAGE}(\?after=[\d-]+)#try" data-again', text)
    assert again is not None
    shop = send(settings, db, redis, event)
    shop.send(hit(data={"amount": "dear", "currency": 7}), sender=TEST)
    drain(shop)
    for address in (PAGE + again[1], f"{PAGE}/trials{again[1]}"):
        _, text = owner.get(address)
        assert "would be quarantined" in text
        assert "<strong>amount</strong>: " in text
        assert "<strong>currency</strong>: " in text
    place = re.search(r'data-place="([\d-]+)"', text)
    assert place is not None
    assert "<li" not in owner.get(f"{PAGE}/trials?after={place[1]}")[1]
    shop.send(hit(data={"reference": "B-7"}), sender=TEST)
    drain(shop)
    _, text = owner.get(f"{PAGE}/trials?after={place[1]}")
    assert "would be stored" in text
    assert "<dd>B-7</dd>" in text
    assert "amount" not in text


def test_the_panel_shows_this_event_s_hits_only(
    owner: Person, event: Definition, settings: Settings, db: psycopg.Connection, redis: Redis
) -> None:
    hotel = sections.choose(db, "hotel")
    other = saving.create(
        db, hotel.id, Draft(category=Category.SIGNALS, name="Secret"), datetime.now(UTC)
    )
    key = tracking.switch_on(db, redis, other, datetime.now(UTC))
    shop = send(settings, db, redis, event)
    shop.send(hit(data={"subject": "secret"}), key=key, sender=TEST)
    drain(shop)
    assert trials.newest(redis) != trials.OLDEST
    assert "secret" not in owner.get(f"{PAGE}/trials?after=0-0")[1]


@pytest.mark.parametrize("after", ["", "x", "$", "0-0 1", "9" * 40 + "-1", HOSTILE])
def test_a_place_that_is_none_is_the_newest(owner: Person, event: Definition, after: str) -> None:
    answer = owner.client.get(f"{PAGE}/trials", params={"after": after})
    assert answer.status_code == 200
    assert 'data-place="0-0"' in answer.text


def test_asking_for_trials_leaves_what_is_to_be_said(owner: Person, event: Definition) -> None:
    form = {"csrf": owner.csrf, "to": "off", "sure": "yes"}
    owner.client.post(f"{PAGE}/tracking", data=form, follow_redirects=False)
    owner.get(f"{PAGE}/trials")
    assert "Web tracking is off: " in owner.get(PAGE)[1]


def test_where_it_is_installed(
    owner: Person, event: Definition, settings: Settings, db: psycopg.Connection, redis: Redis
) -> None:
    shop = send(settings, db, redis, event)
    shop.send(*(hit(page=f"https://shop.example/{n}?q={n}") for n in (1, 1, 2)), hit())
    drain(shop)
    _, text = owner.get(PAGE)
    rows = re.findall(r'<td class="page">(.*?)</td>.*?"number">(\d+)<', text, re.DOTALL)
    assert sorted(rows) == [
        ('<span class="quiet">no page named</span>', "1"),
        ("https://shop.example/1", "2"),
        ("https://shop.example/2", "1"),
    ]


def test_what_is_hostile_is_text(
    owner: Person, settings: Settings, db: psycopg.Connection, redis: Redis
) -> None:
    shop_section, now = sections.choose(db, "shop"), datetime.now(UTC)
    key = FieldDraft(key="k", label=HOSTILE, description=HOSTILE, type=FieldType.TEXT)
    draft = Draft(
        category=Category.SIGNALS, name=HOSTILE, description=HOSTILE, fields=[field("source"), key]
    )
    made = saving.create(db, shop_section.id, draft, now)
    tracking.switch_on(db, redis, made, now)
    shop = send(settings, db, redis, made)
    sender = Sender(test=True, agent=HOSTILE)
    shop.send(hit(data={HOSTILE: HOSTILE}, page=HOSTILE), hit(data={"k": HOSTILE}), sender=sender)
    shop.send(hit(data={"k": "x"}, page=f"https://shop.example/{HOSTILE}"))
    drain(shop)
    for form in FormName:
        _, text = owner.get(f"/sections/shop/events/{made.slug}?form={form}&after=0-0")
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert(1)" in text
        assert not re.search(r"<script(?! src=)|style=|\son\w+=\"", text)
    assert "would be quarantined" in text
