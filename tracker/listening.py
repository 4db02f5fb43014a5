"""Listening sockets of one's own, or ones that are handed over: they outlive whoever serves them.

What is handed over comes by systemd's protocol, or from a parent process that names descriptors.
"""

import errno
import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress

from tracker.settings import SettingsError

BACKLOG = 2048
"""Connections that may wait in a socket until somebody accepts them."""
READY = b"READY=1"
_FIRST_DESCRIPTOR = 3


def sockets(
    name: str, host: str, port: int, descriptors: Sequence[int] = ()
) -> list[socket.socket]:
    """The sockets of a process: those handed over by its parent or systemd, else ones of its own.

    name: `collector` or `web`. Raises SettingsError.
    """
    if descriptors := descriptors or _from_systemd(os.environ):
        return [_taken_over(number) for number in descriptors]
    return bound(name, host, port)


def bound(name: str, host: str, port: int) -> list[socket.socket]:
    """A socket for each address that a host name has, bound; who serves it lets it listen.

    Collectors of one user may share a port: the system spreads new connections over them, and a new
    one can start before an old one stops. Raises SettingsError.
    """
    made: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, _, _, address in found:
            one = _made(family, kind)
            if one is None:
                continue
            made.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if name == "collector":
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind(address)
        if not made:
            raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
    except OSError as error:
        close(made)
        raise SettingsError(
            f"The {name} process can't listen on {host}, port {port}: {error.strerror or error}.\n"
            f"Stop what listens there, or set PINTAG_{name.upper()}_HOST and "
            f"PINTAG_{name.upper()}_PORT."
        ) from None
    return made


def _made(family: int, kind: int) -> socket.socket | None:
    """A socket; None where the system has none of this family, such as one without IPv6."""
    try:
        return socket.socket(family, kind)
    except OSError as error:
        if error.errno != errno.EAFNOSUPPORT:
            raise
        return None


def kept(name: str, host: str, port: int, descriptors: Sequence[int] = ()) -> list[socket.socket]:
    """The same, listening: who keeps them hands them over. Connections wait for who serves them."""
    made = sockets(name, host, port, descriptors)
    for one in made:
        one.listen(BACKLOG)
    return made


def options(some: Sequence[socket.socket]) -> tuple[str, ...]:
    """How the command line of a process says which sockets are handed over to it."""
    return tuple(f"--fd={one.fileno()}" for one in some)


def close(some: Sequence[socket.socket]) -> None:
    for one in some:
        one.close()


def tell(notice: bytes) -> None:
    """Tell systemd or a parent process, if one of them wants to hear: READY. Waits for nobody."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
        there.setblocking(False)
        there.connect("\0" + address[1:] if address.startswith("@") else address)
        there.send(notice)


def _from_systemd(environ: Mapping[str, str]) -> range:
    """The descriptors that LISTEN_FDS counts, if LISTEN_PID says that they are for this process."""
    count = environ.get("LISTEN_FDS", "")
    if environ.get("LISTEN_PID") != str(os.getpid()) or not count.isdecimal():
        return range(0)
    return range(_FIRST_DESCRIPTOR, _FIRST_DESCRIPTOR + int(count))


def _taken_over(number: int) -> socket.socket:
    try:
        os.set_inheritable(number, False)
        one = socket.socket(fileno=number)
    except OSError:
        raise SettingsError(_unfit(number)) from None
    if one.type != socket.SOCK_STREAM or one.family not in (socket.AF_INET, socket.AF_INET6):
        one.close()
        raise SettingsError(_unfit(number))
    return one


def _unfit(number: int) -> str:
    return (
        f"Descriptor {number} was handed over, but is no TCP socket.\n"
        "In the unit of a systemd socket, write ListenStream=PORT, and Accept=no."
    )
