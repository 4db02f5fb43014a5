"""A section's rules for its snippets stand in all forms of them that pages carry."""

from datetime import UTC, datetime

import psycopg
import pytest
from redis import Redis

from tests.snippets.pages import inline_config, registered_config
from tracker.actions import saving, section_settings
from tracker.rules.definitions import Category, Draft
from tracker.settings import Settings
from tracker.snippets import tracking
from tracker.snippets.render import render_event, render_hosted, render_inline
from tracker.stores import definitions, sections
from tracker.stores.definitions import Definition
from tracker.stores.sections import SectionChanges

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def booking(db: psycopg.Connection, redis: Redis) -> Definition:
    section_settings.create(db, "Hotel")
    draft = Draft(category=Category.TRANSACTIONS, name="Booking")
    saved = saving.create(db, sections.choose(db, "hotel").id, draft, NOW)
    tracking.switch_on(db, redis, saved, NOW)
    return definitions.get(db, saved.id)


@pytest.mark.parametrize(
    ("changes", "consent", "days"),
    [
        (SectionChanges(), None, 395),
        (SectionChanges(consent_required=True), 1, 395),
        (SectionChanges(honour_signals=False), 0, 395),
        (SectionChanges(consent_required=True, honour_signals=False), 1, 395),
        (SectionChanges(visitor_days=30), None, 30),
        (SectionChanges(consent_required=True, visitor_days=1), 1, 1),
        (SectionChanges(strict_origin=True, addresses="whole"), None, 395),
    ],
)
def test_rules_reach_all_forms(
    settings: Settings,
    db: psycopg.Connection,
    redis: Redis,
    booking: Definition,
    changes: SectionChanges,
    consent: int | None,
    days: int,
) -> None:
    section_settings.change(db, redis, sections.choose(db, "hotel"), changes)
    config = tracking.snippet_config(db, settings, booking, NOW)
    inline = inline_config(render_inline(config))
    assert registered_config(render_hosted(config)) == inline
    assert registered_config(render_event(config)) == inline
    assert inline.get("c") == consent
    assert config.visitor_days == days
    assert ("l" in inline) is (days != 395)
