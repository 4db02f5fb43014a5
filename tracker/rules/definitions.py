"""Definitions: their categories, pre-made fields and public names, and which version is current.

What a client may send to make or edit one is in drafts.py.
"""

import re
import unicodedata
from collections.abc import Callable, Container, Iterable
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeVar

import msgspec

from tracker.rules.errors import ErrorCode, FieldError
from tracker.rules.fields import FieldType

MAX_SLUG = 40
RESERVED_SLUGS = frozenset({"consent", "reset", "identify", "debug", "new"})
"""Names of the snippet's own calls, and of the page for new events: no slug may hide them."""
MAX_PREFIX = 100
BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"

_PREFIX_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_PREFIX = re.compile(rf"{_PREFIX_LABEL}(\.{_PREFIX_LABEL})+")


class Category(StrEnum):
    """What a definition is for; `.singular` is its name in discriminators, `.purpose` in prose."""

    singular: str
    purpose: str

    def __new__(cls, value: str, singular: str, purpose: str) -> "Category":
        member = str.__new__(cls, value)
        member._value_ = value
        member.singular = singular
        member.purpose = purpose
        return member

    TRANSACTIONS = (
        "transactions",
        "transaction",
        "Orders, bookings, password requests and the like, to build personal, automated customer "
        "journeys on.",
    )
    CONVERSIONS = (
        "conversions",
        "conversion",
        "Steps forward that matter: a visitor becomes a customer, a customer reaches a higher "
        "loyalty tier.",
    )
    SIGNALS = (
        "signals",
        "signal",
        "Telling things that people do on the website, such as voting in a poll or answering a "
        "survey.",
    )


class FieldDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A field as a client sends it; spaces around the texts are taken off.

    `id` names the field of the version before that this one goes on; without it, the field that
    had the same key goes on. An empty `label` becomes the key.
    """

    key: str
    type: FieldType
    label: str = ""
    required: bool = False
    description: str = ""
    id: str = ""

    def __post_init__(self) -> None:
        _trim(self, "key", "label", "description")
        if not self.label:
            msgspec.structs.force_setattr(self, "label", self.key)


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A definition as a client sends it; without `fields` it gets its category's pre-made ones."""

    category: Category
    name: str
    description: str = ""
    fields: list[FieldDraft] | None = None

    def __post_init__(self) -> None:
        _trim(self, "name", "description")
        if self.fields is None:
            msgspec.structs.force_setattr(self, "fields", premade_fields(self.category))


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """What a client wants changed in a definition; parts that it leaves out stay as they are.

    `fields` are all of them, in order. `based_on` is the number of edits (`edits`) that the client
    saw: the edit is refused if there have been others since.
    """

    name: str | None = None
    description: str | None = None
    fields: list[FieldDraft] | None = None
    based_on: int | None = None

    def __post_init__(self) -> None:
        _trim(self, "name", "description")


def _trim(struct: msgspec.Struct, *names: str) -> None:
    for name in names:
        text = getattr(struct, name)
        if text is not None:
            msgspec.structs.force_setattr(struct, name, text.strip())


_PREMADE = {
    Category.TRANSACTIONS: ("reference", "amount", "currency"),
    Category.CONVERSIONS: ("stage",),
    Category.SIGNALS: ("subject",),
}
_PREMADE_FIELDS = {
    "source": FieldDraft(
        key="source",
        label="Source",
        type=FieldType.TEXT,
        required=True,
        description="Where the event comes from, such as Website, API, My Page or Checkout.",
    ),
    "reference": FieldDraft(
        key="reference",
        label="Reference",
        type=FieldType.TEXT,
        description="What names the transaction elsewhere, such as an order number.",
    ),
    "amount": FieldDraft(
        key="amount",
        label="Amount",
        type=FieldType.DECIMAL,
        description="What it was worth, in the currency.",
    ),
    "currency": FieldDraft(
        key="currency",
        label="Currency",
        type=FieldType.TEXT,
        description="Currency of the amount, such as EUR.",
    ),
    "stage": FieldDraft(
        key="stage",
        label="Stage",
        type=FieldType.TEXT,
        description="The stage of the customer journey that was reached.",
    ),
    "subject": FieldDraft(
        key="subject",
        label="Subject",
        type=FieldType.TEXT,
        description="What it was about, such as the name of a poll.",
    ),
}


def premade_fields(category: Category) -> list[FieldDraft]:
    """Return the fields that a new definition starts with; all but `source` can be removed."""
    return [_PREMADE_FIELDS[key] for key in ("source", *_PREMADE[category])]


def slugify(name: str, fallback: str = "event") -> str:
    """Return a name as lower-case ASCII words joined by dashes, 1 to 40 characters.

    Accents are taken off; where nothing is left (a name in Greek), it is `fallback`, for which
    the category's singular is a good choice.
    """
    ascii_ = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", ascii_).strip("-")
    return words[:MAX_SLUG].rstrip("-") or fallback


def free_slug(wanted: str, taken: Container[str]) -> str:
    """Return `wanted`, or its first free variant -2, -3…; at most 40 characters, none reserved."""
    slug, number = wanted, 1
    while slug in RESERVED_SLUGS or slug in taken:
        number += 1
        ending = f"-{number}"
        slug = wanted[: MAX_SLUG - len(ending)].rstrip("-") + ending
    return slug


def discriminator(prefix: str, category: Category, slug: str, random_part: str) -> str:
    """Return a definition's immutable public name; `random_part` is 10 random base36 digits."""
    return f"{prefix}.events.{category.singular}.custom-{slug}-{random_part}"


def random_base36(n: int, randbelow: Callable[[int], int]) -> str:
    """Return `n` random characters of 0-9a-z; `randbelow` is `secrets.randbelow` outside tests."""
    return "".join(BASE36[randbelow(36)] for _ in range(n))


def check_prefix(prefix: str) -> list[FieldError]:
    """Return what is wrong with a prefix of discriminators: it is a reversed domain, lower-case."""
    if len(prefix) <= MAX_PREFIX and _PREFIX.fullmatch(prefix):
        return []
    message = f"Send a reversed domain name in lower case, at most {MAX_PREFIX} characters."
    return [FieldError("prefix", ErrorCode.BAD_FORMAT, f"{message} An example: com.example")]


class _Version(Protocol):
    @property
    def number(self) -> int: ...
    @property
    def usable_from(self) -> datetime: ...


V = TypeVar("V", bound=_Version)


def current_version(versions: Iterable[V], now: datetime) -> V | None:
    """Return the version with the highest number that is usable at `now`, or None."""
    usable = (version for version in versions if version.usable_from <= now)
    return max(usable, key=lambda version: version.number, default=None)


def deprecated_at(
    version: _Version, versions: Iterable[_Version], now: datetime
) -> datetime | None:
    """When a version ceased to be the current one: when the next became usable; None until then.

    Clients of the API take the first version without this time as the one to use.
    """
    later = (v.usable_from for v in versions if version.number < v.number and v.usable_from <= now)
    return min(later, default=None)
