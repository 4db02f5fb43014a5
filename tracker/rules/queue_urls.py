"""Where the hit queue is, as PINTAG_QUEUE_URL says it: one server, or the nodes of a cluster."""

import re

_SCHEMES = {"redis+cluster": "redis", "rediss+cluster": "rediss"}
_PARTS = re.compile(r"([^:]*)://(?:(.*)@)?([^/?]*)(/?[^?]*)(.*)")

_PORT = re.compile(r":\d+$")


def is_cluster(url: str) -> bool:
    """Whether it names the nodes of a cluster."""
    return url.partition("://")[0] in _SCHEMES


def servers(url: str) -> list[str]:
    """Every node that a cluster's URL names, each as a redis:// or rediss:// URL."""
    scheme, user, hosts, path, options = _split(url)
    return [f"{scheme}://{user}{host.strip()}{path}{options}" for host in hosts.split(",")]


def node(url: str, host: str, port: int) -> str:
    """The URL of another node of the cluster: the same user and options lead to all of them."""
    scheme, user, _, path, options = _split(url)
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{user}{name}:{port}{path}{options}"


def host(url: str) -> str:
    """The host of a node's URL."""
    name = address(url)
    port = _PORT.search(name)
    return (name[: port.start()] if port else name).strip("[]")


def address(url: str) -> str:
    """Host and port of a node's URL, to show: without whatever else, or secret, is in it."""
    return _split(url)[2]


def _split(url: str) -> tuple[str, str, str, str, str]:
    parts = _PARTS.fullmatch(url)
    if parts is None:
        return "redis", "", "", "", ""
    scheme, user, hosts, path, options = parts.groups()
    return _SCHEMES.get(scheme, scheme), f"{user}@" if user else "", hosts, path, options
