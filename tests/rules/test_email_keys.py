"""An e-mail address has one spelling, found in a time that nobody can stretch."""

import unicodedata

import pytest

from tracker.rules.keyspaces import MAX_EMAIL, BadKeyError, Keyspace, normalise

GREEK = "\u1f82"  # decomposed it is four characters, and no character is more
LONGEST = GREEK * (MAX_EMAIL - 4) + "@x.y"
MARKS = "a" + "\u0301" * 24_000 + "\u0323" * 24_000 + "@x.y"


@pytest.mark.parametrize(
    "written",
    [LONGEST, unicodedata.normalize("NFD", LONGEST), " " * 5_000 + LONGEST],
    ids=["composed", "decomposed", "spaced"],
)
def test_the_longest_address_has_one_spelling(written: str) -> None:
    assert normalise(Keyspace.EMAIL, written) == LONGEST


def test_what_is_far_too_long_is_not_normalised(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would take the square of its length: seconds for one hit."""
    lengths: list[int] = []
    original = unicodedata.normalize

    def noting(form: str, text: str) -> str:
        lengths.append(len(text))
        return original(form, text)  # type: ignore[arg-type]

    monkeypatch.setattr(unicodedata, "normalize", noting)
    for keyspace in Keyspace:
        with pytest.raises(BadKeyError):
            normalise(keyspace, MARKS)
    assert max(lengths, default=0) <= 4 * MAX_EMAIL
