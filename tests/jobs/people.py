"""People whom the section Harbour knows, with all that can be kept of someone."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.jobs.planting import plant, version_of
from tests.worker.cast import Harbour, drain, hit
from tracker.rules.keyspaces import Identity, Keyspace
from tracker.rules.outcomes import Outcome
from tracker.rules.states import NO_PARTITION, POSTED, Move
from tracker.stores import batches

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
ANN_PHONE, ANN_LAPTOP = (Identity(Keyspace.WEB, f"ann's {what}") for what in ("phone", "laptop"))
ANN_MAIL = Identity(Keyspace.EMAIL, "ann@example.com")
BEN, BEN_MAIL = Identity(Keyspace.WEB, "ben"), Identity(Keyspace.EMAIL, "ben@example.com")
BEN_CRM = Identity(Keyspace.CRM_ID, "Ben-1")
OWN_TABLES = ("profile", "identifier", "event", "quarantine", "held", "merge", "posting", "export")


def know(harbour: Harbour, *identities: Identity) -> dict[Identity, int]:
    """Make a profile with these identifiers; returns their ids."""
    section_id = harbour.booking.section_id
    with harbour.db.transaction():
        [(profile_id,)] = harbour.rows(
            "INSERT INTO profile (section_id, created_at) VALUES (%s, %s) RETURNING id",
            section_id,
            NOW,
        )
        return {
            one: harbour.rows(
                "INSERT INTO identifier (section_id, keyspace, key, profile_id, created_at)"
                " VALUES (%s, %s, %s, %s, %s) RETURNING id",
                section_id,
                *one,
                profile_id,
                NOW,
            )[0][0]
            for one in identities
        }


def claim(harbour: Harbour, identifier_id: int, claims: Mapping[str, str] | None) -> None:
    """Give all events of an identifier these claims."""
    harbour.db.execute(
        "UPDATE event SET claims = %s WHERE identifier_id = %s",
        (json.dumps(claims, separators=(",", ":")) if claims else None, identifier_id),
    )


def reject(harbour: Harbour, *hits: dict[str, Any] | bytes) -> None:
    """Send hits that are not stored, and let the worker put them in quarantine."""
    harbour.send(*hits)
    drain(harbour)


def hold(harbour: Harbour, *hits: dict[str, Any]) -> None:
    """Put hits with those that wait for their version, with the ledger in balance."""
    with harbour.db.transaction():
        for one in hits:
            harbour.db.execute(
                "INSERT INTO held (partition, section_id, version_id, snippet_key, hit_id, raw,"
                " sent, received_at, due_at) VALUES (0, %s, %s, %s, %s, %s, 0, %s, %s)",
                (
                    harbour.booking.section_id,
                    version_of(harbour),
                    harbour.key,
                    one["id"],
                    json.dumps(one).encode(),
                    NOW,
                    datetime.now(UTC) + timedelta(days=365),
                ),
            )
        moves = Counter({Move(NO_PARTITION, POSTED, Outcome.HELD): len(hits)})
        batches.count(harbour.db, moves)


def make_client(harbour: Harbour, name: str = "crm") -> int:
    """An API client of the section; returns its id."""
    [(id_,)] = harbour.rows(
        "INSERT INTO api_client (public_id, section_id, name, secret_hash, scopes, keyspaces,"
        " created_at) VALUES (%s, %s, %s, '', '{}', '{}', %s) RETURNING id",
        name,
        harbour.booking.section_id,
        name,
        NOW,
    )
    return int(id_)


def answer(harbour: Harbour, client: int, key: str, text: str) -> None:
    """Keep the answer to a post."""
    harbour.db.execute(
        "INSERT INTO posting (client_id, key, body_hash, answer, made_at)"
        " VALUES (%s, %s, '', %s, %s)",
        (client, key, text, NOW),
    )


def merged(harbour: Harbour, first: int, second: int, kind: str = "merged") -> None:
    """Record a merge."""
    harbour.db.execute(
        "INSERT INTO merge (section_id, kind, first_id, second_id, made_by, made_at)"
        " VALUES (%s, %s, %s, %s, 'crm', %s)",
        (harbour.booking.section_id, kind, first, second, NOW),
    )


def exported(harbour: Harbour, id_: str, identifier_ids: list[int]) -> None:
    """Keep an export that is ready."""
    harbour.db.execute(
        "INSERT INTO export (id, section_id, identifier_id, identifier_ids, made_at, ready_at,"
        " expires_at) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (
            id_,
            harbour.booking.section_id,
            identifier_ids[0],
            identifier_ids,
            NOW,
            NOW,
            datetime(2100, 1, 1, tzinfo=UTC),
        ),
    )
    harbour.db.execute("INSERT INTO export_part VALUES (%s, 1, '{}')", (id_,))


def kept(harbour: Harbour) -> dict[str, set[str]]:
    """All rows of all tables that hold something of people, as text."""
    return {
        table: {text for (text,) in harbour.rows(f"SELECT t::text FROM {table} t")}
        for table in (*OWN_TABLES, "export_part")
    }


def ben_lives_here(harbour: Harbour) -> dict[Identity, int]:
    """Ben, with something of his in every table."""
    ids = know(harbour, BEN, BEN_MAIL, BEN_CRM)
    plant(harbour, *(NOW - timedelta(hours=n) for n in range(7)), identifier_id=ids[BEN])
    plant(harbour, NOW, identifier_id=ids[BEN_MAIL])
    reject(
        harbour, hit(BEN.key, data={}), hit(BEN.key, data={"reference": "ann@example.com"}), b"?"
    )
    claim(harbour, ids[BEN], {"crm-id": "Ben-1"})
    hold(harbour, hit(BEN.key, claims={"email": "ben@example.com"}))
    merged(harbour, ids[BEN], ids[BEN_MAIL])
    answer(harbour, make_client(harbour), "ben's", '{"items":[{"key":"ben"}]}')
    exported(harbour, "ben's", list(ids.values()))
    return ids


def ann_comes(harbour: Harbour) -> dict[Identity, int]:
    """Ann, with something of hers in every table, and Ben's events that mention her."""
    ids = know(harbour, ANN_PHONE, ANN_LAPTOP, ANN_MAIL)
    for id_ in ids.values():
        plant(harbour, *(NOW - timedelta(days=n) for n in range(4)), identifier_id=id_)
    claim(harbour, ids[ANN_LAPTOP], {"email": "ann@example.com"})
    reject(
        harbour,
        hit(ANN_PHONE.key, data={}),
        hit("somebody", data={}, claims={"email": "Ann@Example.com"}),
        b'{"visitor": "ann\'s laptop", oops',
        b'{"claims": {"email": {"key": "ann@example.com"}}, "id": 3}',
    )
    hold(harbour, hit(ANN_LAPTOP.key), hit("another", claims={"email": "ANN@example.com"}))
    [(ben,)] = harbour.rows("SELECT id FROM identifier WHERE key = 'ben'")
    claim(harbour, ben, {"crm-id": "Ben-1", "email": "ann@example.com"})
    merged(harbour, ids[ANN_PHONE], ids[ANN_MAIL])
    merged(harbour, ben, ids[ANN_MAIL], kind="refused")
    [(client,)] = harbour.rows("SELECT id FROM api_client")
    [(event,)] = harbour.rows(
        "SELECT min(id::text) FROM event WHERE identifier_id = %s", ids[ANN_MAIL]
    )
    answer(harbour, client, "by event", f'{{"items":[{{"status":201,"id":"{event}"}}]}}')
    answer(harbour, client, "by name", '{"items":[],"key":"ann@example.com"}')
    exported(harbour, "ann's", [ids[ANN_MAIL], ids[ANN_PHONE]])
    return ids
