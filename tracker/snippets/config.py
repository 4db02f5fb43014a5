"""What a snippet is rendered from."""

from dataclasses import dataclass
from datetime import date as Date  # noqa: N812 -- `date` is a field here
from datetime import datetime
from typing import Any

from tracker.rules.fields import Field

NONCE = r"""[^\x00-\x1f\x7f'"<>&;,]{1,200}"""
"""A nonce, or what a site's templates put one in the place of, such as `{{ nonce }}`: nothing that
would end an attribute or a source of a policy, or be escaped there.
"""
BAD_NONCE = "A nonce has 1 to 200 characters, none of them ' \" < > & ; or a comma."
VISITOR_DAYS = 395
"""How long a visitor id is good unless its section says otherwise: 13 months, the longest that the
French regulator's guidelines on trackers (CNIL, 2020-091, article 5) let audience figures keep one.
"""


@dataclass(frozen=True, slots=True)
class SnippetConfig:
    """All that a snippet is rendered from; usable_from: of a version that can't be used yet.

    consent, signals, visitor_days: the section's rules; test: a snippet for trying out;
    attributes: it reads `data-pintag-*` attributes, too; nonce: of the page's content security
    policy, None where it goes by hashes; fields: of the version, for the forms that name them.
    """

    collector_url: str
    key: str
    slug: str
    event_name: str
    version_number: int
    date: Date
    usable_from: datetime | None = None
    consent: bool = False
    signals: bool = True
    visitor_days: int = VISITOR_DAYS
    test: bool = False
    hits_path: str = "/v1"
    scripts_path: str = "/s"
    fields: tuple[Field, ...] = ()
    description: str = ""
    attributes: bool = False
    nonce: str | None = None

    @property
    def address(self) -> str:
        """Where hits are posted."""
        address = f"{self.collector_url}{self.hits_path}/{self.key}"
        return f"{address}?test" if self.test else address

    @property
    def origin(self) -> str:
        """The collector's origin, as policies name it."""
        return "/".join(self.collector_url.split("/")[:3])

    @property
    def public(self) -> dict[str, Any]:
        """What the runtime registers; the head of runtime.js says what each part means."""
        config: dict[str, Any] = {"u": self.address, "n": self.slug}
        if self.consent or not self.signals:
            config["c"] = int(self.consent)
        if self.visitor_days != VISITOR_DAYS:
            config["l"] = self.visitor_days * 86_400_000
        return config
