"""Hits by day, version and what became of them; and the quarantine by section."""

from alembic import op

revision = "0005"
down_revision = "0004"

COUNTS = """
CREATE TABLE hit_count (
    version_id bigint NOT NULL REFERENCES version,
    day        date NOT NULL,
    outcome    text NOT NULL,
    reason     text NOT NULL DEFAULT '',
    partition  int NOT NULL,
    hits       bigint NOT NULL,
    PRIMARY KEY (version_id, day, outcome, reason, partition)
) WITH (fillfactor = 70);
COMMENT ON TABLE hit_count IS 'what became of the hits received on a day, in UTC; for charts';
COMMENT ON COLUMN hit_count.partition IS
    'so that no worker waits for another; -1: of none, and of days that are over';

INSERT INTO hit_count (version_id, day, outcome, partition, hits)
    SELECT version_id, (received_at AT TIME ZONE 'UTC')::date, 'stored', -1, count(*)
    FROM event GROUP BY 1, 2;
INSERT INTO hit_count (version_id, day, outcome, partition, hits)
    SELECT version_id, (received_at AT TIME ZONE 'UTC')::date, 'held', -1, count(*)
    FROM held GROUP BY 1, 2;
INSERT INTO hit_count (version_id, day, outcome, reason, partition, hits)
    SELECT version_id, (received_at AT TIME ZONE 'UTC')::date, 'quarantined', reason, -1, count(*)
    FROM quarantine WHERE version_id IS NOT NULL GROUP BY 1, 2, reason;

CREATE INDEX quarantine_newest ON quarantine (section_id, id);
"""


def upgrade() -> None:
    op.execute(COUNTS)
