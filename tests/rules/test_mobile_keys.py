"""One number, written in the ways in which people write it."""

import pytest

from tracker.rules.keyspaces import BadKeyError, Keyspace, normalise


@pytest.mark.parametrize(
    "written",
    [
        "46701234567",
        "+46701234567",
        "0046 70 123 45 67",
        "+46 (0)70-123 45 67",
        "+46(0)701234567",
        "+46 ( 0 ) 70.123/45/67",
        "+46 (70) 123 45 67",
    ],
)
def test_a_number_has_one_spelling(written: str) -> None:
    assert normalise(Keyspace.MOBILE, written) == "46701234567"


@pytest.mark.parametrize("written", ["(0)701234567", "0701234567", "(0)", "+46 (0) (0)"])
def test_what_has_no_country_code_is_none(written: str) -> None:
    with pytest.raises(BadKeyError):
        normalise(Keyspace.MOBILE, written)
