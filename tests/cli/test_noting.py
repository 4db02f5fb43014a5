"""What commands change is in the audit log, with the user of the system who ran them."""

import os
import pwd
from datetime import UTC, datetime

import psycopg
import pytest

from tests.cli.test_commands import Run
from tests.cli.test_commands import pintag as pintag
from tests.cli.test_commands import shop as shop
from tracker.stores import accounts, audit_log, clients, exports, profiles, sections
from tracker.stores.audit_log import Entry

ME = f"cli:{pwd.getpwuid(os.getuid()).pw_name}"


def written(db: psycopg.Connection) -> list[Entry]:
    return audit_log.newest(db)[::-1]


def test_whatever_is_changed_by_command(shop: Run, db: psycopg.Connection) -> None:
    shop("event", "create", "Booking")
    shop("event", "track", "booking")
    shop("event", "track", "booking")  # it is on already
    shop("snippet", "regenerate", "booking")
    shop("event", "untrack", "booking")
    shop("event", "allow", "booking", "--deny", "email:read")
    shop("event", "retain", "booking", "--days", "30")
    shop("event", "edit", "booking", "--field", "nights:integer")
    shop("event", "hide", "booking", "--yes")
    shop("event", "hide", "booking", "--yes")  # it is hidden already
    shop("section", "set", "--consent")
    shop("section", "set", "--consent")  # it is so already
    shop("section", "trust-pages")
    shop("section", "new-secret")
    found = written(db)
    assert {one.account for one in found} == {ME}
    assert {one.section for one in found} == {"shop"}
    assert [(one.action, one.subject) for one in found] == [
        ("made the section", "Shop"),
        ("created the event", "Booking"),
        ("switched on web tracking of", "Booking"),
        ("regenerated the snippets of", "Booking"),
        ("switched off web tracking of", "Booking"),
        ("set the allowed operations of", "Booking: denied are email:read"),
        ("set how long events live of", "Booking: 30 days"),
        ("edited the event", "Booking"),
        ("hid the event", "Booking"),
        (
            "changed the rules",
            "Consent: snippets store and send nothing until the page calls"
            " pintag('consent', true); Signals: of browsers make no difference, as consent is asked"
            " for anyway",
        ),
        ("changed the rules", "Unsigned claims: are believed, as if they were signed"),
        ("made a new signing secret", ""),
    ]


def test_clients_and_accounts(shop: Run, db: psycopg.Connection) -> None:
    shop("client", "create", "CRM")
    [client] = clients.every(db, sections.choose(db, "shop").id)
    shop("client", "new-secret", client.public_id)
    shop("client", "revoke", client.public_id)
    shop("account", "create", "Ann", "--section", "shop")
    shop("account", "role", "Ann", "editor")
    shop("account", "role", "Ann", "none", "--section", "shop")
    shop("account", "link", "Ann")
    shop("account", "disable", "Ann")
    shop("account", "enable", "Ann")
    assert [(one.account, one.action, one.subject) for one in written(db)[1:]] == [
        (ME, "made the API client", "CRM"),
        (ME, "gave a new secret to the API client", "CRM"),
        (ME, "revoked the API client", "CRM"),
        (ME, "made the account", "Ann: viewer of shop"),
        (ME, "gave a role to", "Ann: editor of all sections"),
        (ME, "took a role from", "Ann: no role of shop"),
        (ME, "made a sign-in link for", "Ann"),
        (ME, "shut out", "Ann"),
        (ME, "let in again", "Ann"),
    ]


def test_jobs(shop: Run, db: psycopg.Connection) -> None:
    """No jobs process runs, so that they wait; they are asked for all the same."""
    section, now = sections.choose(db, "shop"), datetime.now(UTC)
    db.execute(
        "WITH ann AS (INSERT INTO profile (section_id, created_at) VALUES (%s, %s) RETURNING id)"
        " INSERT INTO identifier (section_id, profile_id, keyspace, key, created_at)"
        " SELECT %s, id, 'web', 'ann', %s FROM ann",
        (section.id, now, section.id, now),
    )
    db.execute(
        "INSERT INTO quarantine (partition, snippet_key, reason, errors, raw, sent, received_at)"
        " VALUES (0, 'nobodys', 'malformed', '[]', '', 0, now()),"
        " (0, 'nobodys', 'malformed', '[]', '', 0, now())"
    )
    shop("profile", "export", "ann", code=2)
    shop("profile", "erase", "ann", "--yes", code=2)
    shop("profile", "erase", "nobody", "--yes", code=2)
    shop("retention", "run", code=2)
    shop("snippet", "regenerate", "--all", code=2)
    shop("quarantine", "replay", "--all", "--dry-run", code=2)
    shop("quarantine", "replay", "1", code=2)
    shop("quarantine", "discard", "2", "--yes")
    found = [(one.action, one.subject) for one in written(db)[1:]]
    exported, erased = found[0][1], found[1][1]
    assert (exported[:4], erased[:4]) == ("exp_", "era_")
    assert found == [
        ("exported a profile", exported),
        ("erased a profile", erased),
        ("had retention run", ""),
        ("regenerated the snippets of", "all events"),
        ("tried a replay of quarantined hits", "2 hits"),
        ("replayed quarantined hits", "1 hit"),
        ("discarded quarantined hits", "1 hit"),
    ]
    assert exports.get(db, exported) is not None
    assert profiles.find(db, section.id, "web", "ann") is not None


@pytest.mark.parametrize("name", ["cli:root", "api:CRM", "Cli:root"])
def test_nobody_s_name_looks_like_a_command_s(shop: Run, db: psycopg.Connection, name: str) -> None:
    assert "begins with" in shop("account", "create", name, code=2)
    assert accounts.find(db, name) is None
