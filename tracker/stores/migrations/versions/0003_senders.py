"""Who sent a hit, by whose clock, and what a section lets its snippets do."""

from alembic import op

revision = "0003"
down_revision = "0002"

SECTIONS = """
ALTER TABLE section
    ADD COLUMN consent_required boolean NOT NULL DEFAULT false,
    ADD COLUMN honour_signals   boolean NOT NULL DEFAULT true,
    ADD COLUMN visitor_days     int NOT NULL DEFAULT 395 CHECK (visitor_days > 0),
    ADD COLUMN addresses        text NOT NULL DEFAULT 'none'
        CHECK (addresses IN ('whole', 'truncated', 'none')),
    ADD COLUMN signed_tags      boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN section.honour_signals IS 'Do Not Track and Global Privacy Control';
COMMENT ON COLUMN section.visitor_days IS 'how long a visitor id is good, from its making';
COMMENT ON COLUMN section.addresses IS 'what collectors keep of the senders'' IP addresses';
COMMENT ON COLUMN section.signed_tags IS 'true: hits need a tag that is signed and not expired';
"""

SENDERS = """
ALTER TABLE event
    ADD COLUMN sent_at  timestamptz,
    ADD COLUMN clock_ms bigint,
    ADD COLUMN address  text,
    ADD COLUMN agent    text;
COMMENT ON COLUMN event.sent_at IS 'when it was sent, by the sender''s clock';
COMMENT ON COLUMN event.clock_ms IS
    'by how much event_time is corrected: the sender said event_time less this; null: not at all';
-- For retention: when it was made, by a right clock. Few events have a correction.
CREATE INDEX event_corrected
    ON event ((('x' || translate(left(id::text, 13), '-', ''))::bit(48)::bigint + clock_ms))
    WHERE clock_ms IS NOT NULL;
COMMENT ON COLUMN event.address IS 'the sender''s, as far as its section keeps addresses';
COMMENT ON COLUMN event.agent IS 'browser and system, as far as they are kept';

ALTER TABLE held ADD COLUMN address text, ADD COLUMN agent text, ADD COLUMN tag text;
ALTER TABLE quarantine ADD COLUMN address text, ADD COLUMN agent text, ADD COLUMN tag text;

ALTER TABLE identifier ADD COLUMN clock_ms bigint;
COMMENT ON COLUMN identifier.clock_ms IS
    'by how much its clock is corrected, so that its events keep their order; null: never wrong';
"""


def upgrade() -> None:
    op.execute(SECTIONS)
    op.execute(SENDERS)
