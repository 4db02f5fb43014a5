"""Making and editing events by form, without JavaScript."""

import re
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from tests.pages.conftest import Person, SignIn
from tests.pages.typed import Typed
from tracker.rules.accounts import Role
from tracker.rules.fields import FieldType
from tracker.stores import audit_log, definitions, sections
from tracker.stores.definitions import Definition

NEW = "/sections/shop/events/new?category=signals"
EDIT = "/sections/shop/events/booking/edit"
HOSTILE = '"><script>alert(1)</script>'


def find(db: psycopg.Connection, slug: str) -> Definition:
    found = definitions.find(db, sections.choose(db, "shop").id, slug)
    assert found is not None
    return found


def unlock(db: psycopg.Connection) -> None:
    """Let the hour pass."""
    db.execute("UPDATE definition SET locked_until = %s", (datetime.now(UTC) - timedelta(hours=1),))


@pytest.fixture
def new(owner: Person) -> Typed:
    return Typed(owner, NEW)


@pytest.fixture
def edit(owner: Person, booking: None) -> Typed:
    return Typed(owner, EDIT)


def test_a_new_event_starts_with_the_fields_of_its_category(new: Typed) -> None:
    assert new.keys == ["source", "subject"]
    assert "delete-0" not in new.buttons
    assert "delete-1" in new.buttons
    assert all(f">{one.label}</option>" in new.text for one in FieldType)


def test_a_new_event_is_saved_as_it_was_typed(new: Typed, db: psycopg.Connection) -> None:
    new.type(name="Poll vote", description="One\r\ntwo")
    new.press("add").type(f2_key="choice", f2_type="integer", f2_required="1").press("up-2")
    assert new.keys == ["source", "choice", "subject"]
    new.press("delete-1").press("add").type(f3_key="sure", f3_type="boolean", f3_label="Sure?")
    new.press()
    assert "“Poll vote” is saved: version 1, which can be used at once." in new.text
    assert 'href="/sections/shop/events/poll-vote"' in new.text
    made = find(db, "poll-vote")
    assert (made.category, made.description) == ("signals", "One\ntwo")
    fields = [(one.key, one.label, one.type, one.required) for one in made.versions[0].fields]
    assert fields == [
        ("source", "Source", FieldType.TEXT, True),
        ("choice", "choice", FieldType.INTEGER, True),
        ("sure", "Sure?", FieldType.BOOLEAN, False),
    ]
    [entry] = audit_log.newest(db)[:1]
    assert (entry.action, entry.subject) == ("created the event", "Poll vote")


def test_buttons_lead_to_where_one_goes_on(new: Typed) -> None:
    assert new.press("add").focus == "f2-key"
    assert new.press("up-2").focus == "up-2"
    assert new.press("up-2").press("up-2").keys == ["", "source", "subject"]
    assert new.press("down-2").focus == "down-2"
    assert new.press("delete-2").focus == "add"
    assert new.press("delete-0").press("delete-77").press("up-x").keys == ["source", "subject"]


def test_a_hundred_fields_and_no_more(new: Typed, db: psycopg.Connection) -> None:
    for index in range(2, 100):
        new.form["row"].append(str(index))
        new.type(**{f"f{index}_key": f"key{index}", f"f{index}_type": "text"})
    new.type(name="Wide").press("add")
    assert "at most 100 fields" in new.text
    assert len(new.keys) == 100
    new.press()
    assert len(find(db, "wide").versions[0].fields) == 100


def test_errors_stand_beside_their_fields_and_nothing_is_lost(new: Typed) -> None:
    new.press("add").press("add").type(name=" ", f1_key="1st", f2_label="Kept", f3_key="source")
    new.type(f1_type="nonsense", description="x" * 1_001).press()
    assert new.status == 422
    wrong = {"name", "description", "f1-key", "f1-type", "f2-key", "f3-key", "f3-required"}
    assert set(new.errors) == wrong
    assert new.errors["f3-key"] == "Another field has this name: each has its own."
    assert new.form["f2-label"] == ["Kept"]
    assert new.form["f1-key"] == ["1st"]
    assert len(new.form["description"][0]) == 1_001
    assert new.focus == "name"


def test_a_name_that_is_taken_is_said_beside_it(owner: Person, booking: None) -> None:
    typed = Typed(owner, NEW).type(name="Booking").press()
    assert typed.status == 422
    assert "already" in typed.errors["name"]


def test_source_stays(new: Typed) -> None:
    new.form["row"].remove("0")
    new.type(name="Sourceless").press()
    assert new.status == 422
    assert "says where it comes from" in new.text


def test_hostile_texts_are_texts(owner: Person, new: Typed, db: psycopg.Connection) -> None:
    new.type(name=HOSTILE, description=HOSTILE, f1_key=HOSTILE, f1_label=HOSTILE)
    new.type(f1_description=f"</textarea>{HOSTILE}", f1_id=HOSTILE, f1_type=HOSTILE).press()
    assert new.status == 422
    assert "<script>alert" not in new.text
    new.type(f1_key="subject", f1_type="text").press()
    slug = find(db, HOSTILE).slug
    for page in ("edit", "rights", "hide"):
        status, text = owner.get(f"/sections/shop/events/{slug}/{page}")
        assert status == 200
        assert "alert" in text
        assert "<script>alert" not in text
    _, text = owner.get("/sections/shop/data-model?category=signals")
    assert "<script>alert" not in text


def test_a_new_row_says_what_a_field_name_is_and_a_wrong_one_what_would_do(new: Typed) -> None:
    assert "f1-key-hint" not in new.text
    assert 'id="f2-key-hint">Such as <code>loyalty_tier</code>' in new.press("add").text
    new.type(f2_key="Loyalty tier").press()
    assert new.errors["f2-key"].endswith("may follow: loyalty_tier would do.")
    assert "f2-key-hint" not in new.text


def test_strange_rows_do_no_harm(new: Typed) -> None:
    new.form["row"] += ["0", "x", "9999999", "٣", HOSTILE]
    assert new.press("add").keys == ["source", "subject", ""]
    new.form["row"] = [str(n) for n in range(5_000)]
    assert len(new.press("up-1").keys) == 200


def test_an_edit_makes_a_version_and_renames_by_id(edit: Typed, db: psycopg.Connection) -> None:
    before = {one.key: one.id for one in find(db, "booking").versions[0].fields}
    assert "version 2, which can be used after" in edit.text
    edit.type(f1_key="order").press()
    assert "“Booking” is saved. Version 2 can be used in 60 minutes, and then" in edit.text
    assert "locked until" in edit.text
    after = {one.key: one.id for one in find(db, "booking").versions[0].fields}
    assert after["order"] == before["reference"]
    assert audit_log.newest(db)[0].action == "edited the event"


def test_what_changes_nothing_locks_nothing(edit: Typed, db: psycopg.Connection) -> None:
    edit.press()
    assert "nothing was saved, nothing is locked" in edit.text
    assert find(db, "booking").locked_until is None


def test_another_name_alone_makes_no_version(edit: Typed, db: psycopg.Connection) -> None:
    edit.type(name="Reservation").press()
    assert "It is still version 1" in edit.text
    assert len(find(db, "booking").versions) == 1


def test_a_locked_event_says_until_when(owner: Person, edit: Typed) -> None:
    late = Typed(owner, EDIT)
    edit.type(description="Ours").press()
    shown = Typed(owner, EDIT)
    assert "can be edited again" in shown.text
    assert "<fieldset disabled>" in shown.text
    assert "add" not in shown.buttons
    late.form["based_on"] = ["1"]
    late.type(description="Theirs").press()
    assert late.status == 409
    assert "It was not saved: it is locked." in late.text
    assert re.search(r"can be edited again\s+at <time", late.text)
    assert late.form["description"] == ["Theirs"]


def test_of_two_edits_the_second_hears_what_the_first_changed(
    owner: Person, edit: Typed, db: psycopg.Connection
) -> None:
    late = Typed(owner, EDIT)
    edit.press("delete-1").press()
    unlock(db)
    late.type(f1_label="Mine").press()
    assert late.status == 409
    assert "Somebody else edited this event meanwhile" in late.text
    assert "<code>reference</code> is gone" in late.text
    assert late.form["f1-label"] == ["Mine"]
    late.press()
    assert "is saved. Version 3" in late.text
    fields = {one.key: one.label for one in find(db, "booking").versions[0].fields}
    assert fields["reference"] == "Mine"


def test_what_is_no_count_of_edits_is_refused(edit: Typed) -> None:
    for wrong in ("", "-1", "99", "9" * 5_000, "²"):
        edit.form["based_on"] = [wrong]
        edit.type(description="New").press()
        assert edit.status == 422


@pytest.mark.parametrize("slug", ["nothing", "%00", "New"])
def test_there_is_no_such_event(owner: Person, slug: str) -> None:
    assert owner.get(f"/sections/shop/events/{slug}/edit")[0] == 404


def test_an_event_named_new_is_not_hidden_by_the_form(new: Typed, db: psycopg.Connection) -> None:
    new.type(name="New").press()
    assert find(db, "New").slug == "new-2"


def test_a_viewer_is_offered_nothing_to_change(sign_in: SignIn, booking: None) -> None:
    status, text = sign_in(Role.VIEWER).get("/sections/shop/data-model")
    assert status == 200
    assert "Booking" in text
    assert "Add New" not in text
    assert "/edit" not in text
