import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.rules.ids import first_of, mint, read_uuid7, time_ms

TIMES = st.integers(0, 2**48 - 1)
NOISE = st.binary(min_size=10, max_size=10)


@settings(max_examples=100)
@given(TIMES, NOISE)
def test_a_minted_id_is_a_uuid7_that_holds_its_time(ms: int, noise: bytes) -> None:
    id_ = mint(ms, noise)
    assert (id_.version, id_.variant) == (7, uuid.RFC_4122)
    assert time_ms(id_) == ms
    assert read_uuid7(str(id_))
    assert read_uuid7(str(id_).upper())


@settings(max_examples=100)
@given(TIMES, TIMES, NOISE)
def test_first_of_parts_earlier_from_later(ms: int, bound: int, noise: bytes) -> None:
    assert (mint(ms, noise) >= first_of(bound)) == (ms >= bound)


def test_the_example_of_rfc_9562() -> None:
    example = uuid.UUID("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")
    assert time_ms(example) == 0x17F22E279B0
    assert mint(time_ms(example), example.bytes[6:]) == example


@pytest.mark.parametrize("ms", [-1, 2**48])
def test_a_time_out_of_range_is_refused(ms: int) -> None:
    with pytest.raises(ValueError, match="48 bits"):
        mint(ms, bytes(10))


def test_too_little_randomness_is_refused() -> None:
    with pytest.raises(ValueError, match="10 random bytes"):
        mint(0, bytes(9))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "017f22e279b07cc398c4dc0c0c07398f",
        "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
        "urn:uuid:017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f\n",
        "017f22e2-79b0-4cc3-98c4-dc0c0c07398f",
        "017f22e2-79b0-7cc3-c8c4-dc0c0c07398f",
        "٠17f22e2-79b0-7cc3-98c4-dc0c0c07398f",
    ],
    ids=["empty", "no dashes", "braces", "urn", "newline", "version 4", "variant", "arabic digit"],
)
def test_no_other_text_is_a_uuid7(text: str) -> None:
    assert not read_uuid7(text)
