"""`pintag account`: accounts on the command line."""

import psycopg

from tests.cli.test_commands import Run
from tests.cli.test_commands import pintag as pintag
from tests.cli.test_commands import shop as shop


def test_from_a_new_account_to_one_that_is_shut_out(shop: Run) -> None:
    said = shop("account", "create", "Ann", "--role", "editor", "--section", "shop")
    assert "/welcome/" in said
    assert "There is an account 'Ann' already." in shop("account", "create", "Ann", code=2)
    shop("account", "role", "Ann", "viewer")
    listed = shop("account", "list")
    assert "editor of shop" in listed
    assert "viewer of all sections" in listed
    assert "can't sign in any more" in shop("account", "disable", "Ann")
    assert "is shut out" in shop("account", "link", "Ann", code=2)
    assert "can sign in again" in shop("account", "enable", "Ann")
    assert "is not shut out" in shop("account", "enable", "Ann", code=2)


def test_the_last_owner_of_all_sections_stays(pintag: Run, db: psycopg.Connection) -> None:
    pintag("account", "create", "Olga", "--role", "owner")
    db.execute("UPDATE account SET password_hash = 'x'")
    for command in (("disable", "Olga"), ("role", "Olga", "none"), ("role", "Olga", "editor")):
        assert "Give somebody else that role first." in pintag("account", *command, code=2)
    assert "owner of all sections" in pintag("account", "list")
