"""An installation and browsers, shared by all scenarios."""

from collections.abc import Iterator

import pytest

from tests.matrix.browsers import Browser
from tests.matrix.case import Snippets, shown
from tests.matrix.chromium import chromium
from tests.matrix.firefox import firefox
from tests.tools.install import find_firefox
from tests.whole.installation import Installation, temporary


@pytest.fixture(scope="package")
def pintag() -> Iterator[Installation]:
    with temporary() as installation:
        yield installation


@pytest.fixture(scope="package")
def snippets(pintag: Installation) -> Snippets:
    return shown(pintag)


@pytest.fixture(scope="package")
def in_chromium() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def in_firefox() -> Iterator[Browser]:
    path = find_firefox()
    if path is None:
        pytest.skip("there is no Firefox here, and it takes root on Debian to install it")
    with firefox(path) as browser:
        yield browser
