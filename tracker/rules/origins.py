"""Origins of websites: the patterns that a section allows, and whether an Origin header is one.

A pattern is an origin, all subdomains of one (`https://*.example.com`, at any depth, but never
example.com itself), or `null`. They are kept as browsers write an Origin header, so that
collectors need only compare strings.
"""

import re
from collections.abc import Sequence
from ipaddress import AddressValueError, IPv4Address, IPv6Address

import idna

from tracker.rules.errors import ErrorCode, FieldError

MAX_PATTERNS = 100
"""Of a section: collectors go through them for each request."""
OPAQUE = "null"
"""What a browser sends for a sandboxed frame, or a page out of a file."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")
_LABELS = re.compile(r"[a-z0-9_.-]+")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_ASCII_DIGITS = re.compile(r"[0-9]{1,5}")
_LOCAL = re.compile(r"https?://(?:(?:[a-z0-9_-]+\.)*localhost|127\.0\.0\.1|\[::1\])(?::[0-9]+)?")
_MAX_HOST = 253


class BadOriginError(ValueError):
    """A text that is no pattern of origins; the message says what is wrong, and what to write."""


def read_patterns(texts: Sequence[str]) -> tuple[list[str], list[FieldError]]:
    """Patterns as they are kept, each once and in the order given, and what is wrong with them."""
    patterns: list[str] = []
    errors: list[FieldError] = []
    for index, text in enumerate(texts):
        try:
            patterns.append(parse_pattern(text))
        except BadOriginError as error:
            errors.append(FieldError(f"origins[{index}]", ErrorCode.BAD_FORMAT, str(error)))
    if len(texts) > MAX_PATTERNS:
        message = f"At most {MAX_PATTERNS} origins can be allowed, not {len(texts)}."
        errors.append(FieldError("origins", ErrorCode.TOO_MANY, message))
    return list(dict.fromkeys(patterns)), errors


def parse_pattern(text: str) -> str:
    """The one spelling of a pattern: as browsers write origins. Raises BadOriginError."""
    given = text.strip()
    if given.lower() == OPAQUE:
        return OPAQUE
    scheme, separator, rest = given.partition("://")
    scheme = scheme.lower()
    if not separator:
        raise BadOriginError(_without_scheme(given))
    if scheme not in _DEFAULT_PORTS:
        raise BadOriginError(f"{given!r} begins with neither https:// nor http://.")
    if re.search(r"[\s,]", rest):
        raise BadOriginError(f"{given!r} has a space or comma: give each origin by itself.")
    authority = rest.removesuffix("/")
    if found := re.search(r"[/\\?#]", authority):
        origin = f"{scheme}://{authority[: found.start()]}"
        raise BadOriginError(f"{given!r} has a path, which origins have none of: write {origin}.")
    if "@" in authority:
        raise BadOriginError(f"{given!r} has a user name, which origins have none of.")
    host, port = _split_port(authority, given)
    return f"{scheme}://{_host(host, given)}{_port(port, scheme, given)}"


def lets_in(patterns: Sequence[str], origin: str, test: bool = False) -> bool:
    """Whether an Origin header is one of the patterns; no patterns let in every one.

    test: it comes with hits for trying out, which this machine's own websites may always send.
    """
    if not patterns or origin in patterns:
        return True
    for pattern in patterns:
        head, star, tail = pattern.partition("*")
        if not (star and origin.startswith(head) and origin.endswith(tail)):
            continue
        # What stands for the star must be the name of a subdomain, whatever strangers send.
        if _LABELS.fullmatch(origin, len(head), len(origin) - len(tail)):
            return True
    return test and _LOCAL.fullmatch(origin) is not None


def shut_out(patterns: Sequence[str], page: str) -> str:
    """The origin of a page, by its address, if hits come in from there for trying out only."""
    scheme, _, rest = page.partition("://")
    try:
        origin = parse_pattern(f"{scheme}://{re.split(r'[/?#]', rest)[0]}")
    except BadOriginError:
        return ""
    only_test = lets_in(patterns, origin, test=True) and not lets_in(patterns, origin)
    return origin if only_test else ""


def _without_scheme(given: str) -> str:
    if given == "*":
        return "'*' is no origin: to let in every website, allow no origins at all."
    example = given if given and not re.search(r"[\s:/]", given) else "shop.example.com"
    return f"{given!r} is no origin: one looks like https://{example}."


def _split_port(authority: str, given: str) -> tuple[str, str | None]:
    """Host and port; the colons of an IPv6 address stand in brackets."""
    end = authority.find("]") + 1
    host, colon, port = authority[end:].partition(":")
    if ":" in port:
        raise BadOriginError(f"{given!r}: an IPv6 address stands in brackets, https://[::1].")
    return authority[:end] + host, port if colon else None


def _port(port: str | None, scheme: str, given: str) -> str:
    if port is None:
        return ""
    if not _ASCII_DIGITS.fullmatch(port) or not 1 <= int(port) <= 65_535:
        raise BadOriginError(f"{given!r}: a port is a number from 1 to 65535.")
    return "" if int(port) == _DEFAULT_PORTS[scheme] else f":{int(port)}"


def _host(host: str, given: str) -> str:
    if host.startswith("["):
        return _ipv6(host, given)
    star = "*." if host.startswith("*.") else ""
    name = _name(host.removeprefix("*."), given)
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        return _ipv4(name, star, given)
    if star and "." not in name and name != "localhost":
        raise BadOriginError(f"{given!r} has too few parts: write https://*.example.com.")
    return star + name


def _name(host: str, given: str) -> str:
    """A host's name in lower case, and in Punycode where it has letters beyond ASCII."""
    if "*" in host:
        raise BadOriginError(
            f"{given!r}: a * stands for subdomains, in front: https://*.example.com."
        )
    try:
        name = host.lower() if host.isascii() else idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        raise BadOriginError(f"{given!r}: {host!r} is no name of a host.") from None
    if len(name) > _MAX_HOST or not all(map(_LABEL.fullmatch, name.split("."))):
        raise BadOriginError(f"{given!r}: {host!r} is no name of a host.")
    return name


def _ipv4(name: str, star: str, given: str) -> str:
    try:
        address = str(IPv4Address(name))
    except AddressValueError:
        raise BadOriginError(f"{given!r}: {name!r} is no IPv4 address.") from None
    if star:
        raise BadOriginError(f"{given!r}: an IP address has no subdomains.")
    return address


def _ipv6(host: str, given: str) -> str:
    """In brackets and shortened; browsers write addresses that embed IPv4 in hexadecimal."""
    try:
        address = IPv6Address(host[1:].removesuffix("]"))
    except AddressValueError:
        address = None
    if address is None or not host.endswith("]") or address.scope_id:
        raise BadOriginError(f"{given!r}: {host!r} is no IPv6 address.")
    mapped = address.ipv4_mapped
    if mapped is None:
        return f"[{address}]"
    return f"[::ffff:{int(mapped) >> 16:x}:{int(mapped) & 0xFFFF:x}]"
