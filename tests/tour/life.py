"""Fills an installation with life: a shop's month, what strangers sent, a section that is new."""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from tests.pages.kept import choice
from tests.tour import shop
from tests.tour.doors import Doors, Hit, hit_at, open_section
from tests.tour.hostile import ADDRESS, hostile
from tests.whole.installation import Installation, temporary
from tracker.actions import hiding, merging
from tracker.rules.keyspaces import Identity, Keyspace
from tracker.settings import Settings
from tracker.stores import accounts, quarantine
from tracker.vault import Vault

VISITS = 420
ORDER = "order-placed"
PERSON = "C-10007"
Values = Mapping[str, str]
"""What the parts of addresses stand for in a section, such as its slug and the id of a hit."""


@dataclass(frozen=True)
class Life:
    """An installation that was filled: its shop, a section of hostile texts, and a new one."""

    pintag: Installation
    session: str
    shop: Values
    hostile: Values
    new: Values


@contextmanager
def lived() -> Iterator[Life]:
    """An installation that has seen some life."""
    with temporary() as pintag:
        yield fill(pintag)


def fill(pintag: Installation) -> Life:
    """Fill an installation through its doors."""
    now = datetime.now(UTC)
    with pintag.database() as db, pintag.redis() as client:
        doors = open_section(pintag, db, client, shop.NAME, "Maja", now)
        opened = _shop(doors)
        strange = open_section(pintag, db, client, hostile("section"), hostile("account"), now)
        hacked = _hostile(strange)
        new = open_section(pintag, db, client, "Fjord & Fell Outlet", "Per", now)
        common = {**_people(doors), **_lost(doors)}
        _count_by_day(doors)
        return Life(
            pintag,
            doors.session,
            {**opened, **common},
            {**hacked, **common},
            {"section": new.section, **common},
        )


def _people(doors: Doors) -> Values:
    """Accounts of all kinds; one is invited, by a link that nobody uses."""
    pintag = doors.pintag
    for name, role in (("Astrid", "editor"), ("Jonas", "viewer")):
        pintag.pintag("account", "create", name, "--role", role, "--section", doors.section)
    pintag.pintag("account", "disable", "Jonas")
    scopes = ("--scope", "profiles:read", "--scope", "events:write", "--keyspace", "crm-id")
    pintag.pintag("client", "create", "Our CRM", "--section", doors.section, *scopes)
    link = pintag.pintag("account", "create", "Nils").strip()
    invited = accounts.find(doors.db, "Per")
    assert invited is not None
    return {"token": link.rpartition("/")[2], "account": str(invited.id)}


def _lost(doors: Doors) -> Values:
    """Hits of no section, and what a replay would make of them."""
    made = [
        hit_at(
            doors.ago(minutes=n), hostile("visitor"), {"a": hostile("wrong value")}, page=ADDRESS
        )
        for n in range(3)
    ]
    doors.send_to_nobody(*made)
    doors.rest()
    hits = quarantine.newest_of(doors.db, None, 1)
    trial = doors.job("/quarantine/replay", hit=str(hits[0].id), dry_run="yes")
    return {"lost-hit": str(hits[0].id), "lost-trial": trial}


def _count_by_day(doors: Doors) -> None:
    """Count hits on the days when they happened: what came just now can't have come weeks ago."""
    doors.db.execute("DELETE FROM hit_count WHERE outcome IN ('stored', 'quarantined')")
    doors.db.execute(
        "INSERT INTO hit_count (version_id, day, outcome, reason, partition, hits)"
        " SELECT version_id, (event_time AT TIME ZONE 'UTC')::date, 'stored', '', -1, count(*)"
        " FROM event GROUP BY 1, 2 UNION ALL"
        " SELECT version_id, (received_at AT TIME ZONE 'UTC')::date - id::int * 7 % 29,"
        " 'quarantined', reason, -1, count(*) FROM quarantine WHERE version_id IS NOT NULL"
        " GROUP BY 1, 2, 4"
    )


# -- the shop


def _shop(doors: Doors) -> Values:
    doors.pintag.pintag("section", "set", doors.section, "--addresses", "truncated", "--signals")
    for kind in shop.KINDS:
        doors.save(kind.category, kind.name, kind.description, kind.fields, days=40)
    doors.save("signals", "Coupon used", "Replaced by gift cards.", shop.SUBJECT, days=90)
    hiding.hide(doors.db, doors.redis, doors.event("coupon-used"), now=doors.ago(days=30))
    doors.edit(ORDER, shop.ORDER_2, days=21)
    doors.edit(ORDER, shop.ORDER_3, days=9)
    doors.edit("newsletter-sign-up", [*shop.STAGE, shop.field("topic")], minutes=13)
    doors.post(f"{doors.root}/events/account-made/tracking", to="off", sure="yes")
    doors.post(
        f"{doors.root}/events/product-rated/rights", **{"email:read": "1", "crm-id:read": "1"}
    )
    doors.rest()
    _visit(doors)
    _err(doors)
    doors.rest()
    _know(doors)
    return _values(doors, ORDER, "crm-id", PERSON, "size-guide-opened")


def _visit(doors: Doors) -> None:
    chance = random.Random(7)
    batches: dict[tuple[str, str], list[Hit]] = defaultdict(list)
    for visit in shop.visits(chance, doors.now, VISITS):
        if visit.kind.name == "Account made":
            continue  # which isn't tracked any more
        agent = shop.AGENTS[visit.visitor % len(shop.AGENTS)]
        key, data = _sent(doors, visit, chance)
        made = hit_at(visit.at, f"visitor-{visit.visitor}", data, page=visit.page)
        if visit.visitor % 3 == 1:
            customer = f"C-{10_000 + visit.visitor}"
            made["claims"] = {"crm-id": doors.claim(Keyspace.CRM_ID, customer)}
        batches[key, agent].append(made)
    for (key, agent), hits in batches.items():
        doors.send(key, hits, agent)


def _sent(
    doors: Doors, visit: shop.Visit, chance: random.Random
) -> tuple[str, Mapping[str, object]]:
    """The snippet's key and the fields, of the version that was in use or of an old page's."""
    slug = visit.kind.slug
    if visit.kind is not shop.ORDER:
        return doors.key(slug), visit.kind.data(chance, visit.at)
    age = doors.now - visit.at
    version = 1 if age > timedelta(days=21) or visit.visitor % 15 == 0 else 2
    version = 3 if version == 2 and age < timedelta(days=9) else version
    data = dict(visit.kind.data(chance, visit.at))
    for name in {1: ("items", "gift", "delivery_on", "paid_at"), 2: ("delivery_on", "paid_at")}.get(
        version, ()
    ):
        del data[name]
    return doors.key(slug, version), data


def _err(doors: Doors) -> None:
    """Hits that are rejected, held, dropped, doubled, late, and for trying out."""
    key, at = doors.key(ORDER, 3), doors.ago(minutes=5)
    good = shop.newest_order(random.Random(1), at)
    page = f"{shop.PLACE}/checkout?step=3"
    dear = [hit_at(at, f"visitor-{n}", {**good, "amount": "49,00 €"}, page=page) for n in range(14)]
    older = [hit_at(at, f"visitor-{n}", {**good, "color": "moss"}, page=page) for n in range(5)]
    bare = [hit_at(at, "visitor-3", {"gift": "perhaps", "items": 2.5}, page=f"{shop.PLACE}/basket")]
    old = [hit_at(doors.ago(days=50), "visitor-4", good, page=page) for _ in range(3)]
    forged = {"key": "C-1", "expires": 1_900_000_000, "signature": "0" * 64}
    claimed = [hit_at(at, "visitor-5", good, page=page, claims={"crm-id": forged})]
    broken: list[Hit] = [{"id": "not an id", "at": "yesterday", "visitor": 5, "data": good}]
    doors.send(key, [*dear, *older, *bare, *old, *claimed, *broken])
    waiting = {"source": "Website", "stage": "Confirmed", "topic": "Sale"}
    held = [hit_at(at, f"visitor-{n}", waiting, page=f"{shop.PLACE}/") for n in range(6)]
    doors.send(doors.key("newsletter-sign-up", 2), held)
    doors.send(key, [hit_at(at, f"visitor-{n}", good, page=page) for n in range(9)], shop.BOT)
    twice = hit_at(at, "visitor-7", good, page=page)
    doors.send(key, [twice, twice, hit_at(at, None, good, page=page)])
    slow = {**good, "reference": "FF-slow"}
    doors.send(key, [hit_at(at - timedelta(hours=5), "visitor-7", slow, page=page)], behind="5")
    local = "http://localhost:5173/checkout"
    tried = [{**good, "amount": "dear", "colour": "moss"}, good]
    doors.send(key, [hit_at(at, "dev", one, page=local) for one in tried], test="1")


def _know(doors: Doors) -> None:
    """Who is who: merges, one that is refused, one that is undone."""
    vault = _vault(doors)
    person = Identity(Keyspace.CRM_ID, PERSON)
    mail = Identity(Keyspace.EMAIL, "ingrid.solberg@example.com")
    phone = Identity(Keyspace.MOBILE, "4791234567")
    for n, other in enumerate((mail, phone, Identity(Keyspace.WEB, "visitor-3"))):
        at = doors.ago(days=6 - n)
        merging.merge(doors.db, vault, doors.section_id, (person, other), "Our CRM", at)
    merging.unmerge(doors.db, vault, doors.section_id, phone, "the command line", doors.ago(days=2))


def _vault(doors: Doors) -> Vault:
    key = doors.pintag.state["environment"]["PINTAG_SECRET_KEY"]
    return Vault(replace(Settings(), secret_key=key))


def _values(doors: Doors, slug: str, keyspace: str, key: str, left: str) -> Values:
    """Run a job of each kind; returns what there is to look at. left: what the erased one did."""
    hits = quarantine.newest_of(doors.db, doors.section_id, 100)
    rejected = f"{doors.root}/quarantine"
    trial = doors.job(f"{rejected}/replay", **choice(doors.get(rejected)), dry_run="yes")
    replay = doors.job(f"{rejected}/replay", **choice(doors.get(rejected)))
    leaver = [hit_at(doors.ago(days=n), "leaver", data) for n, data in ((1, {}), (2, {"a": 1}))]
    doors.send(doors.key(left), leaver)
    doors.rest()
    profiles = f"{doors.root}/profiles"
    return {
        "section": doors.section,
        "slug": slug,
        "keyspace": keyspace,
        "key": quote(key),
        "hit": str(max(hits, key=lambda hit: len(hit.fields)).id),
        "trial": trial,
        "replay": replay,
        "export": doors.job(f"{profiles}/{keyspace}/{quote(key)}/export"),
        "erasure": doors.job(f"{profiles}/web/leaver/erase", typed="leaver"),
    }


# -- what strangers send


def _hostile(doors: Doors) -> Values:
    name = hostile("event")
    count = shop.field("count", "integer", hostile("label"), hostile("about a field"))
    fields = [*shop.SUBJECT, count]
    slug = doors.save("signals", name, hostile("description"), fields, days=3).slug
    doors.edit(slug, [*shop.SUBJECT, {**count, "label": f"{hostile('label')}!"}], days=2)
    visitor, at, key = hostile("visitor"), doors.ago(hours=3), doors.key(slug, 2)
    good = {"subject": hostile("value"), "count": 1}
    page = f"https://shop.example/{hostile('page')}"
    named = {"page": page, "referrer": ADDRESS, "claims": {"email": hostile("claim")}}
    hits = [hit_at(at, visitor, good, **named), hit_at(at, visitor, good, page=ADDRESS)]
    wrong = {"count": hostile("wrong value"), hostile("wrong name"): 1}
    rejected = [hit_at(at, visitor, wrong, **named), hit_at(at, visitor, wrong, page=ADDRESS)]
    agent = f"{hostile('agent')}/1.0 CFNetwork/1404 Darwin/22"
    doors.send(key, [*hits, *rejected], agent)
    doors.send(key, [*hits, *rejected], agent, test="1")
    doors.rest()
    doors.pintag.pintag("client", "create", hostile("client"), "--section", doors.section)
    pair = Identity(Keyspace.WEB, visitor), Identity(Keyspace.CRM_ID, hostile("visitor"))
    merging.merge(doors.db, _vault(doors), doors.section_id, pair, hostile("merger"), at)
    doors.post(f"{doors.root}/events/{slug}/tracking", to="off", sure="yes")
    doors.post(f"{doors.root}/events/{slug}/tracking", to="on")
    return _values(doors, slug, "web", visitor, slug)
