"""Every scenario of the matrix, in each browser that can play it."""

import pytest

from tests.matrix.all import SCENARIOS
from tests.matrix.browsers import Browser
from tests.matrix.case import Scenario, Snippets, run
from tests.whole.installation import Installation

pytestmark = pytest.mark.slow


def name_of(scenario: Scenario) -> str:
    return scenario.name


@pytest.mark.parametrize("scenario", SCENARIOS, ids=name_of)
def test_in_chromium(
    scenario: Scenario, in_chromium: Browser, pintag: Installation, snippets: Snippets
) -> None:
    scenario.check(run(scenario, in_chromium, pintag, snippets))


@pytest.mark.parametrize("scenario", [one for one in SCENARIOS if not one.only], ids=name_of)
def test_in_firefox(
    scenario: Scenario, in_firefox: Browser, pintag: Installation, snippets: Snippets
) -> None:
    scenario.check(run(scenario, in_firefox, pintag, snippets))
