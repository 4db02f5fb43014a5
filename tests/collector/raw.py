"""HTTP by hand: for what no client library would send."""

import socket
from collections.abc import Iterable
from http.client import HTTPResponse
from typing import NamedTuple


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


def head(line: str, *headers: str) -> bytes:
    """A request's first line and headers, with a Host."""
    return "\r\n".join((f"{line} HTTP/1.1", "Host: collector", *headers, "", "")).encode("latin-1")


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=60)


def read(connection: socket.socket) -> Answer:
    """The next answer on a connection. Only for the last one that it has: it reads ahead."""
    response = HTTPResponse(connection)
    response.begin()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, response.read())


def send(port: int, parts: bytes | Iterable[bytes]) -> Answer:
    """Send bytes, and read one answer."""
    with connect(port) as connection:
        for part in [parts] if isinstance(parts, bytes) else parts:
            connection.sendall(part)
        return read(connection)


def is_closed(connection: socket.socket) -> bool:
    """Wait until the other side ended the connection; what it sends before is thrown away."""
    try:
        while connection.recv(65536):
            pass
    except ConnectionResetError:
        pass
    return True
