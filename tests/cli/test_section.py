"""`pintag section`: whom it believes in its hits."""

import io
import sys

import psycopg
import pytest

from tests.cli.test_commands import Run
from tests.cli.test_commands import pintag as pintag
from tests.cli.test_commands import shop as shop
from tracker.settings import Settings
from tracker.vault import Vault


def kept(db: psycopg.Connection) -> tuple[bytes | None, bool]:
    rows = db.execute("SELECT signing_secret, trusts_pages FROM section").fetchall()
    return rows[0][0], rows[0][1]


def test_a_signing_secret_is_shown_once_and_kept_encrypted(
    shop: Run, db: psycopg.Connection, settings: Settings
) -> None:
    secret, *hints = shop("section", "new-secret").splitlines()
    assert "'shop'" in hints[0]
    encrypted, _ = kept(db)
    assert encrypted is not None
    assert secret.encode() not in encrypted
    assert Vault(settings).decrypt(encrypted) == secret


def test_a_new_one_ends_the_one_before(
    shop: Run, db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = shop("section", "new-secret")
    before = kept(db)
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    assert "will be refused in 1 day" in shop("section", "new-secret", code=1)
    assert kept(db) == before
    second = shop("section", "new-secret", "--yes", "--grace-days", "0")
    assert second != first
    assert "refused from now on" in second
    assert kept(db) != before


def test_trusting_pages(shop: Run, db: psycopg.Connection) -> None:
    said = shop("section", "trust-pages")
    assert "whatever its pages claim" in said
    assert "anybody's profile" in said
    assert kept(db)[1]
    assert "signed claims only" in shop("section", "trust-pages", "--off")
    assert not kept(db)[1]


def test_without_a_secret_key(shop: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PINTAG_SECRET_KEY")
    assert "PINTAG_SECRET_KEY" in shop("section", "new-secret", code=2)
