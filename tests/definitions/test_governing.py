"""Allowed operations and retention: set at any time, and no edits."""

import pytest

from tests.definitions.cast import EDIT, Inn
from tracker.actions import governing
from tracker.actions.refusals import InvalidDraftError


@pytest.mark.parametrize(
    ("denied", "deny", "allow", "after"),
    [
        ([], ["email:read"], [], ["email:read"]),
        (["email:read"], ["email:read"], [], ["email:read"]),
        (["web:read"], ["web:write", "email:read"], [], ["email:read", "web:read", "web:write"]),
        (["email:read", "mobile:read"], [], ["email:read"], ["mobile:read"]),
        (["email:read"], ["email:write"], ["email:read"], ["email:write"]),
        ([], [], ["email:read"], []),
        ([], ["com.pintag.keyspaces.crm-id:read"], [], ["crm-id:read"]),
        ([], [" email:read "], [], ["email:read"]),
    ],
)  # fmt: skip
def test_deny_and_allow(
    inn: Inn, denied: list[str], deny: list[str], allow: list[str], after: list[str]
) -> None:
    governing.set_operations(inn.db, inn.stay, deny=denied)
    changed = governing.set_operations(inn.db, inn.stay, deny=deny, allow=allow)
    assert changed.denied_operations == after
    assert changed == inn.stay
    assert (changed.edits, changed.locked_until) == (0, None)


@pytest.mark.parametrize(
    ("deny", "allow", "wrong"),
    [
        (["email"], [], ["deny[0]"]),
        (["email:"], [":read"], ["deny[0]", "allow[0]"]),
        (["email:read", "fax:read", "email:erase"], [], ["deny[1]", "deny[2]"]),
        (["se.other.keyspaces.email:read"], [], ["deny[0]"]),
        (["email:read"], ["com.pintag.keyspaces.email:read"], ["allow"]),
    ],
)
def test_what_is_no_operation(
    inn: Inn, deny: list[str], allow: list[str], wrong: list[str]
) -> None:
    with pytest.raises(InvalidDraftError) as refused:
        governing.set_operations(inn.db, inn.stay, deny=deny, allow=allow)
    assert [error.field for error in refused.value.errors] == wrong
    assert inn.stay.denied_operations == []


@pytest.mark.parametrize(
    ("days", "valid"),
    [(None, True), (1, True), (36_500, True), (0, False), (-1, False), (36_501, False)],
)
def test_retention(inn: Inn, days: int | None, valid: bool) -> None:
    governing.set_retention(inn.db, inn.stay, 30)
    if valid:
        assert governing.set_retention(inn.db, inn.stay, days).ttl_days == days
    else:
        with pytest.raises(InvalidDraftError):
            governing.set_retention(inn.db, inn.stay, days)
    assert inn.stay.ttl_days == (days if valid else 30)


def test_they_can_be_set_while_it_is_locked(inn: Inn) -> None:
    inn.edit(EDIT, name="Trip")
    governing.set_operations(inn.db, inn.stay, deny=["email:read"])
    governing.set_retention(inn.db, inn.stay, 30)
    assert inn.stay.edits == 1
