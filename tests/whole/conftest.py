"""A whole installation, shared by the tests of this package that do not break it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.chromium import chromium
from tests.whole.installation import Installation, temporary


@pytest.fixture(scope="package")
def pintag() -> Iterator[Installation]:
    """A `pintag up` with its demo section."""
    with temporary() as installation:
        yield installation


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser
