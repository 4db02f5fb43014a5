"""A whole installation, shared by the tests of this package that do not break it."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.chromium import chromium
from tests.whole.installation import Installation, installed


@pytest.fixture(scope="package")
def pintag() -> Iterator[Installation]:
    """A `pintag up` with its demo section."""
    data = Path(tempfile.mkdtemp(prefix="pintag-whole-", dir="/tmp"))
    data.chmod(0o755)
    try:
        with installed(data) as installation:
            yield installation
    finally:
        shutil.rmtree(data, ignore_errors=True)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser
