"""How many hits a second may come of a snippet, a visitor of it, and an address."""

import pytest

from tracker.rules.hit_rates import HitRates, OverRateError
from tracker.rules.rates import SWEEP_FROM
from tracker.rules.refusals import Refusal

ANNA, BEN, NOBODY = b'{"visitor":"anna"}', b'{"visitor":"ben"}', b"{}"


def refusal(rates: HitRates, key: str, address: str | None, *hits: bytes) -> Refusal | None:
    try:
        rates.take(key, address, hits, 0.0)
    except OverRateError as error:
        return error.refusal
    return None


@pytest.mark.parametrize(
    ("rates", "first", "second", "refused"),
    [
        (HitRates(), ("k", "a", ANNA), ("k", "a", ANNA), None),
        (HitRates(snippet=1), ("k", "a", ANNA), ("k", "b", BEN), Refusal.TOO_MANY),
        (HitRates(snippet=1), ("k", "a", ANNA), ("l", "a", ANNA), None),
        (HitRates(visitor=1), ("k", "a", ANNA), ("k", "b", ANNA), Refusal.VISITOR_RATE),
        (HitRates(visitor=1), ("k", "a", ANNA), ("k", "a", BEN), None),
        (HitRates(visitor=1), ("k", "a", ANNA), ("l", "a", ANNA), None),
        (HitRates(visitor=1), ("k", "a", NOBODY), ("k", "a", NOBODY), None),
        (HitRates(visitor=1), ("k", "a", b"\xff"), ("k", "a", b"\xff"), None),
        (HitRates(address=1), ("k", "a", ANNA), ("l", "a", BEN), Refusal.ADDRESS_RATE),
        (HitRates(address=1), ("k", "a", ANNA), ("k", "b", ANNA), None),
        (HitRates(address=1), ("k", None, ANNA), ("k", None, ANNA), None),
        (HitRates(address=1), ("k", "1::1", ANNA), ("k", "1::2", ANNA), Refusal.ADDRESS_RATE),
        (HitRates(1, 1, 1), ("k", "a", ANNA), ("l", "b", BEN), None),
    ],
)
def test_who_shares_which_limit(
    rates: HitRates,
    first: tuple[str, str, bytes],
    second: tuple[str, str, bytes],
    refused: Refusal | None,
) -> None:
    key, address, hit = first
    assert refusal(rates, key, address, *[hit] * 10) is None
    assert refusal(rates, *second) is refused


def test_what_one_limit_refuses_counts_in_none() -> None:
    rates = HitRates(snippet=1, visitor=1)
    assert refusal(rates, "k", None, *[ANNA] * 9) is None
    rates = HitRates(snippet=2, visitor=1)
    assert refusal(rates, "k", None, *[ANNA] * 10) is None
    assert refusal(rates, "k", None, *[BEN] * 5, *[ANNA] * 5) is Refusal.VISITOR_RATE
    assert refusal(rates, "k", None, *[BEN] * 10) is None


def test_given_back_is_as_never_taken() -> None:
    rates = HitRates(1, 1, 1)
    for _ in range(3):
        rates.give_back(rates.take("k", "a", [ANNA] * 10, 0.0), 0.0)
    assert refusal(rates, "k", "a", ANNA) is None


def test_invented_visitors_fill_no_memory() -> None:
    rates = HitRates(visitor=1)
    for number in range(10 * SWEEP_FROM):
        rates.take("k", None, [b'{"visitor":"%d%b"}' % (number, b"x" * 900)], number / SWEEP_FROM)
    assert rates._visitor is not None
    assert len(rates._visitor) <= 3 * SWEEP_FROM
    assert max(map(len, rates._visitor._buckets)) <= 202
