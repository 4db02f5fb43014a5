"""Errors that people can mend are a line on standard error, and exit code 2."""

import sys
from pathlib import Path

import pytest

from tracker import cli, settings
from tracker.cli import running

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


def test_an_argument_that_is_no_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "event", "show", "H\udcf6rsturz") == 2
    assert "is no text in UTF-8: 'H\\udcf6rsturz'" in capsys.readouterr().err


def test_a_setting_that_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PINTAG_BATCH", "many")
    assert run(monkeypatch, "migrate") == 2
    assert capsys.readouterr().err == "PINTAG_BATCH must be a whole number, but is 'many'.\n"


@pytest.mark.parametrize("command", ["doctor", "migrate"])
@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("REDIS_URL", "localhost:6379", "redis://HOST:PORT"),
        ("REDIS_URL", "http://:hush@localhost", "redis://HOST:PORT"),
        ("REDIS_URL", "redis://:hush/hush@localhost", "redis://HOST:PORT"),
        ("REDIS_URL", "unix://run/redis.sock", "unix:///PATH"),
        ("DATABASE_URL", "localhost:5432", "postgresql://USER"),
        ("DATABASE_URL", "mysql://u:hush@h/d", "postgresql://USER"),
    ],
)
def test_a_url_that_is_wrong(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    variable: str,
    value: str,
    says: str,
) -> None:
    for name, url in {**AWAY, variable: value}.items():
        monkeypatch.setenv(name, url)
    assert run(monkeypatch, command) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"{variable} is no address of a ")
    assert says in error
    assert "Traceback" not in error
    assert "hush" not in error


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DATABASE_URL", "postgres://u:p@h:5432/d?sslmode=require"),
        ("DATABASE_URL", "postgresql:///d?host=%2Frun%2Fpg"),
        ("DATABASE_URL", "host=/run/pg dbname=d"),
        ("REDIS_URL", "redis://h"),
        ("REDIS_URL", "rediss://:p@h:6380/1"),
        ("REDIS_URL", "unix:///run/redis.sock?db=1"),
    ],
)
def test_urls_that_are_right(variable: str, value: str) -> None:
    found = settings.from_environ({variable: value})
    assert value in (found.database_url, found.redis_url)


def test_an_empty_url_counts_as_not_set(tmp_path: Path) -> None:
    running.StateFile(tmp_path).create(settings.from_environ(AWAY), {}, {}, "")
    found = settings.load({"PINTAG_DATA": str(tmp_path), "DATABASE_URL": "", "REDIS_URL": ""})
    assert {"DATABASE_URL": found.database_url, "REDIS_URL": found.redis_url} == AWAY


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_an_ipv6_address_to_listen_on(host: str) -> None:
    found = settings.from_environ({"PINTAG_WEB_HOST": host, "PINTAG_COLLECTOR_HOST": host})
    assert (found.web_host, found.collector_host) == ("::1", "::1")
    assert found.public_collector_url == "http://[::1]:8701"


@pytest.mark.parametrize(
    "text", ["/", "/v1/", "v1", "//v1", "/a/../b", "/.", "/a b", "/é", "/%2f", "/{k}"]
)
@pytest.mark.parametrize("variable", ["PINTAG_HITS_PATH", "PINTAG_SCRIPTS_PATH"])
def test_a_path_that_is_none(variable: str, text: str) -> None:
    with pytest.raises(settings.SettingsError, match=f"{variable} must be a path such as /pt"):
        settings.from_environ({variable: text})


@pytest.mark.parametrize("text", ["/pt", "/a/b.c-d_e~f/0", "/v1"])
def test_paths(text: str) -> None:
    found = settings.from_environ({"PINTAG_HITS_PATH": text, "PINTAG_SCRIPTS_PATH": text})
    assert (found.hits_path, found.scripts_path) == (text, text)


@pytest.mark.parametrize("text", ["*", "proxy", "10.0.0.1/8", "10.0.0.0/8,", "1.2.3.4 5.6.7.8"])
def test_proxies_that_are_none(text: str) -> None:
    with pytest.raises(settings.SettingsError, match="PINTAG_TRUSTED_PROXIES must be addresses"):
        settings.from_environ({"PINTAG_TRUSTED_PROXIES": text})


def test_proxies() -> None:
    found = settings.from_environ({"PINTAG_TRUSTED_PROXIES": " 10.0.0.0/8, ::1,127.0.0.1 "})
    assert found.trusted_proxies == "10.0.0.0/8,::1,127.0.0.1"


@pytest.mark.parametrize(
    "text",
    [
        "pintag.example",
        "https://",
        "https://pintag.example/pintag",
        "https://pintag.example:99999",
        "https://ann@pintag.example",
        "https://*.example.com",
        "null",
    ],
)
def test_a_public_address_of_the_pages_that_is_none(text: str) -> None:
    with pytest.raises(settings.SettingsError, match=r"^PINTAG_WEB_URL must be .*address such as"):
        settings.from_environ({"PINTAG_WEB_URL": text})


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("https://Pintag.example:8443/", "https://pintag.example:8443"),
        ("https://pintag.example:443", "https://pintag.example"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://[2001:DB8::1]", "https://[2001:db8::1]"),
    ],
)
def test_the_public_address_of_the_pages_is_as_browsers_say_it(text: str, kept: str) -> None:
    assert running.pages(settings.from_environ({"PINTAG_WEB_URL": text})) == kept


def test_without_one_the_pages_are_on_this_machine() -> None:
    assert running.pages(settings.from_environ({"PINTAG_WEB_HOST": "::"})) == "http://[::1]:8700"


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
