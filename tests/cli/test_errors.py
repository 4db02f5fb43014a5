"""Errors that people can mend are a line on standard error, and exit code 2."""

import sys
from pathlib import Path

import pytest

from tracker import cli, settings

AWAY = {"DATABASE_URL": "postgresql://127.0.0.1:1/x", "REDIS_URL": "redis://127.0.0.1:1"}


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PINTAG_DATA", str(tmp_path))
    for name in AWAY:
        monkeypatch.delenv(name, raising=False)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["pintag", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code


def test_no_servers(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "doctor") == 2
    assert "Run `pintag up` in this folder first" in capsys.readouterr().err


def test_a_server_that_is_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, url in AWAY.items():
        monkeypatch.setenv(name, url)
    assert run(monkeypatch, "migrate") == 2
    error = capsys.readouterr().err
    assert error.startswith("PostgreSQL can't be reached: ")
    assert "Traceback" not in error


def test_a_setting_that_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PINTAG_BATCH", "many")
    assert run(monkeypatch, "migrate") == 2
    assert capsys.readouterr().err == "PINTAG_BATCH must be a whole number, but is 'many'.\n"


def test_the_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "--version") == 0
    assert capsys.readouterr().out.startswith("pintag ")


def test_a_data_folder_for_root_in_a_private_place(
    monkeypatch: pytest.MonkeyPatch, data_dir: Path
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.chdir(data_dir)
    assert settings.default_data_dir({}) == data_dir / "pintag-data"
    data_dir.chmod(0o700)
    assert settings.default_data_dir({}) == Path("/var/lib/pintag")
    assert settings.default_data_dir({"PINTAG_DATA": "/x"}) == Path("/x")
