"""Which identifiers come to be on one profile, by what is known of them."""

import pytest

from tracker.rules.joining import Name, Plan, plan

SECTION = 1
ANN_CRM, BEN_CRM = Name(SECTION, "crm-id", "A-1"), Name(SECTION, "crm-id", "B-1")
ANN_MAIL, BEN_MAIL = Name(SECTION, "email", "ann@example.com"), Name(SECTION, "email", "ben@b.eu")
PHONE, LAPTOP = Name(SECTION, "web", "phone"), Name(SECTION, "web", "laptop")
NOTHING = Plan({}, {})


@pytest.mark.parametrize(
    ("hit", "profiles", "taken", "expected"),
    [
        pytest.param(
            [ANN_CRM, PHONE], {}, {}, Plan({ANN_CRM: -1, PHONE: -1}, {}), id="both are new"
        ),
        pytest.param(
            [ANN_CRM, PHONE],
            {ANN_CRM: 7},
            {7: ["crm-id"]},
            Plan({PHONE: 7}, {}),
            id="a new visitor id of somebody known",
        ),
        pytest.param(
            [ANN_CRM, PHONE],
            {ANN_CRM: 7, PHONE: 7},
            {7: ["crm-id"]},
            NOTHING,
            id="joined already",
        ),
        pytest.param(
            [ANN_CRM, PHONE],
            {ANN_CRM: 7, PHONE: 8},
            {7: ["crm-id"]},
            Plan({}, {8: 7}),
            id="an anonymous profile is taken over whole",
        ),
        pytest.param(
            [ANN_CRM, PHONE],
            {PHONE: 8},
            {},
            Plan({ANN_CRM: 8}, {}),
            id="an anonymous profile becomes somebody's",
        ),
        pytest.param(
            [ANN_CRM, PHONE],
            {ANN_CRM: 7, PHONE: 8},
            {7: ["crm-id"], 8: ["crm-id"]},
            NOTHING,
            id="a shared computer",
        ),
        pytest.param(
            [ANN_CRM, PHONE],
            {PHONE: 8},
            {8: ["email"]},
            Plan({ANN_CRM: -1}, {}),
            id="a shared computer, and somebody new",
        ),
        pytest.param(
            [ANN_CRM, ANN_MAIL, PHONE],
            {},
            {},
            Plan({ANN_CRM: -1, ANN_MAIL: -1, PHONE: -1}, {}),
            id="two claims, both new",
        ),
        pytest.param(
            [ANN_CRM, ANN_MAIL],
            {ANN_CRM: 7},
            {7: ["crm-id"]},
            Plan({ANN_MAIL: 7}, {}),
            id="the second claim is new",
        ),
        pytest.param(
            [ANN_CRM, ANN_MAIL, PHONE],
            {ANN_MAIL: 9},
            {9: ["email"]},
            Plan({ANN_CRM: 9, PHONE: 9}, {}),
            id="the first claim is new",
        ),
        pytest.param(
            [ANN_CRM, ANN_MAIL],
            {ANN_MAIL: 9},
            {9: ["email", "crm-id"]},
            Plan({ANN_CRM: -1}, {}),
            id="the first claim is new, and the second's profile has another",
        ),
        pytest.param(
            [ANN_CRM, ANN_MAIL],
            {ANN_CRM: 7},
            {7: ["crm-id", "email"]},
            NOTHING,
            id="the slot is taken",
        ),
        pytest.param(
            [ANN_CRM, ANN_MAIL],
            {ANN_CRM: 7, ANN_MAIL: 9},
            {7: ["crm-id"], 9: ["email"]},
            NOTHING,
            id="the second claim is somebody else's",
        ),
    ],
)
def test_what_a_hit_joins(
    hit: list[Name], profiles: dict[Name, int], taken: dict[int, list[str]], expected: Plan
) -> None:
    assert plan([hit], profiles, taken) == expected


def test_hits_are_planned_in_their_order() -> None:
    hits = [[ANN_CRM, PHONE], [BEN_CRM, PHONE], [BEN_CRM, BEN_MAIL, LAPTOP], [BEN_MAIL, LAPTOP]]
    made = {ANN_CRM: -1, PHONE: -1, BEN_CRM: -3, BEN_MAIL: -3, LAPTOP: -3}
    assert plan(hits, {}, {}) == Plan(made, {})


def test_a_profile_that_was_taken_over_is_somebodys() -> None:
    """Both visitor ids are on profile 8: Ann gets it with her first hit, and Ben not any more."""
    hits = [[ANN_CRM, PHONE], [BEN_CRM, LAPTOP]]
    known = {ANN_CRM: 7, BEN_CRM: 6, PHONE: 8, LAPTOP: 8}
    assert plan(hits, known, {7: ["crm-id"], 6: ["crm-id"]}) == Plan({}, {8: 7})


def test_an_anonymous_profile_goes_to_a_new_one() -> None:
    hits = [[ANN_CRM, PHONE], [ANN_CRM, LAPTOP]]
    assert plan(hits, {LAPTOP: 8}, {}) == Plan({ANN_CRM: -1, PHONE: -1}, {8: -1})
