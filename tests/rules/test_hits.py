"""The envelope, lone surrogates and partitions, without a server."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.rules.hits import (
    BadEnvelopeError,
    parse_envelope,
    partition_of,
    replace_lone_surrogates,
)

LONE = re.compile("[\ud800-\udfff]")
# Text as pages may cut it off: any halves of pairs, and what looks like escapes.
TEXTS = st.text(
    st.one_of(
        st.sampled_from('\\u"d8f/\ud83d\ude00\ud800\udfff\uffff😀0'),
        st.characters(),
        st.characters(categories=["Cs"]),
    ),
    max_size=30,
)
VALUES = st.recursive(
    st.none() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def test_an_envelope() -> None:
    envelope = parse_envelope(b'{"sent":7,"lost":2,"x":1,"hits":[ {"a" : 1.0} ,2]}')
    assert (envelope.sent, envelope.lost) == (7, 2)
    assert [bytes(hit) for hit in envelope.hits] == [b'{"a" : 1.0}', b"2"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"hits":[]}', "1 to 100 hits, not 0"),
        (b'{"hits":[1],"sent":-1}', "out of range"),
        (b'{"hits":[1],"lost":-1}', "out of range"),
        (b'{"hits":[1],"sent":"7"}', "Expected `int`, got `str`"),
        (b'{"hits":[1]}}', "trailing characters"),
        (b'{"hits":["\\ud800"]', "truncated"),
        (b"[" * 50_000, "Expected `object`"),
        (b'{"hits":%b' % (b"[" * 50_000), "nested too deeply"),
    ],
)
def test_no_envelope(body: bytes, message: str) -> None:
    with pytest.raises(BadEnvelopeError, match=message):
        parse_envelope(body)


@settings(max_examples=300)
@given(VALUES)
def test_lone_surrogates_are_replaced_and_nothing_else_is(value: object) -> None:
    text = json.dumps(value).encode()
    assert json.loads(replace_lone_surrogates(text)) == _mend(json.loads(text))


@settings(max_examples=300)
@given(VALUES)
def test_whatever_a_page_cut_off_is_taken(value: object) -> None:
    hit = json.dumps(value).encode()
    (raw,) = parse_envelope(b'{"hits":[%b]}' % hit).hits
    assert json.loads(bytes(raw)) == _mend(json.loads(hit))


def _mend(value: object) -> object:
    if isinstance(value, str):
        return LONE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_mend(item) for item in value]
    if isinstance(value, dict):
        return {_mend(name): _mend(item) for name, item in value.items()}
    return value


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_bytes_without_surrogates_stay(noise: bytes) -> None:
    assert replace_lone_surrogates(noise) == noise or b"\\u" in noise


def test_a_visitors_hits_have_one_partition() -> None:
    same = {
        partition_of(hit, 256)
        for hit in (
            b'{"visitor":"anna"}',
            b'{"id":"1","visitor":"anna","data":{"deep":[[[]]]}}',
            b'{ "visitor" : "\\u0061nna", "id" : "2" }',
            b'{"id":"anna"}',
            b'{"id":"anna","visitor":null}',
            b'{"id":"anna","visitor":""}',
            b'{"visitor":"ben","visitor":"anna"}',
        )
    }
    assert len(same) == 1


@settings(max_examples=200)
@given(st.binary(max_size=100), st.integers(1, 256))
def test_any_bytes_have_a_partition(raw: bytes, partitions: int) -> None:
    assert 0 <= partition_of(raw, partitions) < partitions


@pytest.mark.parametrize(
    "hit",
    [
        b'{"id":"1","claims":{"crm-id":"anna"}}',
        b'{"id":"2","visitor":null,"claims":{"email":"anna","crm-id":"A-1"}}',
        b'{"id":"3","visitor":"","claims":{"email":{"key":"anna","expires":1,"signature":"f"}}}',
        b'{"id":"4","visitor":"anna","claims":{"email":"ben@example.com"}}',
        b'{"id":"anna","claims":{}}',
        b'{"id":"anna","claims":null}',
        b'{"id":"anna","claims":{"email":5}}',
        b'{"id":"anna","claims":["email"]}',
    ],
)
def test_without_a_visitor_the_first_claim_decides(hit: bytes) -> None:
    assert partition_of(hit, 256) == partition_of(b'{"visitor":"anna"}', 256)


def test_visitors_are_spread_over_all_partitions() -> None:
    hits = (b'{"visitor":"%d"}' % number for number in range(1000))
    assert {partition_of(hit, 8) for hit in hits} == set(range(8))
