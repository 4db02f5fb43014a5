"""One installation that has seen some life, for all tests of this package."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.chromium import chromium
from tests.tour.life import Life, lived


@pytest.fixture(scope="package")
def life() -> Iterator[Life]:
    with lived() as life:
        yield life


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser
