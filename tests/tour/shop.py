"""A shop's events, visitors and visits: life-like, and the same each time but for dates."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.tour.doors import AGENT
from tracker.rules.definitions import slugify

Fields = list[dict[str, object]]

NAME = "Fjord & Fell"
PLACE = "https://shop.fjordfell.example"
DAYS = 29
AGENTS = (
    AGENT,
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/26.1 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like"
    " Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/142.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
)
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def field(key: str, type_: str = "text", label: str = "", about: str = "", **more: object) -> dict:  # type: ignore[type-arg]
    return {"key": key, "type": type_, "label": label or key, "description": about, **more}


SOURCE = field("source", label="Source", required=True)
ORDER_1: Fields = [
    SOURCE,
    field("reference", label="Order number", required=True),
    field("amount", "decimal", "Amount", "What was paid, with taxes and shipping."),
    field("currency", label="Currency", about="Three letters, as in ISO 4217."),
]
ORDER_2: Fields = [
    *ORDER_1,
    field("items", "integer", "Number of items"),
    field("gift", "boolean", "Wrapped as a gift"),
]
ORDER_3: Fields = [
    *ORDER_2[:3],
    field("currency", label="Currency", about="Three letters, as in ISO 4217.", required=True),
    *ORDER_2[4:],
    field("delivery_on", "date", "Day of delivery"),
    field("paid_at", "timestamp", "Paid at"),
]
STAGE: Fields = [SOURCE, field("stage", label="Stage")]
SUBJECT: Fields = [SOURCE, field("subject", label="Subject")]
RATING: Fields = [
    *SUBJECT,
    field("stars", "integer", "Stars", "1 to 5", required=True),
    field("comment", label="Comment"),
]
LONG_NAME = "Asked for help by chat, phone or mail after an order, before or during its return"


@dataclass(frozen=True)
class Kind:
    """A kind of event: how often it is made, and what it carries."""

    category: str
    name: str
    description: str
    fields: Fields
    weight: int
    data: Callable[[random.Random, datetime], Mapping[str, object]]

    @property
    def slug(self) -> str:
        return slugify(self.name)


def order(chance: random.Random, at: datetime) -> dict[str, object]:
    """What the first version of an order carried."""
    number = at.strftime("%m%d") + str(chance.randrange(1_000, 10_000))
    amount = f"{chance.choice((19, 29, 49, 89, 129, 249))}.{chance.choice(('00', '50', '90'))}"
    return {"source": "Website", "reference": f"FF-{number}", "amount": amount, "currency": "EUR"}


def newest_order(chance: random.Random, at: datetime) -> dict[str, object]:
    """What the newest one carries."""
    return {
        **order(chance, at),
        "items": chance.randrange(1, 6),
        "gift": chance.random() < 0.2,
        "delivery_on": (at + timedelta(days=3)).date().isoformat(),
        "paid_at": at.isoformat(),
    }


def stage(*stages: str) -> Callable[[random.Random, datetime], dict[str, object]]:
    return lambda chance, _: {"source": "Website", "stage": chance.choice(stages)}


def subject(*subjects: str) -> Callable[[random.Random, datetime], dict[str, object]]:
    return lambda chance, _: {"source": "My Page", "subject": chance.choice(subjects)}


def rating(chance: random.Random, at: datetime) -> dict[str, object]:
    said = chance.choice(("", "", "Warm, and dry after a day of rain.", "Size up."))
    return {
        **subject("Fell jacket", "Fjord boots", "Day pack 22 l")(chance, at),
        "stars": chance.choice((3, 4, 4, 5, 5, 5)),
        **({"comment": said} if said else {}),
    }


ORDER = Kind(
    "transactions",
    "Order placed",
    "An order was paid for in the web shop.",
    ORDER_1,
    10,
    newest_order,
)
KINDS = (
    ORDER,
    Kind(
        "transactions",
        "Gift card bought",
        "",
        ORDER_1,
        3,
        order,
    ),
    Kind("transactions", "Return received", "The warehouse has it back.", ORDER_1, 2, order),
    Kind(
        "conversions",
        "Checkout reached",
        "Somebody came to a step of the checkout.",
        STAGE,
        9,
        stage("Basket", "Address", "Payment"),
    ),
    Kind(
        "conversions",
        "Newsletter sign-up",
        "Confirmed by mail.",
        STAGE,
        4,
        stage("Asked for", "Confirmed"),
    ),
    Kind("conversions", "Loyalty tier", "", STAGE, 2, stage("Silver", "Gold")),
    Kind("conversions", "Account made", "", STAGE, 3, stage("Done")),
    Kind(
        "signals",
        "Product rated",
        "Stars, and a comment if they like.",
        RATING,
        5,
        rating,
    ),
    Kind("signals", "Size guide opened", "", SUBJECT, 6, subject("Boots", "Jackets")),
    Kind("signals", "Back in stock wanted", "", SUBJECT, 2, subject("Fjord boots", "Wool hat")),
    Kind("signals", LONG_NAME, "", SUBJECT, 1, subject("Chat", "Phone", "Mail")),
)
PAGES = ("/basket", "/checkout", "/jackets/fell-jacket", "/boots/fjord-boots", "/my-page", "/")


@dataclass(frozen=True)
class Visit:
    """Something that a visitor does: who, when, what, on which page."""

    visitor: int
    at: datetime
    kind: Kind
    page: str


def visits(chance: random.Random, now: datetime, count: int) -> Iterator[Visit]:
    """Visits of the last weeks: more of them lately, fewer at weekends."""
    weights = [one.weight for one in KINDS]
    while count:
        days = DAYS * (1 - chance.random() ** 0.7)
        at = now - timedelta(days=days, minutes=2)
        if at.weekday() > 4 and chance.random() < 0.5:
            continue
        count -= 1
        kind = chance.choices(KINDS, weights)[0]
        yield Visit(chance.randrange(60), at, kind, PLACE + chance.choice(PAGES))
