"""How PINTAG_QUEUE_URL is read: one server, or the nodes of a cluster."""

import pytest

from tracker.rules import queue_urls
from tracker.settings import SettingsError, from_environ

SECRET = "redis+cluster://ann:s,c@ret@a:7000, b:7001,[::1]:7002/?ssl_ca_certs=x"


def test_each_server_of_a_cluster_has_its_user_and_options() -> None:
    assert queue_urls.servers(SECRET) == [
        "redis://ann:s,c@ret@a:7000/?ssl_ca_certs=x",
        "redis://ann:s,c@ret@b:7001/?ssl_ca_certs=x",
        "redis://ann:s,c@ret@[::1]:7002/?ssl_ca_certs=x",
    ]
    assert queue_urls.node(SECRET, "::1", 7009) == "redis://ann:s,c@ret@[::1]:7009/?ssl_ca_certs=x"
    assert queue_urls.servers("rediss+cluster://a,b:1") == ["rediss://a", "rediss://b:1"]


def test_only_some_urls_name_a_cluster() -> None:
    assert queue_urls.is_cluster(SECRET)
    for url in ("redis://a", "rediss://a", "unix:///a", "", "redis+clusters://a"):
        assert not queue_urls.is_cluster(url)


@pytest.mark.parametrize(
    ("url", "host", "address"),
    [
        ("redis://ann:pw@a:7000/0?x=1", "a", "a:7000"),
        ("rediss://a", "a", "a"),
        ("redis://[::1]:7000", "::1", "[::1]:7000"),
        ("redis://[::1]", "::1", "[::1]"),
    ],
)
def test_what_is_shown_of_a_node_is_no_secret(url: str, host: str, address: str) -> None:
    assert (queue_urls.host(url), queue_urls.address(url)) == (host, address)


@pytest.mark.parametrize(
    "url",
    [
        "redis://h",
        "rediss://h:7000/3",
        "unix:///run/redis.sock",
        "redis+cluster://a:7000,b:7001",
        "rediss+cluster://ann:pw@a",
        "redis+cluster://a/0",
        "redis+cluster://[::1]:7000",
    ],
)
def test_addresses_of_a_queue(url: str) -> None:
    assert from_environ({"PINTAG_QUEUE_URL": url}).queue_url == url


@pytest.mark.parametrize(
    "url",
    [
        "h:7000",
        "redis://a:1,b:2",
        "redis+cluster://",
        "redis+cluster://a,,b",
        "redis+cluster://:7000",
        "redis+cluster://a:x",
        "cluster://a",
    ],
)
def test_what_is_no_address_of_a_queue(url: str) -> None:
    with pytest.raises(SettingsError, match=r"PINTAG_QUEUE_URL is no .*\nWrite redis://") as raised:
        from_environ({"PINTAG_QUEUE_URL": url})
    assert "redis+cluster://HOST:PORT" in str(raised.value)


def test_a_cluster_has_no_databases() -> None:
    with pytest.raises(SettingsError, match="names a database, but a cluster has none"):
        from_environ({"PINTAG_QUEUE_URL": "redis+cluster://a:7000/3"})
